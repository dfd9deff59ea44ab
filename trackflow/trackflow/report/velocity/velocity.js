frappe.query_reports["Velocity"] = {
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
			fieldname: "document",
			label: __("Leads or Deals"),
			fieldtype: "Select",
			options: [
				{ value: "", label: __("Leads and Deals") },
				{ value: "Leads", label: __("Leads") },
				{ value: "Deals", label: __("Deals") },
			],
		},
		{
			fieldname: "group_by",
			label: __("Group By"),
			fieldtype: "Select",
			options: [
				{ value: "", label: __("Nothing") },
				{ value: "Campaign", label: __("Campaign") },
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
		{
			fieldname: "unit",
			label: __("Unit"),
			fieldtype: "Select",
			options: [
				{ value: "Days", label: __("Days") },
				{ value: "Hours", label: __("Hours") },
			],
			default: "Days",
		},
	],
};
