"""Whom a request is about: from an e-mail address or a visitor id to all that hangs on it (CRM-8). Reads only.

A person is what `tracking.people` says; nothing is guessed beyond it. Whatever the person's browsers, leads and deals are, rows
are found by them: `names` walks the table of `personal`.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import frappe
from frappe import _

from trackflow import bulk
from trackflow.integrations import crm_subject
from trackflow.privacy import personal
from trackflow.privacy.personal import CONVERSION, DEAL, DELETED, EMAIL, LEAD, TABLES, VISITOR, Table
from trackflow.tracking import identity, people
from trackflow.validation import plain_text

Row = dict[str, Any]

AT_ONCE = 1_000
_EMAIL = re.compile(r"[^\s@<>\"',;]+@[^\s@<>\"',;]+")
LONGEST = 140
# Persons are joined in steps; a chain this long is none.
STEPS = 20


@dataclass(frozen=True, slots=True)
class Subject:
	"""Whom a request is about: addresses, visitors, and the CRM's documents, by name."""

	emails: frozenset[str] = field(default_factory=frozenset)
	visitors: frozenset[str] = field(default_factory=frozenset)
	leads: frozenset[str] = field(default_factory=frozenset)
	deals: frozenset[str] = field(default_factory=frozenset)
	organizations: frozenset[str] = field(default_factory=frozenset)

	def __or__(self, other: "Subject") -> "Subject":
		return Subject(*(getattr(self, name) | getattr(other, name) for name in self.__slots__))

	def as_dict(self) -> dict[str, list[str]]:
		return {name: sorted(values) for name, values in asdict(self).items()}

	@classmethod
	def of(cls, values: dict[str, list[str]]) -> "Subject":
		"""What `as_dict` gave."""
		return cls(**{name: frozenset(some) for name, some in values.items()})

	@property
	def words(self) -> frozenset[str]:
		"""What names the person in a text."""
		return self.emails | self.visitors


def read(value: Any) -> str:
	"""An e-mail address, in lower case, or a visitor id; anything else is refused with words."""
	text = plain_text(value, "subject").strip()
	if identity.is_visitor_id(text):
		return text
	if len(text) > LONGEST or not _EMAIL.fullmatch(text):
		frappe.throw(_("Name an e-mail address or a visitor id (v_ and 16 hexadecimal digits)."))
	return text.lower()


def find(*named: str) -> Subject:
	"""Whom these addresses and visitor ids, as `read` gives them, are about."""
	visitors = {one for one in named if identity.is_visitor_id(one)}
	emails = set(named) - visitors
	if visitors:
		emails |= _emails_of(visitors)
	leads = crm_subject.leads_of(emails)
	deals = crm_subject.deals_of(emails, leads, ())
	visitors |= _with_email(emails) | crm_subject.visitors_of(leads, deals)
	visitors = visitors.union(*people.of_leads(leads).values())
	visitors = _persons(visitors)
	# A lead or deal stays the person's where it was deleted in CRM and its rows are here.
	leads |= _leads_of(visitors)
	deals |= crm_subject.deals_of((), leads, visitors) | _deals_of(leads)
	return Subject(
		frozenset(emails | _emails_of(visitors)),
		frozenset(visitors),
		frozenset(leads),
		frozenset(deals),
		frozenset(crm_subject.organizations_of(visitors)),
	)


def conversions(subject: Subject) -> list[str]:
	"""The names of the subject's conversions."""
	return names(personal.BY_DOCTYPE["Conversion"], subject)


def names(table: Table, subject: Subject) -> list[str]:
	"""The names of the rows of a table that are about the subject."""
	wanted: dict[str, Collection[str]] = {
		VISITOR: subject.visitors,
		EMAIL: subject.emails,
		LEAD: subject.leads,
		DEAL: subject.deals,
	}
	found: set[str] = set()
	for kind, column in table.found_by:
		if kind == CONVERSION:
			found |= _referring(table.doctype, column, conversions(subject))
		elif kind in wanted:
			found |= _referring(table.doctype, column, wanted[kind])
	if table.mentions and subject.words:
		found |= set(_mentioning(table, subject.words))
	return sorted(found)


def _referring(doctype: str, column: str, values: Collection[str]) -> set[str]:
	found: set[str] = set()
	values = sorted(values)
	for start in range(0, len(values), AT_ONCE):
		found |= bulk.load(doctype, {column: ("in", values[start : start + AT_ONCE])}, ()).keys()
	return found


def _mentioning(table: Table, words: Collection[str]) -> Iterator[str]:
	"""Rows with a text that names the person. These are looked through, all of them: no index helps."""
	if table.doctype == DELETED.doctype and not frappe.db.exists("DocType", table.doctype):
		return
	rows = frappe.qb.DocType(table.doctype)
	either = None
	for column in table.mentions:
		for word in sorted(words):
			likes = rows[column].like(f"%{word}%")
			either = likes if either is None else either | likes
	query = (
		frappe.qb.from_(rows).select(rows.name, *(rows[column] for column in table.mentions)).where(either)
	)
	if table.doctype == DELETED.doctype:
		query = query.where(rows.deleted_doctype.isin([one.doctype for one in TABLES]))
	last = ""
	while some := query.where(rows.name > last).orderby(rows.name).limit(AT_ONCE).run(as_dict=True):
		last = some[-1].name
		for row in some:
			if any(personal.names_any(row[column], words) for column in table.mentions):
				yield row.name


def _persons(visitors: Collection[str]) -> set[str]:
	"""These visitors and all that are one person with them, however many steps away."""
	found = set(visitors)
	for _step in range(STEPS):
		more = found.union(*people.of_visitors(found).values())
		if more == found:
			break
		found = more
	rows = bulk.load("Visitor", {"name": ("in", found)}, ()) if found else {}
	# Who is erased is nobody any more; of an id without a row there may be other records.
	return {one for one in found if one in rows or one in visitors if not identity.is_erased(one)}


def _with_email(emails: Collection[str]) -> set[str]:
	return set(bulk.load("Visitor", {"contact_email": ("in", emails)}, ())) if emails else set()


def _emails_of(visitors: Collection[str]) -> set[str]:
	rows = bulk.load("Visitor", {"name": ("in", visitors)}, ["contact_email"]) if visitors else {}
	return {row.contact_email.lower() for row in rows.values() if row.contact_email}


def _leads_of(visitors: Collection[str]) -> set[str]:
	rows = bulk.load("Visitor", {"name": ("in", visitors)}, ["crm_lead"]) if visitors else {}
	return {row.crm_lead for row in rows.values() if row.crm_lead}


def _deals_of(leads: Collection[str]) -> set[str]:
	rows = bulk.load("Deal Stage Change", {"lead_id": ("in", leads)}, ["deal_id"]) if leads else {}
	return {row.deal_id for row in rows.values()}
