"""Many Tracked Links at once, each as a whole or not at all (LNK-4).

A row goes through the document's own lifecycle within a savepoint: what a form refuses is refused here, in words and
with its field, and leaves nothing behind; so does whatever else goes wrong with it. What rows have in common (campaigns, domains) is looked up once.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone, strip_html_tags

from trackflow import bulk, jobs
from trackflow.collisions import is_collision
from trackflow.links import codes
from trackflow.links.addresses import short_url
from trackflow.links.csv_formats import COLUMNS, Row, convert, is_moment
from trackflow.links.parameters import CAMPAIGN_FIELDS
from trackflow.validation import is_storable, parsed

DOCTYPE = "Tracked Link"
AT_MOST = 1000
SAVEPOINT = "trackflow_bulk_row"
FIELDS = frozenset(COLUMNS)
# Of a text that has no limit of its own.
LONGEST = 10_000
# Errors whose words are for the person who brought the row.
_SAID = (frappe.ValidationError, frappe.DuplicateEntryError, frappe.PermissionError)
_LINKS = {"campaign": ("Link Campaign", CAMPAIGN_FIELDS), "domain": ("Domain Configuration", ())}


@dataclass(slots=True)
class Verdict:
	"""What became of a row: a link, or errors as (field, words)."""

	row: int
	name: str = ""
	short_code: str = ""
	short_url: str = ""
	errors: list[tuple[str, str]] = field(default_factory=list)

	def as_dict(self) -> dict[str, Any]:
		if not self.errors:
			return {key: getattr(self, key) for key in ("row", "name", "short_code", "short_url")}
		return {"row": self.row, "errors": [{"field": one, "message": text} for one, text in self.errors]}


def create_links(links: Any) -> dict[str, Any]:
	"""Make up to 1,000 links of dicts by field name, and say of each what became of it. Rows count from 1."""
	rows = parsed(links, "links")
	if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
		frappe.throw(_("links must be a list of objects such as {0}.").format('{"target_url": "https://…"}'))
	if not 1 <= len(rows) <= AT_MOST:
		frappe.throw(_("Give between 1 and {0} links.").format(AT_MOST))
	frappe.has_permission(DOCTYPE, "create", throw=True)
	zone = ZoneInfo(get_system_timezone())
	read = [Row(number, dict(values)) for number, values in enumerate(rows, 1)]
	for row in read:
		convert(row, zone)
	return summary(create(read))


def summary(verdicts: Collection[Verdict]) -> dict[str, Any]:
	"""What an API answers."""
	failed = sum(bool(verdict.errors) for verdict in verdicts)
	return {
		"created": len(verdicts) - failed,
		"failed": failed,
		"rows": [verdict.as_dict() for verdict in verdicts],
	}


def create(
	rows: Collection[Row], *, template: str | None = None, names: Mapping[int, str] | None = None
) -> list[Verdict]:
	"""Make a link of each row. `names` fixes the documents' names. Never commits."""
	known = Known.of(row.values for row in rows)
	return [_create(row, known, template, (names or {}).get(row.number)) for row in rows]


def look_over(rows: Collection[Row]) -> list[Verdict]:
	"""What is wrong with rows as far as it can be told without making their links."""
	known = Known.of(row.values for row in rows)
	codes_of = {row.number: codes.normalise(str(row.values.get("short_code") or "")) for row in rows}
	wanted = sorted(set(filter(None, codes_of.values())))
	filters = {"short_code": ("in", wanted)}
	taken = frozenset(frappe.get_all(DOCTYPE, filters, pluck="short_code", order_by="name") if wanted else ())
	found = []
	for row in rows:
		errors = list(row.errors or known.problems(row.values))
		if not errors and (code := codes_of[row.number]) in taken:
			errors.append(("short_code", _("The short code {0} is already in use.").format(code)))
		found.append(Verdict(row.number, errors=errors))
	return found


