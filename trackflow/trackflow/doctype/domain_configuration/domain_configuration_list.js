frappe.listview_settings["Domain Configuration"] = {
	add_fields: ["enabled", "is_primary"],
	get_indicator(doc) {
		if (!doc.enabled) return [__("Disabled"), "gray", "enabled,=,0"];
		if (doc.is_primary) return [__("Primary"), "blue", "is_primary,=,1"];
		return [__("Enabled"), "green", "enabled,=,1"];
	},
};
