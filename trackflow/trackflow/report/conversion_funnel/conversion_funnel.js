frappe.query_reports["Conversion Funnel"] = {
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
				{ value: "", label: __("Nothing") },
				{ value: "Campaign", label: __("Campaign") },
				{ value: "Source", label: __("Source") },
				{ value: "Medium", label: __("Medium") },
			],
		},
		{
			fieldname: "campaign",
			label: __("Campaign"),
			fieldtype: "Link",
			options: "Link Campaign",
			// Campaigns that only addresses name have no document.
			ignore_link_validation: 1,
		},
		{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
		{ fieldname: "medium", label: __("Medium"), fieldtype: "Data" },
	],
};
