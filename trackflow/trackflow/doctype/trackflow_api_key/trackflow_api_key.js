frappe.ui.form.on("TrackFlow API Key", {
	setup(frm) {
		frm.set_query("user", () => ({ filters: { enabled: 1, name: ["!=", "Guest"] } }));
	},

	refresh(frm) {
		if (frm.is_new()) {
			if (!frm.doc.user) frm.set_value("user", frappe.session.user);
			return;
		}
		if (!frm.perm[0].write) return;
		if (frm.doc.is_active) {
			frm.add_custom_button(__("Revoke"), () => revoke(frm));
		}
		const is_own = frm.doc.user === frappe.session.user;
		if (is_own || frappe.user.has_role("System Manager")) {
			frm.add_custom_button(__("Rotate"), () => rotate(frm));
		}
	},
});

function revoke(frm) {
	frappe.confirm(__("Programs that use this key are refused from now on. Revoke it?"), async () => {
		await call(frm, "revoke_api_key");
		frm.reload_doc();
	});
}

function rotate(frm) {
	const text = __("The key gets another secret, and programs that use the present one are refused from now on. Go on?");
	frappe.confirm(text, async () => {
		const { message } = await call(frm, "rotate_api_key");
		await frm.reload_doc();
		frappe.msgprint({
			title: __("API Key"),
			message: `${__("Keep this key, it is shown only now:")}<pre>${frappe.utils.escape_html(message.key)}</pre>`,
			primary_action: { label: __("Copy"), action: () => frappe.utils.copy_to_clipboard(message.key) },
		});
	});
}

function call(frm, method) {
	return frappe.call({
		method: `trackflow.api.access.${method}`,
		type: "POST",
		args: { name: frm.doc.name },
		freeze: true,
	});
}
