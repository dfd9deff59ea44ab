frappe.query_reports["Attribution Model Comparison"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From Date"),
			fieldtype: "Date",
			default: frappe.datetime.add_days(frappe.datetime.get_today(), -89),
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
			fieldname: "group_by",
			label: __("Group By"),
			fieldtype: "Select",
			options: [
				{ value: "Channel", label: __("Channel") },
				{ value: "Campaign", label: __("Campaign") },
				{ value: "Link", label: __("Link") },
				{ value: "Source", label: __("Source") },
				{ value: "Medium", label: __("Medium") },
				{ value: "Platform", label: __("Platform") },
				{ value: "Position", label: __("Position") },
			],
			default: "Channel",
		},
		{
			fieldname: "figure",
			label: __("Figure"),
			fieldtype: "Select",
			options: [
				{ value: "Conversions", label: __("Conversions") },
				{ value: "Value", label: __("Value") },
				{ value: "CPA", label: __("CPA") },
				{ value: "ROAS", label: __("ROAS") },
			],
			default: "Conversions",
		},
		{ fieldname: "by_position", label: __("By Position"), fieldtype: "Check" },
		{ fieldname: "conversion_type", label: __("Conversion Type"), fieldtype: "Data" },
	],
};
