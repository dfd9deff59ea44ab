"""Campaigns by e-mail: what a mailing would be, sending it, and what became of it (EML-1).

Every method is for users. Who may do what follows from their permission on Campaign Mailing; recipients are what they may read of
leads and contacts. Recipients themselves ask at addresses of their own (`email.doorway`).
"""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.email import figures, preparing, sending
from trackflow.email.mailings import MAILING
from trackflow.validation import plain_text, readable

Row = dict[str, Any]


@frappe.whitelist(methods=["GET"])
def preview(mailing: str) -> Row:
	"""The mail of the first recipient as it would be, how many recipients there are, and what is doubtful."""
	return preparing.preview(_editable(mailing))


@frappe.whitelist(methods=["POST"])
def send_test(mailing: str, to: str | None = None) -> dict[str, str]:
	"""Send the first recipient's mail to a user of the site, by default to oneself."""
	doc = _editable(mailing)
	address = plain_text(to, "to").strip() or frappe.db.get_value("User", frappe.session.user, "email") or ""
	if not frappe.db.exists("User", {"email": address, "enabled": 1}):
		frappe.throw(_("Test mails go to users of this site."))
	preparing.send_test(doc, address)
	return {"to": address}


@frappe.whitelist(methods=["POST"])
def send(mailing: str) -> Row:
	"""Begin to send a mailing, or go on after a pause; at its time where it has one."""
	doc = _editable(mailing)
	frappe.db.get_value(MAILING, doc.name, "status", for_update=True)
	doc.reload()
	sending.start(doc)
	return {"status": sending.SENDING}


@frappe.whitelist(methods=["POST"])
def pause(mailing: str) -> Row:
	"""Send no more; what is in the queue already arrives."""
	sending.pause(_editable(mailing).name)
	return {"status": sending.PAUSED}


@frappe.whitelist(methods=["GET"])
def get_statistics(mailing: str | None = None, campaign: str | None = None) -> Row:
	"""What became of a mailing, or of all mailings of a Link Campaign: counts and shares as of now."""
	if campaign:
		frappe.has_permission(MAILING, "read", throw=True)
		return figures.of_campaign(readable("Link Campaign", campaign).name)
	doc = readable(MAILING, mailing)
	return {**figures.stored_or_counted(doc.name), "status": doc.status, "message": doc.message}


def _editable(name: str) -> Document:
	frappe.has_permission(MAILING, "write", throw=True)
	doc = frappe.get_doc(MAILING, plain_text(name, "mailing"))
	doc.check_permission("write")
	return doc
