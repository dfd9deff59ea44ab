frappe.ui.form.on("Webhook Delivery", {
	refresh(frm) {
		const may_send = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (!may_send || frm.doc.event_type === "ping") return;
		frm.add_custom_button(__("Deliver Again"), async () => {
			await frappe.call({
				method: "trackflow.api.webhooks.redeliver",
				type: "POST",
				args: { names: [frm.doc.name] },
				freeze: true,
			});
			frappe.show_alert({ message: __("It is sent again."), indicator: "blue" });
			frm.reload_doc();
		});
	},
});
