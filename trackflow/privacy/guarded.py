"""Keeps fields that a role may not read from being guessed by what a list is filtered, grouped or ordered by (ROL-P).

Frappe leaves out of a list what its reader may not see, and lets the reader choose rows by it all the same: an e-mail address
is then found letter by letter. A list's hook sees no filters, but the request that asks for it does. Two of Frappe's methods
choose rows by filters and ask no such hook: their requests are looked at before.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _

# Those that have such fields, or lead to ones that have.
DOCTYPES = (
	"Attribution Link", "Click Event", "Conversion", "Email Campaign Log", "Link Conversion", "Touch Point", "Visitor", "Visitor Event",
	"Visitor Session",
)  # fmt: skip
_HOOKLESS = ("frappe.client.get", "frappe.client.get_count")
# What a list is to give: of plain names Frappe leaves out what may not be read, what is computed of them is refused here.
_GIVEN = ("fields", "fieldname")
_PLAIN = re.compile(r"(`?tab[\w ]+`?\.|\w+\.)?`?\w+`?")


def refuse_guesses(user: str | None = None, doctype: str = "") -> str:
	"""permission_query_conditions hook: asked for each list that a person gets. Narrows none; refuses one whose request
	names a field, other than to be given it, that the person may not read."""
	if not frappe.request or not (names := _unreadable(user or frappe.session.user)):
		return ""
	_refuse(doctype, names)
	return ""


def refuse_lookups() -> None:
	"""before_request hook: refuses what `refuse_guesses` does where no list is asked for. Who asks is not known yet, so nobody
	may; whoever may read the fields has lists for it."""
	asked = frappe.form_dict
	method = asked.get("cmd") or frappe.request.path.rstrip("/").rpartition("/")[2]
	if method in _HOOKLESS and asked.get("doctype") in DOCTYPES:
		_refuse(asked["doctype"], _unreadable(None))


def _refuse(doctype: str, names: set[str]) -> None:
	"""Refuse the present request if it names one of these fields, other than to be given it."""
	mentioned = re.compile(rf"(?<![a-z0-9_])({'|'.join(sorted(names))})(?![a-z0-9_])")
	for argument, value in frappe.form_dict.items():
		asked = _computed(value) if argument in _GIVEN else value
		if _mentions(asked, mentioned):
			frappe.throw(
				_("You may not choose, group or order rows of {0} by a field that you may not read.").format(
					_(doctype)
				),
				frappe.PermissionError,
			)


def _unreadable(user: str | None) -> set[str]:
	"""Fields of visitors' data that the user may not read; None: that not everybody may."""
	names: set[str] = set()
	for doctype in DOCTYPES:
		meta = frappe.get_meta(doctype)
		levels = meta.get_permlevel_access("read", user=user) if user else [0]
		names |= {
			field.fieldname for field in meta.fields if field.permlevel and field.permlevel not in levels
		}
	return names


def _computed(fields: Any) -> Any:
	"""Of what is to be given, all that is not the plain name of a field."""
	fields = _parsed(fields)
	if isinstance(fields, str):
		fields = fields.split(",")
	if not isinstance(fields, list):
		return fields
	return [one for one in fields if not (isinstance(one, str) and _PLAIN.fullmatch(one.strip()))]


def _mentions(value: Any, mentioned: re.Pattern[str]) -> bool:
	"""Whether a name stands anywhere in a value, however JSON or a database would have it spelled."""
	if isinstance(value, Mapping):
		value = [*value.keys(), *value.values()]
	if isinstance(value, list | tuple):
		return any(_mentions(one, mentioned) for one in value)
	if not isinstance(value, str):
		return False
	if mentioned.search(_letters(value)):
		return True
	# Only behind a backslash can a letter of JSON be another than it looks.
	parsed = _parsed(value) if "\\" in value else value
	return parsed != value and _mentions(parsed, mentioned)


def _letters(text: str) -> str:
	"""A name as a database compares it: without case and accents."""
	plain = unicodedata.normalize("NFKD", text).casefold()
	return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _parsed(value: Any) -> Any:
	try:
		return json.loads(value) if isinstance(value, str) else value
	except (ValueError, RecursionError):
		return value
