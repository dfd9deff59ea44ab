frappe.listview_settings["TrackFlow Erasure"] = {
	hide_name_column: false,

	get_indicator(record) {
		const colours = { Running: "orange", Done: "green" };
		return [__(record.status), colours[record.status] || "gray", `status,=,${record.status}`];
	},

	onload(list) {
		list.page.add_inner_button(__("A Person's Data"), () => ask_for_person(list));
	},
};

// Whom is it about: then what there is, a copy of it, its erasure.
function ask_for_person(list) {
	const dialog = new frappe.ui.Dialog({
		title: __("A Person's Data"),
		fields: [
			{
				fieldname: "subject",
				fieldtype: "Data",
				label: __("E-mail Address or Visitor"),
				reqd: 1,
				description: __("An address that the person gave, or a visitor id such as v_0123456789abcdef."),
			},
			{
				fieldname: "reference",
				fieldtype: "Data",
				label: __("Reference"),
				description: __("Yours, such as the number of a ticket. It is kept with the record of an erasure; never an address."),
			},
			{ fieldname: "found", fieldtype: "HTML" },
		],
		primary_action_label: __("Look"),
		async primary_action({ subject }) {
			const { message } = await call("preview", { subject });
			show_found(dialog, subject, message);
		},
	});
	dialog.fields_dict.subject.$input.on("input", () => {
		dialog.fields_dict.found.$wrapper.empty();
		dialog.custom_actions.empty();
	});
	dialog.$wrapper.on("hidden.bs.modal", () => list.refresh());
	dialog.show();
}

function show_found(dialog, subject, found) {
	const escape = frappe.utils.escape_html;
	const kinds = {
		emails: __("E-mail addresses"),
		visitors: __("Visitors"),
		leads: __("Leads"),
		deals: __("Deals"),
		organizations: __("Organizations"),
	};
	const about = Object.entries(kinds)
		.filter(([kind]) => found[kind].length)
		.map(([kind, label]) => `<p><b>${label}</b>: ${found[kind].map(escape).join(", ")}</p>`);
	const rows = Object.entries(found.rows).map(
		([doctype, number]) => `<tr><td>${escape(__(doctype))}</td><td class="text-right">${number}</td></tr>`
	);
	dialog.fields_dict.found.$wrapper.html(
		rows.length
			? `${about.join("")}<table class="table table-sm"><tbody>${rows.join("")}</tbody></table>`
			: `<p>${__("Nothing is stored about this person.")}</p>`
	);
	dialog.custom_actions.empty();
	if (!rows.length) return;
	dialog.add_custom_action(__("Export"), () =>
		open_url_post("/api/method/trackflow.api.privacy.export", { subject })
	);
	dialog.add_custom_action(__("Erase"), () => erase(dialog, subject), "btn-danger");
}

function erase(dialog, subject) {
	frappe.confirm(
		__("All that is stored about this person is erased for good. Totals stay. What CRM itself keeps stays too."),
		async () => {
			const reference = dialog.get_value("reference") || "";
			const { message } = await call("erase", { subject, reference });
			dialog.hide();
			const number = Object.values(message.rows).reduce((sum, one) => sum + one, 0);
			frappe.show_alert({
				message:
					message.status === "Done"
						? __("Erased: {0} rows.", [number])
						: __("Erased so far: {0} rows. A job does the rest.", [number]),
				indicator: message.status === "Done" ? "green" : "orange",
			});
		}
	);
}

function call(method, args) {
	return frappe.call({ method: `trackflow.api.privacy.${method}`, args, freeze: true });
}
