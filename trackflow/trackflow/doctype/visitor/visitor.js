frappe.ui.form.on("Visitor", {
	refresh(frm) {
		frm.add_custom_button(__("Journey"), () =>
			frappe.set_route("query-report", "Visitor Journey", { visitor: frm.doc.name })
		).addClass("btn-primary");
	},
});
