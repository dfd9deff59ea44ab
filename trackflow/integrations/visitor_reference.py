"""Finds the visitor that a document refers to (CRM-2, CRM-7).

By the document's field, a form value that came beside it, a click id, or an e-mail address that a visitor gave; of what a
guest sends by a Web Form, by its page's word for who that is, else by the guest's own cookie. Never by the cookie of
somebody who is logged in: whoever saves a lead is staff as often as not.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.model.document import Document

from trackflow import bulk
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


@dataclass(frozen=True, slots=True)
class Asked:
	"""What a document made at `at` says of its visitor."""

	reference: str
	email: str | None
	at: datetime


def is_strange(doc: Document) -> bool:
	"""Whether a document's reference cannot be one. Asks nobody: most documents have none, or a good one."""
	reference = doc.get(FIELD)
	return bool(reference) and not identity.is_visitor_id(str(reference))


def clean(doc: Document) -> None:
	"""Drop a strange reference, before it can fail the document's own checks."""
	if doc.get(FIELD) != ERASED or not _was_erased(doc):
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
	return bool(lead) and bool(erased("CRM Lead", [lead]))


def erased(doctype: str, names: Collection[str]) -> set[str]:
	"""Those of many leads or deals whose tracking data were erased; see `is_erased`."""
	fields = [FIELD, "lead"] if doctype == "CRM Deal" else [FIELD]
	rows = bulk.load(doctype, {"name": ("in", names)}, fields)
	leads = {row.lead for row in rows.values() if row.get("lead")}
	gone = erased("CRM Lead", leads) if leads else set()
	return {name for name, row in rows.items() if row[FIELD] == ERASED or row.get("lead") in gone}


def permission_for_data() -> str:
	"""The permission on a lead or deal that lets the user see what its person did. CRM lets everybody who is logged in read
	leads: this is for who works with them, or may read visitors anyway."""
	return "read" if frappe.has_permission("Visitor", "read") else "write"


def given_with(doc: Document) -> str:
	"""The reference that came with a new document: its field, a form value beside it, a signed click id, or the guest who
	sends a Web Form. It may name two visitors, with a blank between them: see `_submitter`."""
	form = frappe.form_dict if frappe.request else {}
	given = doc.get(FIELD) or form.get(FIELD) or form.get(CLICK_PARAMETER)
	return str(given or _submitter() or "")[:140]


def resolve(reference: str, email: str | None, at: datetime) -> str | None:
	"""The visitor of a document made at `at`: the one referred to, of two the one whom marketing brought; else the one who
	gave that e-mail address last. One who was not seen within the attribution window is ignored."""
	return next(iter(find({"": Asked(reference, email, at)})[""]), None)


def find(asked: Mapping[str, Asked]) -> dict[str, list[str]]:
	"""The visitors of many documents, the one to attribute first, by a handful of queries, whatever their number.

	Beside one whom marketing brought, one who came directly is left out: it is the same visit, which lost its parameters.
	"""
	window = timedelta(days=get_config().attribution_window_days)
	since = {key: one.at - window for key, one in asked.items()}
	named = _named({key: one.reference.split() for key, one in asked.items()}, since)
	left = {key: email for key, one in asked.items() if not named[key] and (email := _address(one.email))}
	return {**_brought(named, since), **_identified(left, since)}


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


def _named(parts: Mapping[str, list[str]], since: Mapping[str, datetime]) -> dict[str, list[str]]:
	"""The visitors that references name, as far as they were seen since."""
	visitor_of = _visitors_of({part for some in parts.values() for part in some})
	seen = bulk.load("Visitor", {"name": ("in", set(visitor_of.values()))}, ["last_seen"])
	return {
		key: [
			one for part in some if (one := visitor_of.get(part)) in seen and _is_since(seen[one], since[key])
		]
		for key, some in parts.items()
	}


def _visitors_of(parts: Collection[str]) -> dict[str, str]:
	"""The visitor id that each part of a reference is, or that its signed click had."""
	found = {part: part for part in parts if identity.is_visitor_id(part)}
	secret = click_secret() if len(found) < len(parts) else b""
	clicks = {
		part: click for part in parts if part not in found and (click := identity.read_click(part, secret))
	}
	rows = bulk.load("Click Event", {"name": ("in", set(clicks.values()))}, ["visitor_id"]) if clicks else {}
	for part, click in clicks.items():
		if click in rows and identity.is_visitor_id(rows[click].visitor_id):
			found[part] = rows[click].visitor_id
	return found


def _brought(named: Mapping[str, list[str]], since: Mapping[str, datetime]) -> dict[str, list[str]]:
	"""Of several visitors of one document those who have a touch point that is not direct; all where none has."""
	several = {key: visitors for key, visitors in named.items() if len(visitors) > 1}
	if not several:
		return dict(named)
	filters = {
		"visitor_id": ("in", {one for visitors in several.values() for one in visitors}),
		"is_direct": 0,
		"occurred_at": (">=", min(since[key] for key in several)),
	}
	last: dict[str, datetime] = {}
	for row in bulk.load("Touch Point", filters, ["visitor_id", "occurred_at"]).values():
		last[row.visitor_id] = max(row.occurred_at, last.get(row.visitor_id, row.occurred_at))
	brought = {
		key: [one for one in visitors if one in last and last[one] >= since[key]]
		for key, visitors in several.items()
	}
	return {key: brought.get(key) or visitors for key, visitors in named.items()}


def _identified(emails: Mapping[str, str], since: Mapping[str, datetime]) -> dict[str, list[str]]:
	"""The visitor who gave an address and was seen last; by name where two were seen at once."""
	if not emails:
		return {}
	found: dict[str, list[Any]] = defaultdict(list)
	for row in bulk.load(
		"Visitor", {"contact_email": ("in", set(emails.values()))}, ["contact_email", "last_seen"]
	).values():
		found[_address(row.contact_email)].append(row)
	last: dict[str, list[str]] = {}
	for key, email in emails.items():
		seen = [row for row in found[email] if _is_since(row, since[key])]
		last[key] = [max(seen, key=lambda row: row.last_seen).name] if seen else []
	return last


def _is_since(visitor: Any, since: datetime) -> bool:
	return bool(visitor.last_seen) and visitor.last_seen >= since


def _address(email: str | None) -> str:
	return (email or "").strip().lower()
