frappe.ui.form.on("Webhook Delivery", {
	refresh(frm) {
		const may_send = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (!may_send || frm.doc.event_type === "ping") return;
		frm.add_custom_button(__("Deliver Again"), async () => {
			if (!(await trackflow.desk.call("api.webhooks.redeliver", { names: [frm.doc.name] }))) return;
			frappe.show_alert({ message: __("It is sent again."), indicator: "blue" });
			frm.reload_doc();
		});
	},
});
