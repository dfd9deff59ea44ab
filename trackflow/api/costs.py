"""What advertising cost: what was spent on what, files of platforms, rows by program, exchange rates (CST-1).

Every method is for users. Who may do what follows from their permission on Daily Rollup, Daily Campaign Metric, Cost Import and
TrackFlow Exchange Rate; what is wrong with an input is said in words (417).
"""

from typing import Any

import frappe
from frappe import _

from trackflow.analytics import spend
from trackflow.analytics.scope import period_of
from trackflow.costs import files, headers, imported, imports, rate_import, upserts
from trackflow.paging import start_and_limit
from trackflow.rollups import reading
from trackflow.rollups.grains import CAMPAIGN, grain_named
from trackflow.validation import check_choice, plain_text, readable

LIMIT, MOST = 50, 500


@frappe.whitelist(methods=["GET"])
def get_spend(
	from_date: str | None = None,
	to_date: str | None = None,
	grain: str | None = None,
	model: str | None = None,
	platform: str | None = None,
	search: str | None = None,
	sort: str | None = None,
	order: str | None = None,
	start: int | str = 0,
	limit: int | str = LIMIT,
) -> dict[str, Any]:
	"""What was spent in a range of days, the last 30 by default, and what it brought under a model (the default one), beside as many
	days before it: in all, day by day, and a line for each entity at a grain (Campaign by default), those that cost most first."""
	frappe.has_permission("Daily Rollup", "read", throw=True)
	return spend.spend(
		spend.Wanted(
			period_of(from_date, to_date),
			check_choice("grain", grain_named(plain_text(grain, "grain")) or CAMPAIGN, spend.CHOICES),
			reading.model_named(plain_text(model, "model")),
			plain_text(platform, "platform"),
			plain_text(search, "search"),
			check_choice("sort", plain_text(sort, "sort").lower() or "spend", spend.SORTS),
			check_choice("order", plain_text(order, "order").lower(), ("asc", "desc")) != "asc",
			*start_and_limit(start, limit, MOST),
		)
	)


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
def read_columns(csv: str | None = None) -> dict[str, Any]:
	"""The columns of a file whose format is not recognised, so that a `mapping` can say what they are: `number`, `header`,
	`samples`; and the `fields` that there are, with their labels."""
	imports.check_permission()
	fields = [{"name": field, "label": _(headers.LABELS[field])} for field in headers.FIELDS]
	return {"columns": files.columns(csv or _uploaded()[0]), "fields": fields}


@frappe.whitelist(methods=["GET"])
def get_imports(start: int | str = 0, limit: int | str = LIMIT) -> dict[str, Any]:
	"""The imports, the newest first: file, status, counts, by whom, and whether it can be undone by who asks."""
	return imported.listed(*start_and_limit(start, limit, MOST))


@frappe.whitelist(methods=["GET"])
def get_import(cost_import: str) -> dict[str, Any]:
	"""One of them with its `report`, as `import_costs` answered it; while a job writes it, its `progress`."""
	return imported.told(plain_text(cost_import, "cost_import"))


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
