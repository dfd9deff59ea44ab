frappe.listview_settings["API Request Log"] = {
	add_fields: ["response_code"],
	hide_name_column: true,
	get_indicator(request) {
		const code = request.response_code;
		const colour = code >= 500 ? "red" : code >= 400 ? "orange" : "green";
		return [String(code), colour, `response_code,=,${code}`];
	},
};
