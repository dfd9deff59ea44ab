"""Checks that several controllers share. Each gives back the value as it is stored, or stops with clear words."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_network
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from trackflow.links import destination


def parsed(value: Any, label: str) -> Any:
	"""What a caller sent, as JSON or already read."""
	try:
		return frappe.parse_json(value)
	except (ValueError, RecursionError):
		frappe.throw(_("{0} is not valid JSON.").format(_(label)))


def is_storable(value: Any) -> bool:
	"""Whether databases keep it: half a surrogate pair can be said in JSON and stored nowhere; NaN and Infinity are no JSON,
	although Python reads them."""
	try:
		json.dumps(value, ensure_ascii=False, allow_nan=False, default=str).encode()
	except (ValueError, RecursionError):
		return False
	return True


def plain_text(value: Any, label: str) -> str:
	"""A text, "" for nothing."""
	if value is not None and not isinstance(value, str):
		frappe.throw(_("{0} must be a text.").format(_(label)))
	if not is_storable(value):
		frappe.throw(_("{0} holds characters that no text can hold.").format(_(label)))
	return value or ""


def readable(doctype: str, name: Any) -> Document:
	"""The document, for a user who may read it. Who may read none of its kind is not told which there are."""
	frappe.has_permission(doctype, "read", throw=True)
	doc = frappe.get_doc(doctype, plain_text(name, "name"))
	doc.check_permission("read")
	return doc


def listed_names(value: Any, label: str) -> list[str]:
	"""Names of documents, as a list or its JSON."""
	found = parsed(value, label) or []
	if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
		frappe.throw(_("{0} must be a list of names.").format(_(label)))
	return [plain_text(name, label) for name in found]


def whole_number(value: Any, label: str) -> int:
	"""A whole number, as one or as its digits."""
	text = str(value).strip()
	if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,9}", text):
		frappe.throw(_("{0} must be a whole number.").format(_(label)))
	return int(text)


def yes_or_no(value: Any, label: str) -> bool | None:
	"""1 or 0; None where nothing was said."""
	if value in ("", None):
		return None
	number = whole_number(value, label)
	if number not in (0, 1):
		frappe.throw(_("{0} must be 1 or 0.").format(_(label)))
	return bool(number)


def json_object(value: Any, label: str) -> dict[str, Any] | None:
	"""A JSON field that holds an object or nothing. Nothing is None: a database refuses an empty text as JSON."""
	if isinstance(value, str) and not value.strip():
		return None
	found = parsed(value, label)
	if found is not None and not isinstance(found, Mapping):
		frappe.throw(_('{0} must be an object such as {{"name": "value"}}.').format(_(label)))
	if not is_storable(found):
		frappe.throw(_("{0} holds NaN, an infinite number or half of a character.").format(_(label)))
	return dict(found) if found else None


def stored_json(value: Any, label: str) -> str | None:
	"""The same as the text that is stored."""
	found = json_object(value, label)
	return frappe.as_json(found, indent=1) if found else None


def channel_weights(value: Any, label: str) -> str | None:
	"""The JSON of channel weights, `{"channel_weights": {channel: number of at least 0}}`, as it is stored."""
	found = json_object(value, label)
	if not found:
		return None
	if unknown := set(found) - {"channel_weights"}:
		frappe.throw(_("{0} does not know {1}.").format(_(label), ", ".join(sorted(unknown))))
	weights = found["channel_weights"]
	if not isinstance(weights, Mapping) or not all(_is_weight(weight) for weight in weights.values()):
		frappe.throw(_("{0}: each channel needs a number of at least 0.").format(_(label)))
	return frappe.as_json(found, indent=1)


def networks(values: Iterable[str], label: str) -> list[str]:
	"""Addresses and CIDR ranges, IPv4 and IPv6, as they are stored: a lone address stays one."""
	found = []
	for value in values:
		try:
			network = ip_network(value.strip(), strict=False)
		except ValueError:
			frappe.throw(
				_("{0}: {1} is neither an address nor a range such as 10.0.0.0/8.").format(_(label), value)
			)
		found.append(str(network.network_address if "/" not in value else network))
	return found


def lines(value: str | None) -> list[str]:
	"""The lines of a text that are not blank, each once, in order."""
	return list(dict.fromkeys(line.strip() for line in (value or "").splitlines() if line.strip()))


def check_choice(name: str, value: str, choices: Collection[str]) -> str:
	"""The option, if it is empty or one of these."""
	if value and value not in choices:
		frappe.throw(_("{0} must be one of these: {1}.").format(name, ", ".join(choices)))
	return value


def within(value: Any, lowest: int, highest: int, label: str) -> None:
	"""Stop unless the whole number lies between the two, ends included."""
	if not lowest <= cint(value) <= highest:
		frappe.throw(_("{0} must be between {1} and {2}.").format(_(label), lowest, highest))


def web_address(value: str | None, label: str, own_hosts: Iterable[str] = ()) -> str:
	"""An http(s) address that may be a destination, or nothing; blanks around it are dropped."""
	address = plain_text(value, label).strip()
	if address:
		try:
			destination.check(address, set(own_hosts))
		except destination.DestinationError as error:
			frappe.throw(f"{_(label)}: {_(str(error))}")
	return address


def _is_weight(value: Any) -> bool:
	return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
