frappe.query_reports["Campaign Performance"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From Date"),
			fieldtype: "Date",
			default: frappe.datetime.add_days(frappe.datetime.get_today(), -29),
			reqd: 1,
		},
		{
			fieldname: "to_date",
			label: __("To Date"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
			reqd: 1,
		},
		{
			fieldname: "attribution_model",
			label: __("Attribution Model"),
			fieldtype: "Link",
			options: "Attribution Model",
			get_query: () => ({ filters: { is_active: 1 } }),
		},
		{
			fieldname: "status",
			label: __("Status"),
			fieldtype: "Select",
			options: [
				{ value: "", label: "" },
				{ value: "Planned", label: __("Planned") },
				{ value: "Active", label: __("Active") },
				{ value: "Paused", label: __("Paused") },
				{ value: "Completed", label: __("Completed") },
				{ value: "Cancelled", label: __("Cancelled") },
			],
		},
	],
};
