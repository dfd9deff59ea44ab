frappe.query_reports["Spend and Waste"] = {
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
			fieldname: "grain",
			label: __("Grain"),
			fieldtype: "Select",
			options: [
				{ value: "Campaign", label: __("Campaign") },
				{ value: "Organization", label: __("Organization") },
				{ value: "Platform", label: __("Platform") },
				{ value: "Ad Set", label: __("Ad Set") },
				{ value: "Ad", label: __("Ad") },
			],
			default: "Campaign",
		},
		{
			fieldname: "attribution_model",
			label: __("Attribution Model"),
			fieldtype: "Link",
			options: "Attribution Model",
			get_query: () => ({ filters: { is_active: 1 } }),
		},
		{
			fieldname: "severity",
			label: __("Severity"),
			fieldtype: "Select",
			options: [
				{ value: "", label: __("All spend") },
				{ value: "low", label: __("Waste of low severity or more") },
				{ value: "medium", label: __("Waste of medium severity or more") },
				{ value: "high", label: __("Waste of high severity") },
			],
		},
	],
};
