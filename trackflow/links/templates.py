"""Links out of a Link Template: one, or as many as there are rows of values (LNK-5). Rows go the way of bulk creation."""

from collections.abc import Mapping, Sequence
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint

from trackflow.links import bulk_create, csv_text, templating
from trackflow.links.csv_formats import Row
from trackflow.links.templating import TemplateError, Variable
from trackflow.validation import parsed, readable

# Fields of the template whose text goes into the link's field of the other name.
TEXTS = {
	"link_title": "title",
	"short_code": "short_code",
	"source": "source",
	"medium": "medium",
	"content": "content",
	"term": "term",
	"tags": "tags",
}
COPIED = ("campaign", "domain")


def variables_of(template: Any) -> list[Variable]:
	"""The template's variables as values; raises TemplateError."""
	return [
		Variable(
			name=(row.variable_name or "").strip(),
			type=row.variable_type or "Text",
			required=bool(cint(row.is_required)),
			default=(row.default_value or "").strip(),
			rules=frappe.parse_json(row.validation_rules) or {},
		)
		for row in template.variables
	]


def link_values(template: Any, values: Mapping[str, Any]) -> dict[str, Any]:
	"""The fields of the link that these values make; raises TemplateError."""
	texts = templating.check_values(variables_of(template), values)
	link = {"target_url": templating.fill_url(template.url_template, texts)}
	for field, target in TEXTS.items():
		if template.get(field):
			link[target] = templating.fill(template.get(field), texts).strip()
	return link | {field: template.get(field) for field in COPIED if template.get(field)}


def make_link(template: str, values: Any) -> dict[str, str]:
	"""Make one link; what is wrong stops with clear words."""
	doc = _usable(template)
	values = parsed(values, "values") or {}
	if not isinstance(values, Mapping):
		frappe.throw(_("values must be an object such as {0}.").format('{"city": "Berlin"}'))
	(verdict,) = _create(doc, [(1, values)])
	if verdict.errors:
		frappe.throw(" ".join(text for _field, text in verdict.errors))
	return {"name": verdict.name, "short_code": verdict.short_code, "short_url": verdict.short_url}


def make_links(template: str, rows: Any = None, csv: str | None = None) -> dict[str, Any]:
	"""Make a link of each row: a list of values by variable, or a CSV whose header names the variables."""
	doc = _usable(template)
	numbered = _csv_rows(csv) if csv else list(enumerate(_listed(rows), 1))
	if not 1 <= len(numbered) <= bulk_create.AT_MOST:
		frappe.throw(_("Give between 1 and {0} rows of values.").format(bulk_create.AT_MOST))
	return bulk_create.summary(_create(doc, numbered))


def _usable(name: str) -> Any:
	frappe.has_permission(bulk_create.DOCTYPE, "create", throw=True)
	doc = readable("Link Template", name)
	if not cint(doc.is_active):
		frappe.throw(_("The template {0} is switched off.").format(doc.name))
	return doc


def _create(doc: Any, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[bulk_create.Verdict]:
	return bulk_create.create([_row(doc, number, values) for number, values in rows], template=doc.name)


def _row(doc: Any, number: int, values: Mapping[str, Any]) -> Row:
	try:
		return Row(number, link_values(doc, values))
	except TemplateError as error:
		return Row(number, errors=[(error.variable, _(str(error)))])


def _listed(rows: Any) -> list[Mapping[str, Any]]:
	rows = parsed(rows, "rows")
	if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
		frappe.throw(_("rows must be a list of objects such as {0}.").format('{"city": "Berlin"}'))
	return rows


def _csv_rows(text: str) -> list[tuple[int, dict[str, str]]]:
	try:
		found = csv_text.records(text)
		_number, header = next(found, (0, []))
		return [
			(
				number,
				{name: csv_text.original(cell) for name, cell in zip(header, cells, strict=False) if name},
			)
			for number, cells in found
		]
	except csv_text.CsvError as error:
		frappe.throw(_(str(error)))
