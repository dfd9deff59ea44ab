frappe.listview_settings["Conversion Export"] = {
	hide_name_column: true,

	onload(list) {
		list.page.add_inner_button(__("Export Conversions"), () => ask_what(list));
	},
};

// To whom, of which days: then how many, and why not the others; then the export.
function ask_what(list) {
	const today = frappe.datetime.get_today();
	const dialog = new frappe.ui.Dialog({
		title: __("Export Conversions"),
		fields: [
			{
				fieldname: "platform",
				fieldtype: "Select",
				label: __("Platform"),
				options: "Google Ads\nMeta\nLinkedIn",
				default: "Google Ads",
				reqd: 1,
			},
			{
				fieldname: "from_date",
				fieldtype: "Date",
				label: __("From Date"),
				default: frappe.datetime.add_days(today, -29),
				reqd: 1,
			},
			{ fieldname: "to_date", fieldtype: "Date", label: __("To Date"), default: today, reqd: 1 },
			{
				fieldname: "conversion_type",
				fieldtype: "Data",
				label: __("Conversion Type"),
				description: __("Such as Lead or Deal Won. Empty: all that the settings count."),
			},
			{
				fieldname: "action",
				fieldtype: "Data",
				label: __("Name on the Platform"),
				description: __(
					"Google Ads: the conversion action. Meta: the event. LinkedIn: the number of the conversion rule, which it needs. Empty: the type."
				),
			},
			{ fieldname: "found", fieldtype: "HTML" },
		],
		primary_action_label: __("Look"),
		async primary_action(values) {
			const { message } = await call("preview", values, "GET");
			show_found(dialog, values, message, list);
		},
	});
	for (const field of ["platform", "from_date", "to_date", "conversion_type", "action"]) {
		dialog.fields_dict[field].df.onchange = () => {
			dialog.fields_dict.found.$wrapper.empty();
			dialog.custom_actions.empty();
		};
	}
	dialog.show();
}

function show_found(dialog, values, found, list) {
	const escape = frappe.utils.escape_html;
	const rows = found.reasons.map(
		(row) => `<tr><td>${escape(row.words)}</td><td class="text-right">${format_number(row.count, null, 0)}</td></tr>`
	);
	dialog.fields_dict.found.$wrapper.html(
		`<p><b>${__("{0} conversions can be exported.", [format_number(found.conversions, null, 0)])}</b></p>` +
			(rows.length
				? `<p>${__("Not exported:")}</p><table class="table table-sm"><tbody>${rows.join("")}</tbody></table>`
				: "")
	);
	dialog.custom_actions.empty();
	if (!found.conversions) return;
	dialog.add_custom_action(
		__("Export"),
		async () => {
			const { message } = await call("create", values, "POST");
			dialog.hide();
			list.refresh();
			frappe.set_route("Form", "Conversion Export", message.export);
		},
		"btn-primary"
	);
}

function call(method, args, type) {
	return frappe.call({ method: `trackflow.api.exports.${method}`, type, args, freeze: true });
}
