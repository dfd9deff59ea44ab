"""Frappe's Web Forms, and those of CRM's that are Web Forms underneath: a submission is a conversion (CRM-7).

Of the type that the form's goal names. A lead's form needs none: the lead is a conversion already. The hook takes notice of
the documents that forms make and queues a job; an edited document is no new submission. Works for any DocType, with CRM
and without it.
"""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import get_datetime

from trackflow.attribution import run
from trackflow.collisions import retried
from trackflow.config import get_config
from trackflow.constants.custom_fields import GOAL
from trackflow.integrations import crm_lead, visitor_reference
from trackflow.integrations.shield import shielded
from trackflow.jobs import enqueue
from trackflow.runs import recorded
from trackflow.tracking import conversions

DOCTYPE = "Web Form"
CONVERSION = "Form Submission"


def after_insert(doc: Document, method: str | None = None) -> None:
	"""Called for every document of the site: one that no form made costs it nothing."""
	if frappe.flags.in_web_form:
		_note(doc, method)


@shielded
def _note(doc: Document, method: str | None = None) -> None:
	form = (frappe.form_dict if frappe.request else {}).get("web_form") or ""
	found = frappe.db.get_value(DOCTYPE, str(form), ["doc_type", GOAL], as_dict=True)
	# Other documents that the same request makes (a contact, a comment, a file) are no submissions.
	if not found or found.doc_type != doc.doctype or doc.meta.issingle or not get_config().enabled:
		return
	if goal := _type_of(found[GOAL], doc.doctype):
		enqueue(
			"trackflow.integrations.web_form.convert",
			job_id=f"form::{doc.doctype}::{doc.name}::{doc.creation}",
			doctype=doc.doctype,
			name=doc.name,
			goal=goal,
			reference=visitor_reference.given_with(doc),
		)


@recorded
@retried
def convert(doctype: str, name: str, goal: str, reference: str) -> None:
	"""Job: record the submission that made this document as a conversion of the type `goal`, and credit it."""
	visitor_reference.catch_up()
	frappe.db.commit()
	try:
		# Locked by the transaction's first read, as conversions want it.
		doc = frappe.get_doc(doctype, name, for_update=True)
	except frappe.DoesNotExistError:
		return
	if visitor_reference.is_erased(doc):
		return
	is_lead, at = doctype == crm_lead.DOCTYPE, get_datetime(doc.creation)
	visitor = visitor_reference.resolve(doc.get(visitor_reference.FIELD) or reference, email_of(doc), at)
	values = {
		"visitor": visitor,
		"conversion_date": at,
		"source_doctype": doctype,
		"source_name": name,
		"crm_lead": name if is_lead else None,
		"lead_created_at": at if is_lead else None,
	}
	run.credit(conversions.record_all(goal, {f"{doctype}:{name}": values}))


def email_of(doc: Document) -> str | None:
	"""The e-mail address that a document holds, by the first of its fields that are for one."""
	fields = doc.meta.get("fields", {"fieldtype": "Data", "options": "Email"})
	return next((str(value) for field in fields if (value := doc.get(field.fieldname))), None)


def _type_of(goal: str | None, doctype: str) -> str:
	"""The type of conversion that a submission is; "" where it is none besides the one that the document is anyway."""
	goal = (goal or "").strip()
	if doctype == crm_lead.DOCTYPE:
		return "" if goal == crm_lead.CONVERSION else goal
	return goal or CONVERSION
