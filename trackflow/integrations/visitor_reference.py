"""Finds the visitor that a document refers to (CRM-2, CRM-7).

By the document's field, a form value that came beside it, a click id, or an e-mail address that a visitor gave; of what a
guest sends by a Web Form, by its page's word for who that is, else by the guest's own cookie. Never by the cookie of
somebody who is logged in: whoever saves a lead is staff as often as not.
"""

from datetime import datetime, timedelta

import frappe
from frappe.model.document import Document

from trackflow.config import get_config
from trackflow.exceptions import StreamUnavailable
from trackflow.incoming import Incoming, recognise
from trackflow.keys import click_secret, day_key
from trackflow.stream.drain import drain
from trackflow.tracking import identity
from trackflow.tracking.parameters import CLICK_PARAMETER

FIELD = "trackflow_visitor_id"
# What trackflow-forms.js puts beside a Web Form's fields: Frappe drops whatever is no field of the form.
HEADER = "x-trackflow-visitor"


def clean(doc: Document) -> None:
	"""Drop a reference that cannot be one, before it can fail the document's own checks."""
	reference = doc.get(FIELD)
	if reference and not identity.is_visitor_id(str(reference)):
		doc.set(FIELD, None)


def given_with(doc: Document) -> str:
	"""The reference that came with a new document: its field, a form value beside it, a signed click id, or the guest who
	sends a Web Form."""
	form = frappe.form_dict if frappe.request else {}
	given = doc.get(FIELD) or form.get(FIELD) or form.get(CLICK_PARAMETER)
	return str(given or _submitter() or "")[:140]


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


def _submitter() -> str:
	"""The visitor who sends a Web Form; "" for anybody who is logged in, and for whom privacy keeps us from knowing."""
	if not frappe.flags.in_web_form or not frappe.request or not _is_guest():
		return ""
	incoming, config = Incoming.of(frappe.request), get_config()
	if not config.enabled:
		return ""
	told = incoming.headers.get(HEADER, "")
	if identity.is_visitor_id(told):
		# As with a hidden field: the script names nobody who has not agreed, on whatever website that was.
		return told
	caller = recognise(incoming, config, config.domain_of(incoming.host), day_key, sets_cookie=False)
	return "" if caller.is_cookieless else caller.visitor_id


def _is_guest() -> bool:
	"""By the session too: where a form is anonymous, Frappe calls people who are logged in Guest meanwhile."""
	return frappe.session.user == "Guest" and frappe.session.sid == "Guest"


def _visitor_of(reference: str) -> str | None:
	if identity.is_visitor_id(reference):
		return reference
	click_id = identity.read_click(reference, click_secret()) if reference else None
	return frappe.db.get_value("Click Event", click_id, "visitor_id") if click_id else None


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
