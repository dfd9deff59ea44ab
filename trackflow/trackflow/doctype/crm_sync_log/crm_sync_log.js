frappe.ui.form.on("CRM Sync Log", {
	refresh(form) {
		const may_retry = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (form.is_new() || !may_retry) return;
		form.add_custom_button(__("Retry"), async () => {
			await frappe.call({
				method: "trackflow.trackflow.doctype.crm_sync_log.crm_sync_log.retry",
				args: { names: [form.doc.name] },
				freeze: true,
			});
			form.reload_doc();
		});
	},
});
