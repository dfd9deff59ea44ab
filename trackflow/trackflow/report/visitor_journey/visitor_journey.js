frappe.query_reports["Visitor Journey"] = {
	filters: [
		{ fieldname: "visitor", label: __("Visitor"), fieldtype: "Link", options: "Visitor", ignore_link_validation: 1 },
		// CRM may not be there.
		{ fieldname: "lead", label: __("Lead"), fieldtype: "Data" },
		{ fieldname: "deal", label: __("Deal"), fieldtype: "Data" },
		{ fieldname: "from_date", label: __("From Date"), fieldtype: "Date" },
		{ fieldname: "to_date", label: __("To Date"), fieldtype: "Date" },
		{ fieldname: "channel", label: __("Channel"), fieldtype: "Data" },
		{
			fieldname: "campaign",
			label: __("Campaign"),
			fieldtype: "Link",
			options: "Link Campaign",
			// Campaigns that only addresses name have no document.
			ignore_link_validation: 1,
		},
	],
};
