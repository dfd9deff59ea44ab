"""CRM Deal: its stages, its Deal Won conversion, its TrackFlow fields (CRM-1, CRM-4, CRM-5).

Won makes the conversion, anything else takes it back; a changed value or lead is credited anew.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_datetime, now_datetime

from trackflow import bulk
from trackflow.attribution import journeys, run
from trackflow.collisions import retried
from trackflow.costs.rates import reporting_currency
from trackflow.integrations import crm_lead, crm_organization, status_changes, summary, visitor_reference
from trackflow.integrations.renames import rename
from trackflow.integrations.shield import shielded
from trackflow.integrations.summary import Summary
from trackflow.jobs import enqueue
from trackflow.runs import recorded
from trackflow.tracking import conversions, people
from trackflow.webhooks import messages, outbox

Row = dict[str, Any]

DOCTYPE = "CRM Deal"
CONVERSION = "Deal Won"
WON = "deal.won"
DEAL_ROWS = ("Deal Attribution", "Deal Link Association", "Deal Stage Change")
RELEVANT = (
	"status", "lead", "currency", "deal_value", "annual_revenue", "organization", visitor_reference.FIELD,
)  # fmt: skip


def before_validate(doc: Document, method: str | None = None) -> None:
	if visitor_reference.is_strange(doc):
		_clean(doc, method)


@shielded
def _clean(doc: Document, method: str | None = None) -> None:
	visitor_reference.clean(doc)


def on_update(doc: Document, method: str | None = None) -> None:
	"""A save that says nothing new to us costs it no statement. A new status is among what is relevant."""
	before = doc.get_doc_before_save()
	if not before or not bulk.same({name: doc.get(name) for name in RELEVANT}, before):
		_note(doc, method)


@shielded
def _note(doc: Document, method: str | None = None) -> None:
	status_changes.note_deal(doc)
	queue(doc.name, doc.modified, "" if doc.get_doc_before_save() else visitor_reference.given_with(doc))


def queue(deal: str, version: object, reference: str = "") -> None:
	"""Queue the attribution of a deal as it is in `version`; `reference` is what it came with, else its field counts."""
	enqueue(
		"trackflow.integrations.crm_deal.attribute",
		job_id=f"deal::{deal}::{version}",
		deal=deal,
		reference=reference,
	)


@retried
@recorded
def attribute(deal: str, reference: str = "") -> None:
	"""Job: record the won deal's conversion and credit it, or take it back; then set the deal's fields.

	The deal is locked by the transaction's first read and until its conversion is stored or gone: of two jobs at once the
	later one sees the deal as it is, and has the last word.
	"""
	visitor_reference.catch_up()
	frappe.db.commit()
	try:
		doc = frappe.get_doc(DOCTYPE, deal, for_update=True)
	except frappe.DoesNotExistError:
		return
	if visitor_reference.is_erased(doc):
		return
	if is_won(doc.status):
		row = _conversion(doc, won_at(doc), reference)
		is_told = outbox.subscribers(WON) and not conversions.of_source(CONVERSION, DOCTYPE, deal)
		names = conversions.record_all(CONVERSION, {deal: row})
		if is_told and names:
			outbox.tell(WON, lambda zone: {deal: messages.deal(deal, row, zone)})
		run.credit(names)
		return
	if conversion := conversions.of_source(CONVERSION, DOCTYPE, deal):
		run.take_back(conversion)
	row = {"name": deal, **_conversion(doc, now_datetime(), reference)}
	if found := summary.summarise(row):
		_set_fields(doc, row, found)


@shielded
def after_rename(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
	rename(doc.doctype, {"Conversion": "crm_deal", **dict.fromkeys(DEAL_ROWS, "deal_id")}, old, new)


def after_credits(names: list[str]) -> None:
	"""Set the fields of the deals behind these conversions."""
	rows = frappe.get_all(
		"Conversion",
		filters={"name": ("in", names), "source_doctype": DOCTYPE, "conversion_type": CONVERSION},
		fields=list(journeys.CONVERSION_FIELDS),
		order_by="name",
	)
	names = {row.crm_deal for row in rows if row.crm_deal}
	deals = bulk.load(DOCTYPE, {"name": ("in", names)}, ["organization", "lead"])
	gone = visitor_reference.erased(DOCTYPE, deals)
	rows = [row for row in rows if row.crm_deal in deals and row.crm_deal not in gone]
	found = summary.summarise_all(rows)
	for row in rows:
		if row.name in found:
			_set_fields(deals[row.crm_deal], row, found[row.name])


def check(deal: str, permission: str) -> None:
	"""Raise unless the user has the permission on deals and on this one, which must exist."""
	frappe.has_permission(DOCTYPE, permission, throw=True)
	if not frappe.db.exists(DOCTYPE, deal):
		frappe.throw(_("There is no deal {0}.").format(deal), frappe.DoesNotExistError)
	frappe.has_permission(DOCTYPE, permission, doc=deal, throw=True)


def visitors_of(deal: str) -> set[str]:
	"""The visitors of the deal's person: its own, and those of its lead."""
	row = frappe.db.get_value(DOCTYPE, deal, ["lead", visitor_reference.FIELD], as_dict=True)
	own = row[visitor_reference.FIELD]
	return people.of_visitors([own]).get(own, set()) | (crm_lead.visitors_of(row.lead) if row.lead else set())


