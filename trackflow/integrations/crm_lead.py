"""CRM Lead: finds its visitor, records the Lead conversion, keeps its TrackFlow fields (CRM-1, CRM-2, CRM-3, CRM-5).

The hooks only pick out what came with the document and queue a job; the job does the work after the commit.
"""

from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_datetime, get_system_timezone, now_datetime

from trackflow.attribution import run
from trackflow.collisions import retried
from trackflow.exceptions import UnknownVisitorError
from trackflow.integrations import status_changes, summary, visitor_reference
from trackflow.integrations.renames import rename
from trackflow.integrations.shield import shielded
from trackflow.jobs import enqueue
from trackflow.privacy import reads
from trackflow.times import iso
from trackflow.tracking import conversions, identity, people

DOCTYPE = "CRM Lead"
CONVERSION = "Lead"
TOUCH_FIELDS = ("occurred_at", "channel", "platform", "source", "medium", "campaign", "tracked_link")


@shielded
def before_validate(doc: Document, method: str | None = None) -> None:
	visitor_reference.clean(doc)


@shielded
def on_update(doc: Document, method: str | None = None) -> None:
	status_changes.note_lead(doc)
	before = doc.get_doc_before_save()
	if not before:
		queue(doc.name, doc.modified, visitor_reference.given_with(doc))
	elif any(doc.get(name) != before.get(name) for name in (visitor_reference.FIELD, "email")):
		queue(doc.name, doc.modified)


@shielded
def on_trash(doc: Document, method: str | None = None) -> None:
	"""The visitors stay, as strangers again; what they brought stays in the totals."""
	visitor = frappe.qb.DocType("Visitor")
	frappe.qb.update(visitor).set(visitor.crm_lead, None).where(visitor.crm_lead == doc.name).run()


@shielded
def after_rename(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
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


def queue(lead: str, version: object, reference: str = "") -> None:
	"""Queue the attribution of a lead as it is in `version`; `reference` is what it came with, else its field counts."""
	enqueue(
		"trackflow.integrations.crm_lead.attribute",
		job_id=f"lead::{lead}::{version}",
		lead=lead,
		reference=reference,
	)


@retried
def attribute(lead: str, reference: str = "") -> None:
	"""Job: find the lead's visitor, record the Lead conversion, credit it; the fields follow from the credits."""
	visitor_reference.catch_up()
	frappe.db.commit()
	try:
		# Locked by the transaction's first read: of two jobs at once the later one sees what the earlier one stored.
		doc = frappe.get_doc(DOCTYPE, lead, for_update=True)
	except frappe.DoesNotExistError:
		return
	if visitor_reference.is_erased(doc):
		return
	created = get_datetime(doc.creation)
	known = doc.get(visitor_reference.FIELD)
	visitor = visitor_reference.resolve(known or reference, doc.get("email"), created)
	if visitor:
		for one in {visitor, *visitor_reference.named(reference, created)}:
			_belong(one, lead)
		summary.set_fields(DOCTYPE, lead, {visitor_reference.FIELD: visitor})
	name = conversions.record(
		CONVERSION,
		lead,
		{
			"visitor": visitor,
			"conversion_date": created,
			"source_doctype": DOCTYPE,
			"source_name": lead,
			"crm_lead": lead,
			"lead_created_at": created,
		},
	)
	run.credit([name])


def after_credits(names: list[str]) -> None:
	"""Set the fields of the leads behind these conversions."""
	for conversion in frappe.get_all(
		"Conversion",
		filters={"name": ("in", names), "source_doctype": DOCTYPE, "conversion_type": CONVERSION},
		fields=list(run.journeys.CONVERSION_FIELDS),
		order_by="name",
	):
		found = summary.summarise(conversion)
		is_erased = (
			frappe.db.get_value(DOCTYPE, conversion.source_name, visitor_reference.FIELD)
			== visitor_reference.ERASED
		)
		if found and not is_erased:
			summary.set_fields(DOCTYPE, conversion.source_name, found.fields)
			status_changes.follow(status_changes.LEADS, conversion.source_name, found.fields)


@frappe.whitelist(methods=["GET"])
def get_lead_tracking_data(lead: str = "") -> dict[str, Any]:
	"""The lead's visitors, touch points and conversion with its credits under the default model (CRM-3)."""
	check(lead, "read")
	visitors, zone = sorted(visitors_of(lead)), ZoneInfo(get_system_timezone())
	reads.note("Visitor", *visitors)
	touches = frappe.get_all(
		"Touch Point",
		filters={"visitor_id": ("in", visitors or [""])},
		fields=["name", "visitor_id", *TOUCH_FIELDS],
		order_by="occurred_at, name",
	)
	return {
		"lead": lead,
		"visitors": visitors,
		"touch_points": [{**touch, "occurred_at": iso(touch.occurred_at, zone)} for touch in touches],
		"credits": _credits(lead),
	}


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


def _belong(visitor_id: str, lead: str) -> None:
	"""A visitor belongs to the first lead that it became; another browser user is a matter for people, not for guesses."""
	if not frappe.db.get_value("Visitor", visitor_id, "crm_lead"):
		frappe.db.set_value("Visitor", visitor_id, "crm_lead", lead, update_modified=False)


def _recompute(leads: set[str | None]) -> None:
	now = now_datetime()
	for lead in sorted(filter(None, leads)):
		queue(lead, now)
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
