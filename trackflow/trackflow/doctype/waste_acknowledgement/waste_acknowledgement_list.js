frappe.listview_settings["Waste Acknowledgement"] = {
	add_fields: ["until"],
	hide_name_column: true,
	get_indicator(doc) {
		const today = frappe.datetime.get_today();
		if (doc.until && doc.until < today) return [__("Over"), "gray", `until,<,${today}`];
		if (doc.until) return [__("Quiet for Now"), "orange", `until,>=,${today}`];
		return [__("Quiet"), "blue", "until,is,not set"];
	},
};
