frappe.ui.form.on("CRM Sync Log", {
	refresh(form) {
		const may_retry = ["System Manager", "TrackFlow Manager"].some((role) => frappe.user.has_role(role));
		if (form.is_new() || !may_retry) return;
		form.add_custom_button(__("Retry"), async () => {
			const number = await trackflow.desk.call("trackflow.doctype.crm_sync_log.crm_sync_log.retry", { names: [form.doc.name] });
			if (number === null) return;
			frappe.show_alert(
				number
					? { message: __("It is due now. Reload it in a minute."), indicator: "blue" }
					: { message: __("It cannot be begun anew: a worker is at it."), indicator: "orange" }
			);
			form.reload_doc();
		});
	},
});