@dataclass(frozen=True, slots=True)
class Known:
	"""The campaigns and domains that rows name and that exist, by field and name."""

	documents: dict[str, dict[str, Any]]

	@classmethod
	def of(cls, rows: Iterable[Mapping[str, Any]]) -> "Known":
		rows, found = list(rows), {}
		for name, (doctype, fields) in _LINKS.items():
			names = {row[name] for row in rows if row.get(name) and isinstance(row[name], str)}
			wanted = sorted(filter(is_storable, names))
			found[name] = bulk.load(doctype, {"name": ("in", wanted)}, fields) if wanted else {}
		return cls(found)

	def problems(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
		"""What can be told from a row's values alone."""
		if not is_storable(values):
			return [("", _("The row holds characters that no text can hold."))]
		meta = frappe.get_meta(DOCTYPE)
		found = [(name, _("There is no field {0}.").format(name)) for name in values if name not in FIELDS]
		if not str(values.get("target_url") or "").strip():
			found.append(("target_url", _("Target URL is missing.")))
		for name, value in values.items():
			if name in FIELDS and value not in (None, ""):
				if problem := self._problem(meta.get_field(name), value):
					found.append((name, problem))
		return found

	def _problem(self, df: Any, value: Any) -> str:
		label = _(df.label)
		if df.fieldtype == "Table":
			return _table_problem(df, value)
		if df.fieldtype == "JSON":
			return "" if len(frappe.as_json(value)) <= LONGEST else _("{0} is too long.").format(label)
		if problem := _value_problem(df, value):
			return problem
		if df.fieldname in self.documents and str(value) not in self.documents[df.fieldname]:
			return _("{0} {1} does not exist.").format(label, value)
		if df.fieldname == "short_code":
			try:
				codes.check(codes.normalise(str(value)))
			except codes.CodeError as error:
				return _(str(error))
		return ""


def _value_problem(df: Any, value: Any) -> str:
	"""Why a value cannot be what its field holds, of the link or of a row of its tables; "" if it can."""
	label = _(df.label)
	if not isinstance(value, str | int | float):
		return _("{0} must be a single value.").format(label)
	if df.fieldtype in ("Int", "Check") and not (isinstance(value, int) and 0 <= value < 10**9):
		return _("{0} must be a whole number of at least 0.").format(label)
	if df.fieldtype == "Datetime" and not (isinstance(value, str) and is_moment(value)):
		return _("{0} must be a date such as 2026-03-31 18:00.").format(label)
	longest = 140 if df.fieldtype in ("Data", "Link", "Select") else LONGEST
	if len(str(value)) > longest:
		return _("{0} is longer than {1} characters.").format(label, longest)
	if df.fieldtype == "Select" and str(value) not in (options := df.options.split("\n")):
		return _("{0} must be one of {1}.").format(label, ", ".join(filter(None, options)))
	return ""


def _table_problem(df: Any, value: Any) -> str:
	label = _(df.label)
	if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
		return _("{0} must be a list of objects.").format(label)
	fields = {one.fieldname: one for one in frappe.get_meta(df.options).fields if not one.read_only}
	if unknown := sorted({str(key) for row in value for key in row} - set(fields)):
		return _("{0} knows no field {1}.").format(label, ", ".join(unknown))
	for number, row in enumerate(value, 1):
		if problem := _row_problem(fields, row):
			return _("{0}, row {1}: {2}").format(label, number, problem)
	return ""


def _row_problem(fields: Mapping[str, Any], row: Mapping[str, Any]) -> str:
	for name, df in fields.items():
		value = row.get(name)
		if value not in (None, "") and (problem := _value_problem(df, value)):
			return problem
		if df.reqd and not df.default and not str("" if value is None else value).strip():
			return _("{0} is missing.").format(_(df.label))
	return ""


def _create(row: Row, known: Known, template: str | None, name: str | None) -> Verdict:
	problems = row.errors or known.problems(row.values)
	if problems:
		return Verdict(row.number, errors=problems)
	meta = frappe.get_meta(DOCTYPE)
	values = {name: _stored_as(meta.get_field(name), value) for name, value in row.values.items()}
	messages = len(frappe.local.message_log)
	frappe.db.savepoint(SAVEPOINT)
	try:
		doc = frappe.get_doc({**values, "doctype": DOCTYPE, "template": template})
		doc.flags.campaign_row = known.documents["campaign"].get(doc.campaign)
		doc.insert(set_name=name)
	except Exception as error:
		if not isinstance(error, _SAID) and (isinstance(error, jobs.TimeIsUp) or is_collision(error)):
			raise
		frappe.db.rollback(save_point=SAVEPOINT)
		del frappe.local.message_log[messages:]
		return Verdict(row.number, errors=[_in_words(error)])
	frappe.db.release_savepoint(SAVEPOINT)
	del frappe.local.message_log[messages:]
	return Verdict(row.number, doc.name, doc.short_code, short_url(doc.short_code, doc.domain))


def _stored_as(df: Any, value: Any) -> Any:
	"""A number that somebody sends for a text is one."""
	if df.fieldtype == "Table":
		meta = frappe.get_meta(df.options)
		return [
			{name: _stored_as(meta.get_field(name), cell) for name, cell in row.items()}
			for row in value or ()
		]
	is_text = df.fieldtype not in ("Int", "Check", "JSON")
	return str(value) if is_text and isinstance(value, int | float) else value


def _in_words(error: Exception) -> tuple[str, str]:
	"""What a document's check said, and of which field, where it begins with its label. What nobody foresaw is logged."""
	if not isinstance(error, _SAID):
		frappe.logger("trackflow").exception("A link of many could not be made")
		return "", _("The link could not be made, because of an error that the server's log tells more of.")
	text = strip_html_tags(str(error)).strip() or _("The link was refused.")
	fields = [df for df in frappe.get_meta(DOCTYPE).fields if df.fieldname in FIELDS]
	# Tables first: the name of one may begin with the label of a field.
	for df in fields:
		if df.fieldtype == "Table" and text.startswith((f"{_(df.options)}, ", f"{_(df.options)} ")):
			return df.fieldname, text.replace(_(df.options), _(df.label), 1)
	for df in fields:
		if text.startswith((f"{_(df.label)}:", f"{_(df.label)} ")):
			return df.fieldname, text
	if isinstance(error, frappe.DuplicateEntryError):
		return "short_code", text
	return "", text
