"""Finds the visitor that a CRM document refers to (CRM-2).

By the document's field, a form value that came beside it, a click id, or an e-mail address that a visitor gave. Never by
the cookie of the request: whoever saves a lead is staff as often as not.
"""

from datetime import datetime, timedelta

import frappe
from frappe.model.document import Document

from trackflow.config import get_config
from trackflow.exceptions import StreamUnavailable
from trackflow.keys import click_secret
from trackflow.stream.drain import drain
from trackflow.tracking import identity
from trackflow.tracking.parameters import CLICK_PARAMETER

FIELD = "trackflow_visitor_id"
# Stands there on leads and deals whose tracking data were erased: they are not attributed again.
ERASED = "erased"


def clean(doc: Document) -> None:
	"""Drop a reference that cannot be one, before it can fail the document's own checks."""
	reference = doc.get(FIELD)
	if reference == ERASED and _was_erased(doc):
		return
	if reference and not identity.is_visitor_id(str(reference)):
		doc.set(FIELD, None)


def _was_erased(doc: Document) -> bool:
	"""The mark is ours to set, and nobody's who makes a lead."""
	if not doc.is_new() and frappe.db.get_value(doc.doctype, doc.name, FIELD) == ERASED:
		return True
	return _is_lead_erased(doc)


def is_erased(doc: Document) -> bool:
	"""Whether the tracking data of a lead or deal were erased; a deal goes with its lead."""
	return doc.get(FIELD) == ERASED or _is_lead_erased(doc)


def _is_lead_erased(doc: Document) -> bool:
	lead = doc.get("lead") if doc.doctype == "CRM Deal" else None
	return bool(lead) and frappe.db.get_value("CRM Lead", lead, FIELD) == ERASED


def given_with(doc: Document) -> str:
	"""The reference that came with a new document: its field, a form value beside it, or a signed click id."""
	form = frappe.form_dict if frappe.request else {}
	return str(doc.get(FIELD) or form.get(FIELD) or form.get(CLICK_PARAMETER) or "")[:140]


def resolve(reference: str, email: str | None, at: datetime) -> str | None:
	"""The visitor of a document made at `at`: the one referred to, else the one who gave that e-mail address last. One who
	was not seen within the attribution window is ignored."""
	since = at - timedelta(days=get_config().attribution_window_days)
	return _seen_since(_visitor_of(reference), since) or _identified(email, since)


def catch_up() -> None:
	"""Store what still waits on the stream: the visit that became this lead may be seconds old."""
	try:
		drain(max_seconds=60)
	except StreamUnavailable:
		frappe.logger("trackflow").warning("Attributing without what may still be on the stream")


def _visitor_of(reference: str) -> str | None:
	if identity.is_visitor_id(reference):
		return reference
	click_id = identity.read_click(reference, click_secret()) if reference else None
	visitor_id = frappe.db.get_value("Click Event", click_id, "visitor_id") if click_id else None
	return visitor_id if identity.is_visitor_id(visitor_id) else None


def _seen_since(visitor_id: str | None, since: datetime) -> str | None:
	if not visitor_id:
		return None
	return frappe.db.get_value("Visitor", {"name": visitor_id, "last_seen": (">=", since)})


def _identified(email: str | None, since: datetime) -> str | None:
	if not email:
		return None
	found = frappe.get_all(
		"Visitor",
		filters={"contact_email": email.strip().lower(), "last_seen": (">=", since)},
		pluck="name",
		order_by="last_seen desc, name",
		limit=1,
	)
	return found[0] if found else None
