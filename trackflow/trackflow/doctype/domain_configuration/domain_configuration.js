frappe.ui.form.on("Domain Configuration", {
	refresh(frm) {
		if (!frm.is_new()) show_tag(frm);
	},
});

async function show_tag(frm) {
	const found = await trackflow.desk.ask(frm, "domains.get_script_tag", { domain: frm.doc.name });
	if (!found) return;
	const said = [
		__("Put this into every page of the website once, anywhere in it."),
		found.has_banner
			? __("The first line follows the settings by itself. The second is the consent banner with its texts: copy it again when they change.")
			: __("It follows the settings by itself."),
		__("A website with a strict Content-Security-Policy allows {0} in script-src and connect-src.", [found.origin]),
	];
	if (!found.enabled) {
		said.unshift(__("What this website sends is refused for now: this domain, or tracking as a whole, is switched off."));
	}
	trackflow.desk.section(
		frm,
		"trackflow-tag",
		__("Tag for the Website"),
		trackflow.desk.copyable(found.tag, __("Copy")),
		$('<div class="text-muted small">').append(trackflow.desk.sentences(said))
	);
}
