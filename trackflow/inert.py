"""Makes texts that visitors control inert before they are stored (SEC-2). Pure.

Frappe cleans what people enter, and shows what is stored as markup in lists, reports and prints; what visitors send is written
past that cleaning. So nothing is stored that could begin a tag, wherever it will be shown. All else stays as it came.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

# What HTML takes for the beginning of a tag, a comment or a declaration; "a < b" and "<3" are none.
_BEGINS_TAG = re.compile(r"<(?=[A-Za-z/!?])")
# Looks the same and means nothing.
_INSTEAD = "‹"


def inert(text: str) -> str:
	"""A text in which nothing begins a tag."""
	return _BEGINS_TAG.sub(_INSTEAD, text) if "<" in text else text


def inert_row(row: Mapping[str, Any]) -> dict[str, Any]:
	"""A row whose texts are inert."""
	return {
		name: inert(value) if type(value) is str and "<" in value else value for name, value in row.items()
	}


def json_text(value: Any) -> str:
	"""A value as JSON that no browser takes for markup; read again, it is the same value."""
	return json.dumps(value).replace("<", "\\u003c")
