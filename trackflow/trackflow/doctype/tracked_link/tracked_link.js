frappe.ui.form.on("Tracked Link", {
	refresh(frm) {
		const url = frm.doc.__onload?.short_url;
		if (frm.is_new() || !url) return;
		// Typed by people, so it is text before it is anything else.
		frm.set_intro(frappe.utils.escape_html(url), "blue");
		frm.add_custom_button(__("Copy Short URL"), () => frappe.utils.copy_to_clipboard(url));
	},
});
