frappe.query_reports["Lead Attribution"] = {
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
