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
	"""The reference that came with a new document: its field, a form value beside it, a signed click id, or the guest who
	sends a Web Form. It may name two visitors, with a blank between them: see `_submitter`."""
	form = frappe.form_dict if frappe.request else {}
	given = doc.get(FIELD) or form.get(FIELD) or form.get(CLICK_PARAMETER)
	return str(given or _submitter() or "")[:140]


def resolve(reference: str, email: str | None, at: datetime) -> str | None:
	"""The visitor of a document made at `at`: the one referred to, of two the one whom marketing brought; else the one who
	gave that e-mail address last. One who was not seen within the attribution window is ignored."""
	return next(iter(named(reference, at)), None) or _identified(email, _since(at))


def named(reference: str, at: datetime) -> list[str]:
	"""The visitors that a reference names, as far as they were seen within the attribution window before `at`. Beside one
	whom marketing brought, one who came directly is left out: it is the same visit, which lost its parameters."""
	since = _since(at)
	found = [one for one in (_seen_since(_visitor_of(part), since) for part in reference.split()) if one]
	return _brought(found, since) or found


def catch_up() -> None:
	"""Store what still waits on the stream: the visit that became this lead may be seconds old."""
	try:
		drain(max_seconds=60)
	except StreamUnavailable:
		frappe.logger("trackflow").warning("Attributing without what may still be on the stream")


def _submitter() -> str:
	"""The visitor who sends a Web Form; "" for anybody who is logged in, and for whom privacy keeps us from knowing.

	On the site's own host a browser can be two visitors: the one of its script, and one of a cookie that a short link set,
	which scripts cannot read. A landing with its click's parameters joins them; a page that lost these does not.
	"""
	if not frappe.flags.in_web_form or not frappe.request or not _is_guest():
		return ""
	incoming, config = Incoming.of(frappe.request), get_config()
	if not config.enabled:
		return ""
	caller = recognise(incoming, config, config.domain_of(incoming.host), day_key, sets_cookie=False)
	# As with a hidden field: the script names nobody who has not agreed, on whatever website that was.
	told = incoming.headers.get(HEADER, "")
	visitors = (told, "" if caller.is_cookieless else caller.visitor_id)
	return " ".join(dict.fromkeys(one for one in visitors if identity.is_visitor_id(one)))


def _is_guest() -> bool:
	"""By the session too: where a form is anonymous, Frappe calls people who are logged in Guest meanwhile."""
	return frappe.session.user == "Guest" and frappe.session.sid == "Guest"


def _visitor_of(reference: str) -> str | None:
	if identity.is_visitor_id(reference):
		return reference
	click_id = identity.read_click(reference, click_secret()) if reference else None
	visitor_id = frappe.db.get_value("Click Event", click_id, "visitor_id") if click_id else None
	return visitor_id if identity.is_visitor_id(visitor_id) else None


def _since(at: datetime) -> datetime:
	return at - timedelta(days=get_config().attribution_window_days)


def _brought(visitors: list[str], since: datetime) -> list[str]:
	"""Those of several visitors who have a touch point that is not direct."""
	if len(visitors) < 2:
		return visitors
	filters = {"visitor_id": ("in", visitors), "is_direct": 0, "occurred_at": (">=", since)}
	found = set(frappe.get_all("Touch Point", filters=filters, pluck="visitor_id", order_by="name"))
	return [one for one in visitors if one in found]


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
