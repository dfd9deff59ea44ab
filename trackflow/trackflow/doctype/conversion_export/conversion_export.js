frappe.ui.form.on("Conversion Export", {
	refresh(frm) {
		const escape = frappe.utils.escape_html;
		const rows = (frm.doc.__onload?.reasons || []).map(
			(row) => `<tr><td>${escape(row.words)}</td><td class="text-right">${format_number(row.count, null, 0)}</td></tr>`
		);
		frm.get_field("reasons").$wrapper.html(
			rows.length
				? `<table class="table table-sm"><tbody>${rows.join("")}</tbody></table>`
				: `<p>${__("All conversions of these days are in the file.")}</p>`
		);
		if (frm.doc.file) {
			frm.add_custom_button(__("Download"), () => window.open(frm.doc.file)).addClass("btn-primary");
		}
	},
});
