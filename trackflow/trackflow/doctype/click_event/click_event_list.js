frappe.listview_settings["Click Event"] = {
	add_fields: ["event_type", "counted"],
	hide_name_column: true,
	get_indicator(doc) {
		const colour = doc.counted ? "green" : "gray";
		return [__(doc.event_type), colour, `event_type,=,${doc.event_type}`];
	},
};
