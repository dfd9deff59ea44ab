// How often a form asks while mails leave.
const EVERY = 3000;
const SOURCES = ["CRM Lead", "Contact", "Email Group"];

frappe.ui.form.on("Campaign Mailing", {
	setup(frm) {
		frm.set_query("domain", () => ({ filters: { enabled: 1 } }));
		frm.set_query("email_account", () => ({ filters: { enable_outgoing: 1 } }));
	},

	refresh(frm) {
		clearTimeout(frm.trackflow_progress);
		offer_readable(frm);
		frm.set_intro(frm.doc.status === "Paused" && frm.doc.message ? frappe.utils.escape_html(frm.doc.message) : "");
		const is_open = ["Draft", "Paused"].includes(frm.doc.status);
		if (frm.doc.status === "Draft" && frm.doc.recipients_from !== "Email Group") {
			frm.add_custom_button(__("Choose Recipients"), () => choose_recipients(frm));
		}
		if (frm.is_new()) return;
		frm.add_custom_button(__("Preview"), () => preview(frm));
		frm.add_custom_button(__("Send Test"), () => send_test(frm));
		if (is_open) {
			const label = frm.doc.status === "Draft" ? __("Send") : __("Go On");
			frm.add_custom_button(label, () => send(frm)).addClass("btn-primary");
		}
		if (frm.doc.status === "Sending") {
			frm.add_custom_button(__("Pause"), () => pause(frm)).addClass("btn-danger");
		}
		if (frm.doc.status !== "Draft") show_statistics(frm);
	},
});

// Frappe refuses to list what somebody may not read: so it is not offered, unless it stands there.
function offer_readable(frm) {
	const { recipients_from, email_account } = frm.doc;
	const sources = SOURCES.filter((doctype) => doctype === recipients_from || frappe.model.can_read(doctype));
	frm.set_df_property("recipients_from", "options", sources);
	frm.toggle_display("email_account", Boolean(email_account) || frappe.model.can_read("Email Account"));
}

async function call(frm, method, args = {}, type = "POST") {
	if (frm.is_dirty()) {
		frappe.msgprint(__("Save the mailing first."));
		return null;
	}
	return trackflow.desk.call(`api.email.${method}`, { mailing: frm.doc.name, ...args }, { type });
}

// What a browser shows of a mail: in a frame of its own that may run nothing and send nothing.
function frame(html) {
	return $("<iframe>", { sandbox: "", title: __("The mail"), referrerpolicy: "no-referrer" })
		.css({ width: "100%", height: "50vh", border: "1px solid var(--border-color)", background: "#fff" })
		.attr("srcdoc", html);
}

async function preview(frm) {
	const found = await call(frm, "preview", {}, "GET");
	if (!found) return;
	const count = found.more_recipients ? `${found.recipients}+` : found.recipients;
	const dialog = new frappe.ui.Dialog({ title: __("Preview"), size: "large", fields: [{ fieldname: "mail", fieldtype: "HTML" }] });
	dialog.get_field("mail").$wrapper.append(
		$('<p class="text-muted">').text(__("Rows with an address: {0}. The first one is {1}.", [count, found.recipient || "–"])),
		found.warnings.map((text) => $('<p class="alert alert-warning py-1 px-2">').text(text)),
		$('<p class="font-weight-bold">').text(found.subject),
		frame(found.html),
		$("<details>").append(
			$("<summary>").text(__("As plain text")),
			$('<pre style="white-space: pre-wrap">').text(found.text)
		)
	);
	dialog.show();
}

function send_test(frm) {
	frappe.prompt(
		{
			fieldname: "to",
			fieldtype: "Link",
			options: "User",
			label: __("User"),
			default: frappe.session.user,
			description: __("Gets the first recipient's mail, with plain links."),
			reqd: 1,
		},
		async ({ to }) => {
			const answer = await call(frm, "send_test", { to: to === frappe.session.user ? null : to });
			if (answer) frappe.show_alert(__("A test mail to {0} is in the queue.", [frappe.utils.escape_html(answer.to)]));
		},
		__("Send Test"),
		__("Send")
	);
}

