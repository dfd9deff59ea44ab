"""The login form; afterwards it goes to an address of this site, never to another one's."""

import frappe

no_cache = 1


def get_context(context: frappe._dict) -> None:
	target = frappe.form_dict.get("redirect-to") or "/"
	is_own = target.startswith("/") and not target.startswith(("//", "/\\"))
	context.redirect_to = target.replace("<", "%3C") if is_own else "/"
