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
			if (frm.doc.webhook_events.length) {
				frm.add_custom_button(__("New Secret"), () => renew_secret(frm), __("Webhooks"));
			}
		}
		for (const row of frm.doc.webhook_events) {
			const name = `${row.event_type} → ${host_of(row.webhook_url)}`;
			frm.add_custom_button(__("Test {0}", [name]), () => test(frm, row), __("Webhooks"));
			if (row.is_paused) frm.add_custom_button(__("Resume {0}", [name]), () => resume(frm, row));
		}
	},
});

function host_of(address) {
	try {
		return new URL(address).host;
	} catch {
		return address;
	}
}

async function test(frm, row) {
	const answer = await trackflow.desk.call("api.webhooks.test_webhook", { webhook: row.name });
	if (!answer) return;
	frappe.show_alert({
		message: answer.delivered
			? __("It arrived after {0} ms.", [answer.milliseconds])
			: frappe.utils.escape_html(answer.message),
		indicator: answer.delivered ? "green" : "red",
	});
}

async function resume(frm, row) {
	const answer = await trackflow.desk.call("api.webhooks.resume_webhook", { webhook: row.name });
	if (!answer) return;
	frappe.show_alert({ message: __("Resumed; {0} deliveries are on their way.", [answer.pending]), indicator: "blue" });
	frm.reload_doc();
}

function renew_secret(frm) {
	const text = __("What is sent from now on is signed with it, also what is tried again. Go on?");
	frappe.confirm(text, async () => {
		const answer = await trackflow.desk.call("api.webhooks.make_webhook_secret", { key: frm.doc.name });
		if (answer) await show_once(frm, __("Webhooks"), __("Keep this secret, it is shown only now:"), answer.secret);
	});
}

async function show_once(frm, title, text, secret) {
	await frm.reload_doc();
	frappe.msgprint({
		title,
		message: `${text}<pre>${frappe.utils.escape_html(secret)}</pre>`,
		primary_action: { label: __("Copy"), action: () => frappe.utils.copy_to_clipboard(secret) },
	});
}

function revoke(frm) {
	frappe.confirm(__("Programs that use this key are refused from now on. Revoke it?"), async () => {
		if (await trackflow.desk.call("api.access.revoke_api_key", { name: frm.doc.name })) frm.reload_doc();
	});
}

function rotate(frm) {
	const text = __("The key gets another secret, and programs that use the present one are refused from now on. Go on?");
	frappe.confirm(text, async () => {
		const answer = await trackflow.desk.call("api.access.rotate_api_key", { name: frm.doc.name });
		if (answer) await show_once(frm, __("API Key"), __("Keep this key, it is shown only now:"), answer.key);
	});
}
