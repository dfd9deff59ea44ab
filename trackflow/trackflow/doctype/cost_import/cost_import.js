// What is queued may be begun again: it is written once.
const OPEN = ["Draft", "Queued", "Failed"];
const UNDOABLE = ["Imported", "Partly Undone"];
const COLORS = { refused: "red", changed: "orange", new: "green", unchanged: "gray" };

frappe.ui.form.on("Cost Import", {
	refresh(frm) {
		show(frm, frm.doc.report ? JSON.parse(frm.doc.report) : null);
		if (frm.is_new()) return;
		if (OPEN.includes(frm.doc.status) && frm.doc.file) {
			frm.add_custom_button(__("Preview"), () => preview(frm));
			frm.add_custom_button(__("Import"), () => import_costs(frm)).addClass("btn-primary");
		}
		const undo_is_gone = frm.doc.__onload?.undo_is_gone;
		if (undo_is_gone) {
			frm.set_intro(undo_is_gone);
		} else if (UNDOABLE.includes(frm.doc.status)) {
			frm.add_custom_button(__("Undo Import"), () => undo(frm));
		}
	},
});

function call(frm, method) {
	if (frm.is_dirty()) {
		frappe.msgprint(__("Save the import first."));
		return null;
	}
	return frappe.call({
		method: `trackflow.api.costs.${method}`,
		args: { cost_import: frm.doc.name },
		freeze: true,
		freeze_message: __("Reading the file…"),
	});
}

async function preview(frm) {
	const answer = await call(frm, "preview_import");
	if (answer) show(frm, answer.message);
}

async function import_costs(frm) {
	const answer = await call(frm, "import_costs");
	if (!answer) return;
	if (answer.message.status === "Queued") {
		frappe.show_alert(__("The file is long: it is imported in the background. Reload to see how far it is."));
	}
	await frm.reload_doc();
}

function undo(frm) {
	frappe.confirm(
		__("Make all rows of this import what they were before? Rows that were changed since stay as they are."),
		async () => {
			const answer = await call(frm, "undo_import");
			if (!answer) return;
			const { removed, restored, skipped } = answer.message;
			frappe.msgprint(
				__("Rows removed: {0}, restored: {1}, left because they were changed since: {2}.", [removed, restored, skipped])
			);
			await frm.reload_doc();
		}
	);
}

function show(frm, answer) {
	const wrapper = frm.get_field("preview").$wrapper.empty();
	if (!answer) {
		wrapper.append($("<p>").text(__("Attach a file, save, and choose Preview.")));
		return;
	}
	wrapper.append($("<p>").text(in_words(answer)));
	if (answer.rows.length) wrapper.append(table_of(answer.rows));
}

function in_words(answer) {
	const spend = Object.entries(answer.spend).map(([currency, total]) => `${format_number(total, null, 2)} ${currency}`);
	const left_out = Object.values(answer.left_out).reduce((sum, count) => sum + count, 0);
	const words = [
		__("{0}, {1} to {2}: {3}.", [answer.format, answer.from_date || "–", answer.to_date || "–", spend.join(", ") || "–"]),
		__("New: {0}, changed: {1}, unchanged: {2}, refused: {3}.", [
			answer.new,
			answer.changed,
			answer.unchanged,
			answer.refused,
		]),
	];
	if (left_out) words.push(__("Totals and empty rows left out: {0}.", [left_out]));
	if (answer.summed) words.push(__("Rows that are parts of others, such as devices, summed: {0}.", [answer.summed]));
	if (answer.without_campaign) words.push(__("Without a campaign of this site: {0}.", [answer.without_campaign]));
	if (answer.ignored_columns.length) words.push(__("Columns not read: {0}.", [answer.ignored_columns.join(", ")]));
	return words.join(" ");
}

function table_of(rows) {
	const head = [__("Row"), __("What"), __("Day"), __("Campaign"), __("Spend"), __("Clicks"), __("Remark")];
	const table = $('<table class="table table-sm">');
	table.append($("<thead>").append($("<tr>").append(head.map((text) => $("<th>").text(text)))));
	const body = $("<tbody>").appendTo(table);
	for (const row of rows) {
		const entity = [row.platform, row.campaign, row.adset, row.ad].filter(Boolean).join(" › ");
		const spend = row.spend == null ? "" : `${format_number(row.spend, null, 2)} ${row.currency}`;
		$("<tr>")
			.append($("<td>").text(row.row))
			.append($("<td>").append($(`<span class="indicator-pill ${COLORS[row.verdict]}">`).text(__(row.verdict))))
			.append([row.date || "", entity, spend, row.clicks ?? "", remark(row)].map((text) => $("<td>").text(text)))
			.appendTo(body);
	}
	return $('<div style="max-height: 60vh; overflow: auto">').append(table);
}

function remark(row) {
	if (row.message) return row.message;
	const changes = Object.entries(row.changes || {});
	return changes.map(([field, { old, new: now }]) => `${field}: ${old ?? ""} → ${now ?? ""}`).join(", ");
}