def is_won(status: str | None) -> bool:
	"""Whether a deal's status means won: by its type where the CRM version has one, else by its name."""
	if frappe.get_meta("CRM Deal Status").has_field("type"):
		return frappe.db.get_value("CRM Deal Status", status, "type") == "Won"
	return status == "Won"


def _conversion(doc: Document, at: datetime, reference: str) -> Row:
	lead = frappe.db.get_value(
		"CRM Lead", doc.lead, ["name", "creation", visitor_reference.FIELD], as_dict=True
	)
	given = visitor_reference.resolve(doc.get(visitor_reference.FIELD) or reference, None, at)
	return {
		"visitor": given or (lead[visitor_reference.FIELD] if lead else None),
		"value": doc.get(value_field()) or 0,
		"currency": doc.get("currency") or currency_of_crm(),
		"conversion_date": at,
		"source_doctype": DOCTYPE,
		"source_name": doc.name,
		"crm_lead": lead.name if lead else None,
		"crm_deal": doc.name,
		"lead_created_at": get_datetime(lead.creation) if lead else None,
		"deal_created_at": get_datetime(doc.creation),
	}


def currency_of_crm() -> str:
	"""The currency of deals that name none, as CRM shows them."""
	settings = "FCRM Settings"
	has_one = frappe.db.exists("DocType", settings) and frappe.get_meta(settings).has_field("currency")
	own = frappe.db.get_single_value(settings, "currency") if has_one else None
	return own or frappe.db.get_default("currency") or reporting_currency()


def value_field() -> str:
	"""The field that holds a deal's value in the installed version."""
	return "deal_value" if frappe.get_meta(DOCTYPE).has_field("deal_value") else "annual_revenue"


def won_at(doc: Document) -> datetime:
	"""When the deal reached its present stage. Where no change tells (it was won before TrackFlow came, or the change was deleted by
	its age), what its conversion says; without one, when it was last saved, unless its conversion may be nobody's by now."""
	since = frappe.get_all(
		"Deal Stage Change",
		filters={"deal_id": doc.name, "to_stage": doc.status},
		pluck="change_date",
		order_by="change_date desc",
		limit=1,
	)
	if since:
		return since[0]
	if conversion := conversions.of_source(CONVERSION, DOCTYPE, doc.name):
		return frappe.db.get_value("Conversion", conversion, "conversion_date")
	made = get_datetime(doc.creation)
	return made if conversions.is_past(made) else get_datetime(doc.modified)


def _set_fields(deal: Mapping[str, Any] | Document, conversion: Row, found: Summary) -> None:
	touches, lead, visitor = found.touches, conversion["crm_lead"], conversion["visitor"]
	ad = crm_lead.ads_of([lead]).get(lead, {}) if lead and not touches else {}
	summary.set_fields(
		DOCTYPE,
		conversion["crm_deal"],
		{
			**found.fields,
			**ad,
			visitor_reference.FIELD: visitor,
			"trackflow_attribution_model": found.model,
			"trackflow_first_touch_source": touches[0].source if touches else None,
			"trackflow_last_touch_source": touches[-1].source if touches else None,
			"trackflow_marketing_influenced": int(found.is_influenced),
		},
	)
	status_changes.follow(
		status_changes.DEALS, {conversion["crm_deal"]: {**found.fields, **ad, "lead": deal.get("lead")}}
	)
	crm_organization.update(deal.get("organization"), visitor, found)
