frappe.listview_settings["Daily Rollup"] = {
	add_fields: ["severity"],
	hide_name_column: true,
	get_indicator(rollup) {
		const waste = {
			high: [__("High Waste"), "red"],
			medium: [__("Medium Waste"), "orange"],
			low: [__("Low Waste"), "yellow"],
		};
		if (!waste[rollup.severity]) return [__("No Waste"), "green", "severity,is,not set"];
		return [...waste[rollup.severity], `severity,=,${rollup.severity}`];
	},
};
