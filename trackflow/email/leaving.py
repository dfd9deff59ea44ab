"""Who is not written to: addresses that unsubscribed, here or with Frappe, and those whose mail came back (EML-1).

Whoever unsubscribes from one mailing gets none of any campaign again. It stands in Frappe's own Email Unsubscribe, under what all
mailings have in common: a global one would also stop the answers of people in the CRM and resets of passwords. It outlives mailings,
their logs and an erasure, or it would be forgotten.
"""

from collections.abc import Collection

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.email.mailings import BOUNCED, LOG, MAILING, status_of
from trackflow.naming import key_name

UNSUBSCRIBE = "Email Unsubscribe"
# What an unsubscribe refers to: the kind of document, not one mailing, with which Frappe would delete it.
REFERENCE = {"reference_doctype": "DocType", "reference_name": MAILING}
MEMBER = "Email Group Member"


def left(addresses: Collection[str]) -> set[str]:
	"""Those of these addresses (in small letters) that want no more mailings, or no mail at all."""
	if not addresses:
		return set()
	table = frappe.qb.DocType(UNSUBSCRIBE)
	ours = (table.reference_doctype == REFERENCE["reference_doctype"]) & (
		table.reference_name == REFERENCE["reference_name"]
	)
	rows = (
		frappe.qb.from_(table)
		.select(table.email)
		.where(bulk.among(table.email, addresses))
		.where((table.global_unsubscribe == 1) | ours)
		.run()
	)
	return {email.lower() for (email,) in rows}


def returned(addresses: Collection[str]) -> set[str]:
	"""Those of these addresses whose mail came back for good, as long as the log remembers."""
	rows = bulk.load(LOG, {"recipient": ("in", addresses), "status": BOUNCED}, ["recipient"])
	return {row.recipient.lower() for row in rows.values()}


@retried
def leave(name: str) -> bool:
	"""Unsubscribe the recipient of this mail (the name of its row), once and for all; whether it is known. Ends its transaction."""
	frappe.db.commit()
	row = bulk.lock(LOG, [name], ["recipient", "mailing", *_FACTS]).get(name)
	if not row or not row.recipient:
		frappe.db.rollback()
		return False
	address = row.recipient.lower()
	entry = {
		"name": key_name("unsubscribed", address),
		"email": address,
		"global_unsubscribe": 0,
		**REFERENCE,
	}
	bulk.insert(UNSUBSCRIBE, [entry], ignore_duplicates=True)
	# Newsletters to a list of Frappe's go by its own mark.
	members = bulk.load(MEMBER, {"email": address, "unsubscribed": 0}, ()) if _has_groups() else {}
	bulk.update(MEMBER, {one: {"unsubscribed": 1} for one in members})
	if not row.unsubscribed_date:
		row.unsubscribed_date = now_datetime()
		bulk.update(
			LOG,
			{name: {"unsubscribed_date": row.unsubscribed_date, "status": status_of(row)}},
			is_locked=True,
		)
		bulk.update(MAILING, {row.mailing: {"is_stale": 1}})
	frappe.db.commit()
	return True


_FACTS = ("status", "sent_date", "opened_date", "clicked_date", "bounced_date", "unsubscribed_date")


def _has_groups() -> bool:
	return bool(frappe.db.exists("DocType", MEMBER))
