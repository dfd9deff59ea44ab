frappe.listview_settings["Attribution Training"] = {
	add_fields: ["is_too_little"],
	hide_name_column: true,
	get_indicator(training) {
		return training.is_too_little
			? [__("Too Little Data"), "orange", "is_too_little,=,1"]
			: [__("Learnt"), "green", "is_too_little,=,0"];
	},
};
