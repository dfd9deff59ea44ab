frappe.ui.form.on("Attribution Model", {
	model_type(frm) {
		// What the model's name promises; whoever wants it otherwise ticks it again.
		const leaves_direct_out = ["Last Non-Direct", "Markov", "Shapley"].includes(frm.doc.model_type);
		frm.set_value("count_direct", leaves_direct_out ? 0 : 1);
	},
});