async function send(frm) {
	const found = await call(frm, "preview", {}, "GET");
	if (!found) return;
	const count = found.more_recipients ? `${found.recipients}+` : found.recipients;
	const question = frm.doc.status === "Draft" ? __("Send this mailing?") : __("Go on with this mailing?");
	const words = [
		`${question} ${__("Rows with an address: {0}.", [count])}`,
		...found.warnings.map((text) => frappe.utils.escape_html(text)),
	];
	frappe.confirm(words.join("<br>"), async () => {
		if (await call(frm, "send")) await frm.reload_doc();
	});
}

async function pause(frm) {
	if (!(await call(frm, "pause"))) return;
	frappe.show_alert(__("No more mails are handed over. Those in the queue are on their way."));
	await frm.reload_doc();
}

async function choose_recipients(frm) {
	const doctype = frm.doc.recipients_from;
	await frappe.model.with_doctype(doctype);
	const dialog = new frappe.ui.Dialog({
		title: __("Recipients"),
		fields: [{ fieldname: "filters", fieldtype: "HTML" }],
		primary_action_label: __("Apply"),
		primary_action() {
			const filters = group.get_filters().map((one) => one.slice(1, 4));
			frm.set_value("filters", filters.length ? JSON.stringify(filters) : null);
			dialog.hide();
		},
	});
	const group = new frappe.ui.FilterGroup({
		parent: dialog.get_field("filters").$wrapper,
		doctype,
		on_change: () => {},
	});
	const known = JSON.parse(frm.doc.filters || "[]").map((one) => [doctype, ...one]);
	if (known.length) await group.add_filters_to_filter_group(known);
	dialog.show();
}

async function show_statistics(frm) {
	const found = await trackflow.desk.ask(frm, "email.get_statistics", { mailing: frm.doc.name });
	if (!found) return;
	const percent = (share) => (share === null ? null : `${trackflow.desk.figure(share)} %`);
	trackflow.desk.section(
		frm,
		"trackflow-statistics",
		__("Results"),
		found.status === "Sending" ? progress(found) : null,
		trackflow.desk.figures([
			[__("Recipients"), found.recipient_count],
			[__("Waiting"), found.waiting_count],
			[__("Sent"), found.sent_count],
			[__("Delivered, as far as known"), found.delivered_count],
			[__("Opened"), `${found.opened_count} (${percent(found.open_rate) || "–"})`],
			[__("Clicked"), `${found.clicked_count} (${percent(found.click_rate) || "–"})`],
			[__("Opens"), found.open_count],
			[__("Clicks"), found.click_count],
			[__("Opened by a Proxy Alone"), found.unsure_count],
			[__("Seen by Scanners"), found.scanner_count],
			[__("Unsubscribed"), `${found.unsubscribed_count} (${percent(found.unsubscribe_rate) || "–"})`],
			[__("Bounced"), `${found.bounced_count} (${percent(found.bounce_rate) || "–"})`],
			[__("Skipped"), found.skipped_count],
			[__("Failed"), found.failed_count],
		])
	);
	if (found.status !== frm.doc.status && !frm.is_dirty()) return frm.reload_doc();
	if (found.status === "Sending") {
		clearTimeout(frm.trackflow_progress);
		frm.trackflow_progress = setTimeout(() => cur_frm === frm && show_statistics(frm), EVERY);
	}
}

// Nothing, until the first recipients are written down.
function progress({ recipient_count: all, waiting_count: waiting }) {
	const width = all ? (100 * (all - waiting)) / all : 0;
	return $('<div class="progress mb-3" role="progressbar">')
		.attr({ "aria-valuenow": Math.round(width), "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": __("Mails sent") })
		.append($('<div class="progress-bar">').css("width", `${width}%`));
}
