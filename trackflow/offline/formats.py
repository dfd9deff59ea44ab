"""What the platforms' formats have in common. Pure."""

import re
from decimal import Decimal
from typing import Any

# ISO 4217, as all three want it.
CURRENCY = re.compile(r"[A-Z]{3}")
# Base64url, hex and UUIDs. The first character is none that a spreadsheet would compute. No platform publishes a length; the bound
# is that of what is stored.
CLICK_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,511}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def name_error(name: str, longest: int) -> str:
	"""What is wrong with the name of a conversion; "" for nothing."""
	if not name.strip() or name != name.strip():
		return "it is empty, or begins or ends with a blank"
	if _CONTROL.search(name):
		return "it holds a line break or another control character"
	if len(name) > longest:
		return f"it is longer than {longest} characters"
	return ""


def decimal_text(value: Decimal) -> str:
	"""Digits with a point, no more of them than needed."""
	text = f"{value:f}"
	return text.rstrip("0").rstrip(".") if "." in text else text


def without_empty(values: dict[str, Any]) -> dict[str, Any]:
	return {name: value for name, value in values.items() if value not in (None, "", {}, [])}
