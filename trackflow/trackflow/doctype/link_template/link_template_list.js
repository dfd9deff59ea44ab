frappe.listview_settings["Link Template"] = {
	add_fields: ["is_active"],
	hide_name_column: true,
	get_indicator(template) {
		return template.is_active
			? [__("Active"), "green", "is_active,=,1"]
			: [__("Not Active"), "gray", "is_active,=,0"];
	},
};
