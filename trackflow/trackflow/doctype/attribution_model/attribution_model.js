frappe.ui.form.on("Attribution Model", {
	model_type(frm) {
		// What the model's name promises; whoever wants it otherwise ticks it again.
		frm.set_value("count_direct", frm.doc.model_type === "Last Non-Direct" ? 0 : 1);
	},
});
