"""CRM Lead: finds its visitor, records the Lead conversion, keeps its TrackFlow fields (CRM-1, CRM-2, CRM-3, CRM-5).

The hooks only pick out what came with the document and let it wait; a job does the work after the commit, for many leads at
once.
"""

from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk
from trackflow.attribution import run
from trackflow.collisions import retried
from trackflow.exceptions import UnknownVisitorError
from trackflow.integrations import lead_ads, status_changes, summary, visitor_reference, waiting
from trackflow.integrations.renames import rename
from trackflow.integrations.shield import shielded
from trackflow.jobs import enqueue
from trackflow.privacy import reads
from trackflow.runs import recorded
from trackflow.times import iso
from trackflow.tracking import campaigns, conversions, identity, people
from trackflow.webhooks import messages, outbox

Row = dict[str, Any]

DOCTYPE = "CRM Lead"
CONVERSION = "Lead"
RELEVANT = ("email", visitor_reference.FIELD)
TOUCH_FIELDS = ("occurred_at", "channel", "platform", "source", "medium", "campaign", "tracked_link")


def before_validate(doc: Document, method: str | None = None) -> None:
	if visitor_reference.is_strange(doc):
		_clean(doc, method)


@shielded
def _clean(doc: Document, method: str | None = None) -> None:
	visitor_reference.clean(doc)


def on_update(doc: Document, method: str | None = None) -> None:
	"""A save that says nothing new to us costs it no statement."""
	if status_changes.is_changed(doc) or _is_news(doc):
		_note(doc, method)


@shielded
def _note(doc: Document, method: str | None = None) -> None:
	status_changes.note_lead(doc)
	if _is_news(doc):
		waiting.add(doc.name, "" if doc.get_doc_before_save() else visitor_reference.given_with(doc))


def _is_news(doc: Document) -> bool:
	"""Whether the lead is new, or may be another visitor's now."""
	before = doc.get_doc_before_save()
	return not before or not bulk.same({name: doc.get(name) for name in RELEVANT}, before)


@shielded
def on_trash(doc: Document, method: str | None = None) -> None:
	"""The visitors stay, as strangers again; what they brought stays in the totals."""
	visitor = frappe.qb.DocType("Visitor")
	frappe.qb.update(visitor).set(visitor.crm_lead, None).where(visitor.crm_lead == doc.name).run()


