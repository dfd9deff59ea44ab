frappe.listview_settings["TrackFlow API Key"] = {
	add_fields: ["is_active", "expires_on"],
	hide_name_column: true,
	get_indicator(key) {
		const now = frappe.datetime.now_datetime();
		if (!key.is_active) return [__("Not Active"), "gray", "is_active,=,0"];
		if (key.expires_on && key.expires_on <= now) return [__("Expired"), "red", `expires_on,<=,${now}`];
		return [__("Active"), "green", "is_active,=,1"];
	},
};
