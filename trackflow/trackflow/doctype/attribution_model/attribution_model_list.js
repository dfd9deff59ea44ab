frappe.listview_settings["Attribution Model"] = {
	add_fields: ["is_active", "is_default"],
	get_indicator(doc) {
		if (doc.is_default) return [__("Default"), "blue", "is_default,=,1"];
		if (doc.is_active) return [__("Active"), "green", "is_active,=,1"];
		return [__("Not Active"), "gray", "is_active,=,0"];
	},
};