@shielded
def after_rename(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
	waiting.rename(old, new)
	rename(
		doc.doctype,
		{
			"Visitor": "crm_lead",
			"Conversion": "crm_lead",
			status_changes.LEADS: "lead_id",
			status_changes.DEALS: "lead_id",
		},
		old,
		new,
	)


@recorded
def attribute_waiting() -> int:
	"""Job: attribute the leads that wait; returns how many there were."""
	return waiting.work_off(attribute_all)


def attribute(lead: str, reference: str = "") -> None:
	"""`attribute_all` for one; `reference` is what it came with, else its field counts."""
	attribute_all({lead: reference})


@retried
def attribute_all(references: Mapping[str, str]) -> None:
	"""Find the visitors of leads (references by lead), record their Lead conversions, credit them; the leads' fields follow
	from the credits. A handful of statements, whatever the number of leads."""
	visitor_reference.catch_up()
	frappe.db.commit()
	# Locked by the transaction's first read: of two jobs at once the later one sees what the earlier one stored.
	stored = bulk.lock(DOCTYPE, references, ("creation", "email", visitor_reference.FIELD))
	leads = {
		name: row for name, row in stored.items() if row[visitor_reference.FIELD] != visitor_reference.ERASED
	}
	if not leads:
		return
	visitors = _find(leads, references)
	names = conversions.record_all(
		CONVERSION,
		{
			name: {
				"visitor": visitors.get(name),
				"conversion_date": row.creation,
				"source_doctype": DOCTYPE,
				"source_name": name,
				"crm_lead": name,
				"lead_created_at": row.creation,
			}
			for name, row in leads.items()
		},
	)
	run.credit(names)


def after_credits(names: list[str]) -> None:
	"""Set the fields of the leads behind these conversions."""
	rows = frappe.get_all(
		"Conversion",
		filters={"name": ("in", names), "source_doctype": DOCTYPE, "conversion_type": CONVERSION},
		fields=list(run.journeys.CONVERSION_FIELDS),
		order_by="name",
	)
	gone = visitor_reference.erased(DOCTYPE, [row.source_name for row in rows])
	rows = [row for row in rows if row.source_name not in gone]
	found = summary.summarise_all(rows)
	fields = {row.source_name: found[row.name].fields for row in rows if row.name in found}
	ads = ads_of({row.source_name for row in rows if row.name in found and not found[row.name].touches})
	fields = {name: values | ads.get(name, {}) for name, values in fields.items()}
	if changed := summary.set_all(DOCTYPE, fields):
		outbox.tell(
			"lead.attributed",
			lambda zone: {name: messages.lead(name, row, zone) for name, row in changed.items()},
		)
	status_changes.follow(status_changes.LEADS, fields)


def ads_of(leads: Collection[str]) -> dict[str, Row]:
	"""What leads that came by a form on Facebook say of its ad, as our fields."""
	meta = frappe.get_meta(DOCTYPE)
	if not meta.has_field(lead_ads.LEAD_ID):
		return {}
	rows = bulk.load(
		DOCTYPE, {"name": ("in", leads)}, [one for one in lead_ads.FIELDS if meta.has_field(one)]
	)
	ids = {name: some for name, row in rows.items() if (some := lead_ads.ad_ids(row)) is not None}
	known = campaigns.found({name: (some, "") for name, some in ids.items()})
	return {name: lead_ads.our_fields(some, known.get(name, "")) for name, some in ids.items()}


@frappe.whitelist(methods=["GET"])
def get_lead_tracking_data(lead: str = "") -> dict[str, Any]:
	"""The lead's visitors, touch points and conversion with its credits under the default model (CRM-3); for who may see what
	its person did (ROL-P)."""
	check(lead, visitor_reference.permission_for_data())
	visitors, zone = sorted(visitors_of(lead)), ZoneInfo(get_system_timezone())
	reads.note("Visitor", *visitors)
	return {
		"lead": lead,
		"visitors": visitors,
		"touch_points": [
			{**touch, "occurred_at": iso(touch.occurred_at, zone)} for touch in _touches_of(visitors)
		],
		"credits": _credits(lead),
	}


def _touches_of(visitors: list[str]) -> list[Row]:
	"""All touch points of these visitors, oldest first."""
	if not visitors:
		return []
	return frappe.get_all(
		"Touch Point",
		filters={"visitor_id": ("in", visitors)},
		fields=["name", "visitor_id", *TOUCH_FIELDS],
		order_by="occurred_at, name",
	)


@frappe.whitelist(methods=["POST"])
def link_visitor_to_lead(lead: str = "", visitor_id: str = "") -> dict[str, Any]:
	"""Say that a visitor is this lead's person; its credits are computed again (CRM-3)."""
	check(lead, "write")
	former = _known(visitor_id)
	if frappe.db.get_value(DOCTYPE, lead, visitor_reference.FIELD) == visitor_reference.ERASED:
		frappe.throw(
			_("The tracking data of lead {0} were erased. Empty its field Visitor first.").format(lead)
		)
	if identity.is_erased(visitor_id):
		frappe.throw(_("Visitor {0} was erased.").format(visitor_id))
	frappe.db.set_value("Visitor", visitor_id, "crm_lead", lead, update_modified=False)
	if not frappe.db.get_value(DOCTYPE, lead, visitor_reference.FIELD):
		summary.set_fields(DOCTYPE, lead, {visitor_reference.FIELD: visitor_id})
	_recompute({lead, former})
	return {"lead": lead, "visitors": sorted(visitors_of(lead))}


@frappe.whitelist(methods=["POST"])
def unlink_visitor_from_lead(lead: str = "", visitor_id: str = "") -> dict[str, Any]:
	"""Say that a visitor is not this lead's person; its credits are computed again (CRM-3)."""
	check(lead, "write")
	if _known(visitor_id) == lead:
		frappe.db.set_value("Visitor", visitor_id, "crm_lead", None, update_modified=False)
	if frappe.db.get_value(DOCTYPE, lead, visitor_reference.FIELD) == visitor_id:
		others = sorted(visitors_of(lead) - {visitor_id})
		summary.set_fields(DOCTYPE, lead, {visitor_reference.FIELD: others[0] if others else None})
	_recompute({lead})
	return {"lead": lead, "visitors": sorted(visitors_of(lead))}


def check(lead: str, permission: str) -> None:
	"""Raise unless the user has the permission on leads and on this one, which must exist."""
	frappe.has_permission(DOCTYPE, permission, throw=True)
	if not frappe.db.exists(DOCTYPE, lead):
		frappe.throw(_("There is no lead {0}.").format(lead), frappe.DoesNotExistError)
	frappe.has_permission(DOCTYPE, permission, doc=lead, throw=True)


def _known(visitor_id: str) -> str | None:
	"""The lead that the visitor belongs to. Raises where there is no such visitor."""
	row = frappe.db.get_value("Visitor", visitor_id, ["name", "crm_lead"], as_dict=True)
	if not row:
		frappe.throw(_("There is no visitor {0}.").format(visitor_id), UnknownVisitorError)
	return row.crm_lead


def visitors_of(lead: str) -> set[str]:
	"""The visitors of the lead's person."""
	own = frappe.db.get_value(DOCTYPE, lead, visitor_reference.FIELD)
	return people.of_leads([lead]).get(lead, set()) | people.of_visitors([own]).get(own, set())


def _find(leads: Mapping[str, Row], references: Mapping[str, str]) -> dict[str, str]:
	"""The visitors of locked leads, which are told of each other."""
	known = {name: row[visitor_reference.FIELD] or "" for name, row in leads.items()}
	asked = {
		name: visitor_reference.Asked(known[name] or references[name], row.email, row.creation)
		for name, row in leads.items()
	}
	# What came with a lead that has its visitor may name another browser of the same person.
	besides = {
		name: visitor_reference.Asked(references[name], None, row.creation)
		for name, row in leads.items()
		if known[name] and references[name] not in ("", known[name])
	}
	found, others = visitor_reference.find(asked), visitor_reference.find(besides)
	visitors = {name: some[0] for name, some in found.items() if some}
	_belong({name: [*found[name], *others.get(name, ())] for name in visitors}, leads)
	summary.set_all(DOCTYPE, {name: {visitor_reference.FIELD: one} for name, one in visitors.items()})
	return visitors


def _belong(visitors: Mapping[str, list[str]], leads: Mapping[str, Row]) -> None:
	"""A visitor belongs to the first lead that it became; another browser user is a matter for people, not for guesses."""
	found = {one for some in visitors.values() for one in some}
	stored = bulk.load("Visitor", {"name": ("in", found)}, ["crm_lead", "contact_email"])
	owners: dict[str, Row] = {}
	for lead in sorted(visitors, key=lambda name: (leads[name].creation, name)):
		for one in visitors[lead]:
			if one in stored and not stored[one].crm_lead:
				owners.setdefault(one, {"crm_lead": lead})
	bulk.update("Visitor", owners)
	# Who said an address before is told of already.
	new, now = [one for one in owners if not stored[one].contact_email], now_datetime()
	if new:
		outbox.tell(
			"visitor.identified",
			lambda zone: {one: messages.identified(one, "lead", now, zone) for one in new},
		)


def _recompute(leads: set[str | None]) -> None:
	now, known = now_datetime(), {lead for lead in leads if lead}
	conversions.pend(known)
	for lead in sorted(known):
		waiting.add(lead)
		for deal in frappe.get_all("CRM Deal", filters={"lead": lead}, pluck="name", order_by="name"):
			enqueue("trackflow.integrations.crm_deal.attribute", job_id=f"deal::{deal}::{now}", deal=deal)


def _credits(lead: str) -> list[dict[str, Any]]:
	model = summary.default_model()
	if not model:
		return []
	name = conversions.of_source(CONVERSION, DOCTYPE, lead)
	rows = frappe.get_all(
		"Attribution Link",
		filters={"conversion": name or "", "attribution_model": model.name},
		fields=["touch_point", "position", "touch_count", "weight", "channel", "campaign", "tracked_link"],
		order_by="position",
	)
	return [{**row, "attribution_model": model.name} for row in rows]
