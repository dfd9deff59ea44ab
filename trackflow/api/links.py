"""What people and programs do with links beside the document's own REST: pictures, many at once, CSV, templates, figures.

Every method is for users. Who may do what follows from their permission on Tracked Link; what is wrong with an input
is said in words (417).
"""

from typing import Any

import frappe
from werkzeug.wrappers import Response

from trackflow.analytics import link_figures, utm_report
from trackflow.analytics.scope import check
from trackflow.links import (
	bulk_create,
	csv_export,
	csv_import,
	preview,
	qr_files,
	templates,
)
from trackflow.validation import listed_names, plain_text, whole_number


@frappe.whitelist(methods=["GET"])
def qr_code(
	link_name: str,
	format: str = "png",
	size: int | str = 512,
	margin: int | str = 4,
	error_correction: str = "M",
	dark: str = "#000000",
	light: str = "#ffffff",
	logo: str | None = None,
	logo_percent: int | str = 20,
) -> Response:
	"""The QR code of a link as a picture (LNK-3). `logo` is a File of the site, by name or address."""
	style = _style(format, size, margin, error_correction, dark, light, logo_percent)
	return qr_files.picture(link_name, style, logo)


@frappe.whitelist(methods=["GET", "POST"])
def qr_codes(
	link_names: str | list[str],
	format: str = "png",
	size: int | str = 512,
	margin: int | str = 4,
	error_correction: str = "M",
	dark: str = "#000000",
	light: str = "#ffffff",
	logo: str | None = None,
	logo_percent: int | str = 20,
) -> Response:
	"""The QR codes of up to 1,000 links as a ZIP (LNK-3)."""
	style = _style(format, size, margin, error_correction, dark, light, logo_percent)
	return qr_files.pictures(listed_names(link_names, "link_names"), style, logo)


@frappe.whitelist(methods=["POST"])
def preview_link(link: str | dict[str, Any], link_name: str | None = None) -> dict[str, Any]:
	"""What a link of these values would be, or a link that is there with them changed: its code, short URL, QR code as an image's address,
	destination, and what is wrong or doubtful about it. Nothing is stored (UI-1)."""
	frappe.has_permission("Tracked Link", "write" if link_name else "create", throw=True)
	check("Link Campaign")
	found = preview.preview(link, plain_text(link_name, "link_name"))
	doubts = utm_report.of_address(found["destination_url"])
	return {**found, "warnings": [*found["warnings"], *doubts]}


@frappe.whitelist(methods=["POST"])
def create_links(links: str | list[Any]) -> dict[str, Any]:
	"""Make up to 1,000 links of dicts by field name; each as a whole or not at all (LNK-4)."""
	return bulk_create.create_links(links)


@frappe.whitelist(methods=["POST"])
def preview_import(csv: str | None = None) -> dict[str, Any]:
	"""What importing a CSV would make and refuse, row by row: the text, or a file sent as `file` (LNK-4)."""
	return csv_import.preview(csv or _uploaded())


@frappe.whitelist(methods=["POST"])
def import_links(csv: str | None = None) -> dict[str, Any]:
	"""Import a CSV: at once, or in a job whose state `get_import_progress` tells (LNK-4)."""
	return csv_import.import_links(csv or _uploaded())


@frappe.whitelist(methods=["GET"])
def get_import_progress(import_id: str) -> dict[str, Any]:
	"""How far an import of the user's is, and what became of its rows."""
	return csv_import.progress(import_id)


@frappe.whitelist(methods=["GET", "POST"])
def export_links(
	filters: str | list[Any] | dict[str, Any] | None = None,
	names: str | list[str] | None = None,
	search: str | None = None,
) -> Response:
	"""The links that the user may read, by filters and search of a list or by name, as a CSV that can be imported (LNK-4)."""
	return csv_export.export(filters, names, search)


@frappe.whitelist(methods=["POST"])
def make_link(template: str, values: str | dict[str, Any] | None = None) -> dict[str, str]:
	"""Make a link from a template and the values of its variables (LNK-5)."""
	return templates.make_link(template, values)


@frappe.whitelist(methods=["POST"])
def make_links(template: str, rows: str | list[Any] | None = None, csv: str | None = None) -> dict[str, Any]:
	"""Make a link of each row of values, or of each row of a CSV whose header names the variables (LNK-5)."""
	return templates.make_links(template, rows, csv)


@frappe.whitelist(methods=["GET"])
def get_link_analytics(
	link_name: str, from_date: str | None = None, to_date: str | None = None
) -> dict[str, Any]:
	"""What a link brought in a range of days, the last 30 by default."""
	return link_figures.link_analytics(link_name, from_date, to_date)


def _style(
	format: str,
	size: int | str,
	margin: int | str,
	error_correction: str,
	dark: str,
	light: str,
	logo_percent: int | str,
) -> dict[str, Any]:
	return {
		"format": format,
		"size": whole_number(size, "size"),
		"margin": whole_number(margin, "margin"),
		"error_correction": error_correction,
		"dark": dark,
		"light": light,
		"logo_percent": whole_number(logo_percent, "logo_percent"),
	}


def _uploaded() -> bytes | None:
	file = frappe.request.files.get("file")
	# One byte more than allowed is enough to say no.
	return file.stream.read(csv_import.MOST_BYTES + 1) if file else None
