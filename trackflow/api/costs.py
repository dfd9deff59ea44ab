"""What advertising cost: files of platforms, rows by program, exchange rates (CST-1).

Every method is for users. Who may do what follows from their permission on Daily Campaign Metric, Cost Import and TrackFlow
Exchange Rate; what is wrong with an input is said in words (417).
"""

from typing import Any

import frappe
from frappe import _

from trackflow.costs import files, imports, rate_import, upserts
from trackflow.validation import plain_text, readable


@frappe.whitelist(methods=["POST"])
def preview_import(
	csv: str | None = None,
	cost_import: str | None = None,
	format: str | None = None,
	platform: str | None = None,
	currency: str | None = None,
	decimal_mark: str | None = None,
	day_order: str | None = None,
	mapping: str | dict[str, Any] | None = None,
) -> dict[str, Any]:
	"""What importing a file would do, row by row: the text, a file sent as `file`, or that of a Cost Import. `mapping` is the
	name of a saved one, or headers by field."""
	imports.check_permission()
	if cost_import:
		doc = readable(imports.IMPORT, cost_import)
		return imports.preview(doc.content(), doc.options())
	said = _said(format, platform, currency, decimal_mark, day_order)
	return imports.preview(csv or _uploaded()[0], files.options_of(said, mapping))


@frappe.whitelist(methods=["POST"])
def import_costs(
	csv: str | None = None,
	cost_import: str | None = None,
	format: str | None = None,
	platform: str | None = None,
	currency: str | None = None,
	decimal_mark: str | None = None,
	day_order: str | None = None,
	mapping: str | dict[str, Any] | None = None,
) -> dict[str, Any]:
	"""Import a file as `preview_import` takes it. Answers the Cost Import's `name` and `status`, and the counts; a long file is
	written by a job, and the status is Queued."""
	imports.check_permission()
	if cost_import:
		return imports.import_document(cost_import)
	content, file_name = (csv, "costs.csv") if csv else _uploaded()
	said = _said(format, platform, currency, decimal_mark, day_order)
	return imports.import_content(content, said, mapping, file_name)


@frappe.whitelist(methods=["POST"])
def undo_import(cost_import: str) -> dict[str, Any]:
	"""Make the rows of an import what they were before it; those that were changed since stay, and are told."""
	return imports.undo(cost_import)


@frappe.whitelist(methods=["POST"])
def upsert(rows: str | list[Any]) -> dict[str, Any]:
	"""Write up to 1,000 rows by field of Daily Campaign Metric, with a verdict for each."""
	return upserts.upsert(rows)


@frappe.whitelist(methods=["POST"])
def import_rates(
	csv: str | None = None,
	decimal_mark: str | None = None,
	day_order: str | None = None,
	since: str | None = None,
	dry_run: bool | int | str = False,
) -> dict[str, Any]:
	"""Exchange rates of a file: a list with Date, From, To and Rate, or the European Central Bank's history, from `since` on."""
	frappe.has_permission(rate_import.DOCTYPE, "create", throw=True)
	sheet = rate_import.read(csv or _uploaded()[0], decimal_mark or "", day_order or "", since or "")
	return rate_import.import_rates(sheet, dry_run=bool(frappe.utils.cint(dry_run)))


def _said(*values: str | None) -> dict[str, str]:
	return {name: plain_text(value, name) for name, value in zip(files.OPTIONS, values, strict=True)}


def _uploaded() -> tuple[bytes | None, str]:
	file = frappe.request.files.get("file") if getattr(frappe.local, "request", None) else None
	if not file:
		frappe.throw(_("Send the file, or its text as csv."))
	# One byte more than allowed is enough to say no.
	return file.stream.read(files.MOST_BYTES + 1), file.filename or "costs.csv"
