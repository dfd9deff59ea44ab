"""Files of costs: from where people put them to facts, and what they say of them."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate

from trackflow.costs import days, formats, headers, numbers, sheet
from trackflow.costs.sheet import Options, Sheet, Site
from trackflow.links import csv_text
from trackflow.validation import check_choice, json_object, plain_text

# Below what Frappe takes as an attachment by default.
MOST_BYTES = 24 * 1024 * 1024
MOST_ROWS = 100_000
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
OPTIONS = ("format", "platform", "currency", "decimal_mark", "day_order")


def read(content: bytes | str | None, options: Options) -> Sheet:
	"""The facts of a file; what is wrong with it as a whole stops with clear words."""
	text = text_of(content)
	try:
		return sheet.read(text, options, site(), MOST_ROWS)
	except csv_text.CsvError as error:
		frappe.throw(_(str(error)))


def columns(content: bytes | str | None) -> list[dict[str, Any]]:
	"""The columns of a file, for a person to say what each is: number, header, and the first cells below it."""
	return [one._asdict() for one in formats.columns(text_of(content))]


def text_of(content: bytes | str | None) -> str:
	"""The text of a file that a person brings."""
	if not content:
		frappe.throw(_("The file is empty."))
	if len(content) > MOST_BYTES:
		frappe.throw(_("The file is larger than {0} MB.").format(MOST_BYTES // 1024 // 1024))
	if isinstance(content, str):
		return plain_text(content, "csv")
	if content.startswith(_WORKBOOK):
		frappe.throw(_("The file is a workbook of a spreadsheet. Save it as CSV, or export it as CSV."))
	try:
		return csv_text.decode(content)
	except csv_text.CsvError as error:
		frappe.throw(_(str(error)))


def site() -> Site:
	"""Its currencies, and tomorrow: where the platform is, a day may have begun that has not here."""
	currencies = frappe.get_all("Currency", pluck="name", order_by="name")
	return Site(frozenset(currencies), getdate() + timedelta(days=1))


def options_of(values: Mapping[str, Any], mapping: str | Mapping[str, Any] | None) -> Options:
	"""What a person says of a file, checked. A mapping is a saved one by name, or headers by field; what is said beside a
	saved one goes before it."""
	columns, saved = _mapping(mapping)
	said = {name: plain_text(values.get(name), name).strip() or saved.get(name, "") for name in OPTIONS}
	check_choice("format", said["format"], formats.FORMATS)
	check_choice("decimal_mark", said["decimal_mark"], numbers.MARKS)
	check_choice("day_order", said["day_order"], days.ORDERS)
	currency = said["currency"] = said["currency"].upper()
	if currency and not frappe.db.exists("Currency", currency):
		frappe.throw(_("There is no currency {0} on this site.").format(currency))
	return Options(**said, columns=columns)


def _mapping(mapping: str | Mapping[str, Any] | None) -> tuple[dict[str, str], dict[str, str]]:
	"""Columns by field, and the options that go with them."""
	if not mapping:
		return {}, {}
	if isinstance(mapping, str) and not mapping.lstrip().startswith("{"):
		doc = frappe.get_doc("Cost Import Mapping", plain_text(mapping, "mapping"))
		doc.check_permission("read")
		return doc.headers(), {name: doc.get(name) or "" for name in OPTIONS if name != "format"}
	return checked_columns(json_object(mapping, "mapping") or {}), {}


def checked_columns(columns: Mapping[str, Any]) -> dict[str, str]:
	"""Headers by field, as a mapping may have them."""
	for field, header in columns.items():
		if field not in headers.FIELDS:
			known = ", ".join(headers.FIELDS)
			frappe.throw(_("A mapping knows no field {0}; it knows {1}.").format(field, known))
		if not isinstance(header, str) or not header.strip():
			frappe.throw(_("The mapping of {0} needs a header, or a number such as #3.").format(field))
	if "spend" not in columns or not columns.keys() & {"day", "start"}:
		frappe.throw(_("A mapping needs the columns of spend and of the day."))
	return dict(columns)


def attach(doc: Document, content: bytes | str, file_name: str) -> None:
	"""Keep the file beside its import, privately, under the last part of its name."""
	plain_name = re.sub(r"[^\w.() -]+", "-", re.split(r"[/\\]", file_name)[-1])[-100:]
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": plain_name or "costs.csv",
			"is_private": 1,
			"content": content.encode() if isinstance(content, str) else content,
			"attached_to_doctype": doc.doctype,
			"attached_to_name": doc.name,
			"attached_to_field": "file",
		}
	).insert(ignore_permissions=True)
	doc.db_set("file", file.file_url)


def content_of(url: str | None) -> bytes:
	"""What is in a file of the site that the user may read."""
	files = frappe.get_all("File", {"file_url": url}, order_by="creation", pluck="name") if url else []
	for name in files:
		file = frappe.get_doc("File", name)
		if file.has_permission("read") and not file.is_folder:
			return _bytes(file)
	frappe.throw(_("Attach a file of this site that you may read."))


def _bytes(file: Document) -> bytes:
	if not (file.file_url or "").startswith(("/files/", "/private/files/")):
		frappe.throw(_("Attach a file: what is behind a web address is not read."))
	try:
		with open(file.get_full_path(), "rb") as opened:
			return opened.read(MOST_BYTES + 1)
	except OSError:
		frappe.throw(_("The file {0} is missing.").format(file.file_name))
