frappe.listview_settings["Visitor"] = {
	add_fields: ["has_converted", "is_bot", "is_internal"],
	hide_name_column: true,
	get_indicator(visitor) {
		if (visitor.is_bot) return [__("Robot"), "gray", "is_bot,=,1"];
		if (visitor.is_internal) return [__("Internal"), "gray", "is_internal,=,1"];
		if (visitor.has_converted) return [__("Converted"), "green", "has_converted,=,1"];
		return [__("Not Converted"), "blue", "has_converted,=,0"];
	},
};
