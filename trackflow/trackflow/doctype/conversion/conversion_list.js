frappe.listview_settings["Conversion"] = {
	add_fields: ["attribution_status"],
	hide_name_column: true,
	get_indicator(doc) {
		const colours = { Pending: "orange", Done: "green", Failed: "red" };
		return [
			__(doc.attribution_status),
			colours[doc.attribution_status] || "gray",
			`attribution_status,=,${doc.attribution_status}`,
		];
	},
};
