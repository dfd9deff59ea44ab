frappe.listview_settings["Conversion"] = {
	add_fields: ["attribution_status"],
	hide_name_column: true,
	get_indicator(doc) {
		const colour = doc.attribution_status === "Done" ? "green" : "orange";
		return [__(doc.attribution_status), colour, `attribution_status,=,${doc.attribution_status}`];
	},
};
