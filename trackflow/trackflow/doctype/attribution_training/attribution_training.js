frappe.ui.form.on("Attribution Training", {
	refresh(frm) {
		const rows = frm.doc.__onload?.channels || [];
		frm.get_field("channels").$wrapper.html(rows.length ? table_of(frm, rows) : `<p>${__("No channel.")}</p>`);
	},
});

function table_of(frm, rows) {
	const escape = frappe.utils.escape_html;
	const number = (value) => `<td class="text-right">${format_number(value, null, 2)}</td>`;
	// Only a chain has an order.
	const value = frm.doc.markov_order ? __("Lost without it, % of conversions") : __("Conversions");
	const factor = frm.doc.markov_order ? 100 : 1;
	const lines = rows.map(
		(row) => `<tr><td>${escape(row.channel)}</td>${number(row.value * factor)}${number(row.share * 100)}</tr>`
	);
	return `<table class="table table-sm"><thead><tr><th>${__("Channel")}</th><th class="text-right">${value}</th>
		<th class="text-right">${__("Share, %")}</th></tr></thead><tbody>${lines.join("")}</tbody></table>`;
}
