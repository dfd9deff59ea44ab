frappe.query_reports["Link Performance"] = {
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
			fieldname: "campaign",
			label: __("Campaign"),
			fieldtype: "Link",
			options: "Link Campaign",
		},
		{
			fieldname: "domain",
			label: __("Domain"),
			fieldtype: "Link",
			options: "Domain Configuration",
		},
		{ fieldname: "tag", label: __("Tag"), fieldtype: "Data" },
	],
};
