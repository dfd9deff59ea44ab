// The sync of forms asks the outside CRM; it is asked with what is stored.
frappe.ui.form.on("TrackFlow Settings", {
	refresh(frm) {
		if (!frm.perm[0].write) return;
		frm.add_custom_button(__("Check the Fields"), () => check_fields(frm), __("CRM Sync"));
		frm.add_custom_button(__("Dry Run"), () => dry_run(frm), __("CRM Sync"));
	},
});

async function ask(frm, method) {
	if (frm.is_dirty()) {
		frappe.msgprint(__("Save the settings first."));
		return null;
	}
	return trackflow.desk.call(`api.crm_sync.${method}`);
}

// What the CRM calls a field now, and what it takes, is stored with the next Save.
async function check_fields(frm) {
	const found = await ask(frm, "check_fields");
	if (!found) return;
	const known = new Map(found.fields.map((field) => [field.key, field]));
	for (const row of frm.doc.sync_fields) {
		const { label, type } = known.get(row.remote_field) || {};
		if (!label || (row.remote_label === label && row.remote_type === type)) continue;
		frappe.model.set_value(row.doctype, row.name, { remote_label: label, remote_type: type });
	}
	const lines = found.fields.filter((field) => field.is_writable);
	show(
		__("Fields of the CRM"),
		found.problems.map((text) => $('<p class="text-danger">').text(text)),
		found.problems.length ? null : $("<p>").text(__("All fields that are written are there.")),
		table(
			[__("Called"), __("Key"), __("Type")],
			lines.map(({ label, key, type }) => [label, key, type])
		)
	);
}

const STATES = {
	pending: __("Waits"),
	synced: __("Would be written"),
	not_found: __("Not found"),
	error: __("Error"),
	withdrawn: __("May not leave"),
};

async function dry_run(frm) {
	const forms = await ask(frm, "preview_sync");
	if (!forms) return;
	show(
		__("Dry Run"),
		$('<p class="text-muted">').text(
			forms.length ? __("Persons were searched for; nothing was written.") : __("There is no form yet.")
		),
		forms.map((form) => [
			$('<p class="font-weight-bold mb-1">').text(
				`${form.email || [form.first_name, form.last_name].filter(Boolean).join(" ")}: ${STATES[form.status]}`
			),
			form.message ? $("<p>").text(form.message) : null,
			table([__("Field of the CRM"), __("Value")], Object.entries(form.values)),
		])
	);
}

function table(head, rows) {
	if (!rows.length) return null;
	const line = (cells, tag) => $("<tr>").append(cells.map((cell) => $(tag).css("word-break", "break-word").text(cell)));
	return $('<table class="table table-bordered">').append(line(head, "<th>"), rows.map((row) => line(row, "<td>")));
}

function show(title, ...parts) {
	const dialog = new frappe.ui.Dialog({ title, size: "large", fields: [{ fieldname: "said", fieldtype: "HTML" }] });
	dialog.get_field("said").$wrapper.append(parts.flat(2));
	dialog.show();
}
