"""Names of new documents: by the class's `autoname`, by the DocType's `autoname` rule, else by chance."""

import base64
import re
import secrets
from collections.abc import Callable
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import DocType
from frappe.utils import cint, cstr, now_datetime

BRACED = re.compile(r"\{(.*?)\}")
INVALID_CHARACTERS = re.compile(r"[<>]")
HASH_LENGTH = 10


def set_new_name(doc: Any) -> None:
	"""Set `doc.name`. A name that is there already only stays where the rule is `prompt`, or in an import."""
	doc.run_method("before_naming")
	meta = frappe.get_meta(doc.doctype)
	autoname = meta.autoname or ""
	if autoname.lower() != "prompt" and not frappe.flags.in_import:
		doc.name = None
	if meta.issingle:
		doc.name = doc.doctype
	if not doc.name:
		doc.run_method("autoname")
	if not doc.name and autoname:
		set_name_from_naming_options(autoname, doc)
	if not doc.name:
		doc.name = make_autoname("hash", doc.doctype)
	doc.name = validate_name(doc.doctype, doc.name)


def set_name_from_naming_options(autoname: str, doc: Any) -> None:
	rule, _colon, rest = autoname.partition(":")
	rule = rule.lower()
	if rule == "field":
		doc.name = cstr(doc.get(rest)).strip()
		if not doc.name:
			frappe.throw(_("{0} is required").format(doc.meta.get_label(rest)))
	elif rule == "naming_series":
		doc.naming_series = doc.naming_series or get_default_naming_series(doc.doctype)
		if not doc.naming_series:
			frappe.throw(_("Naming Series mandatory"))
		doc.name = make_autoname(f"{doc.naming_series}.#####", "", doc)
	elif rule == "prompt":
		if not doc.name:
			frappe.throw(_("Please set the document name"))
	elif rule == "format":
		doc.name = _format(rest, doc)
	elif "#" in autoname:
		doc.name = make_autoname(autoname, doc=doc)


def _format(pattern: str, doc: Any) -> str:
	"""`INV-{YYYY}-{customer}-{####}`: every brace is a part of a series."""

	def part(match: re.Match) -> str:
		text = match.group(1)
		if text.startswith("#"):
			prefix = BRACED.sub(lambda m: "" if m.group(1).startswith("#") else part(m), pattern)
			return getseries(prefix, len(text))
		return parse_naming_series([text], doc=doc)

	return BRACED.sub(part, pattern)


def make_autoname(key: str = "", doctype: str = "", doc: Any = "", *, ignore_validate: bool = False) -> str:
	"""A name by a series (`ABC-.YYYY.-.####`), or a random one for `hash`."""
	if key == "hash":
		return _random_name()
	if "#" not in key:
		key += ".#####"
	return parse_naming_series(key.split("."), doctype, doc)


def _random_name(length: int = HASH_LENGTH) -> str:
	# base 32: MariaDB's names do not distinguish case
	return base64.b32hexencode(secrets.token_bytes(length)).decode()[:length].lower()


def parse_naming_series(
	parts: list[str] | str,
	doctype: str | None = None,
	doc: Any = None,
	number_generator: Callable[[str, int], str] | None = None,
) -> str:
	"""The name that the parts of a series make; the first group of # counts per text before it."""
	parts = parts.split(".") if isinstance(parts, str) else parts
	number, today = number_generator or getseries, now_datetime()
	dates = {
		"YY": "%y",
		"MM": "%m",
		"DD": "%d",
		"YYYY": "%Y",
		"WW": "%V",
	}
	name, counted = "", False
	for part in parts:
		if part.startswith("#"):
			if not counted:
				name += number(name, len(part))
				counted = True
		elif part in dates:
			name += today.strftime(dates[part])
		elif part == "timestamp":
			name += str(today)
		elif doc and (part.startswith("{") or (part and doc.get(part) is not None)):
			name += cstr(doc.get(part.strip("{}"))).strip()
		else:
			name += part
	return name


def getseries(key: str, digits: int) -> str:
	"""The next number of a series, under a lock that lasts as long as the transaction."""
	series = DocType("Series")
	current = frappe.qb.from_(series).where(series.name == key).for_update().select(series.current).run()
	if current and current[0][0] is not None:
		frappe.qb.update(series).set(series.current, series.current + 1).where(series.name == key).run()
		number = cint(current[0][0]) + 1
	else:
		frappe.qb.into(series).columns("name", "current").insert(key, 1).run()
		number = 1
	return str(number).zfill(digits)


def revert_series_if_last(key: str, name: str, doc: Any = None) -> None:
	"""Give the last number of a series back when its document is deleted."""
	prefix = parse_naming_series(key.split("#")[0].rstrip(".").split("."), doc=doc)
	series = DocType("Series")
	current = frappe.qb.from_(series).where(series.name == prefix).for_update().select(series.current).run()
	if current and name == f"{prefix}{str(current[0][0]).zfill(len(name) - len(prefix))}":
		frappe.qb.update(series).set(series.current, series.current - 1).where(series.name == prefix).run()


def get_default_naming_series(doctype: str) -> str | None:
	return next((option for option in frappe.get_meta(doctype).get_naming_series_options() if option), None)


def validate_name(doctype: str, name: Any) -> str:
	"""A name without surrounding spaces and without characters that names must not have."""
	if not name:
		frappe.throw(_("No Name Specified for {0}").format(doctype))
	if isinstance(name, int):
		return name
	name = cstr(name).strip()
	if name.startswith(("New " + doctype, "new-" + frappe.scrub(doctype).replace("_", "-"))):
		frappe.throw(
			_("There were some errors setting the name, please contact the administrator"), frappe.NameError
		)
	if special := INVALID_CHARACTERS.findall(name):
		frappe.throw(
			_("Name cannot contain special characters like {0}").format(
				", ".join(f"'{character}'" for character in special)
			),
			frappe.NameError,
		)
	return name


def append_number_if_name_exists(
	doctype: str, value: str, fieldname: str = "name", separator: str = "-", filters: dict | None = None
) -> str:
	"""`value`, or `value-1`, `value-2` … where documents of these names exist."""
	if not frappe.db.exists(doctype, {**(filters or {}), fieldname: value}):
		return value
	taken = set(
		frappe.get_all(doctype, filters={fieldname: ["like", f"{value}{separator}%"]}, pluck=fieldname)
	)
	number = 1
	while f"{value}{separator}{number}" in taken:
		number += 1
	return f"{value}{separator}{number}"
