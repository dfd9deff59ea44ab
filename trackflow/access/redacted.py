"""What may be kept of a request with a key (KEY-2, SEC-3). Pure.

Neither a secret nor a person gets into it: of an address the part that says what was asked for, of arguments their names, and the
values of those that only say how. All else is blacked out, whatever it is. What is kept is inert.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from trackflow.access.scopes import NOUNS
from trackflow.inert import inert
from trackflow.privacy.personal import BY_DOCTYPE
from trackflow.tracking.segment import CALLS

BLACK = "█"
# Longer parts of addresses and values are no words of the API.
LONGEST = 140
MOST_ARGUMENTS = 40
# Arguments that say how, when and of which kind, never whom.
KEPT = frozenset(
	{
		"date_range", "dimension", "doctype", "dry_run", "error_correction", "figure", "format", "from_date", "grain", "group_by",
		"kind", "limit", "limit_page_length", "limit_start", "margin", "model", "models", "platform", "position", "reason", "report_name",
		"severity", "size", "start", "to_date", "what",
	}
)  # fmt: skip

_METHOD = re.compile(rf"[A-Za-z_][\w.]{{0,{LONGEST - 1}}}", re.ASCII)
_ARGUMENT = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_VALUE = re.compile(rf"[\w .:+/-]{{0,{LONGEST}}}", re.ASCII)
# Parts of an address that are the API's own.
_OWN = frozenset(
	{"api", "v1", "v2", "method", "resource", "document", "doctype", "collect"}.union(
		*(path.strip("/").split("/") for path in CALLS)
	)
)


def endpoint(path: str) -> str:
	"""The address of a request without whatever names somebody: a method, a DocType of ours, a document of one that tells of nobody."""
	return "/" + "/".join(_parts(path.strip("/").split("/")))


def arguments(given: Mapping[str, Any]) -> str:
	"""The arguments of a request as JSON: their names, and the values of KEPT."""
	named = ((name, value) for name, value in given.items() if _is(name, _ARGUMENT))
	told = {name: _told(name, value) for name, value in islice(named, MOST_ARGUMENTS)}
	return json.dumps(told, ensure_ascii=False)


def _parts(parts: list[str]) -> Iterator[str]:
	kind, doctype = "", ""
	for part in parts[:6]:
		if doctype:
			yield _name_of(doctype, part)
		elif kind in ("resource", "document", "doctype"):
			doctype = part if part in NOUNS else BLACK
			yield doctype
		elif kind == "method":
			kind = "done"
			yield part if _is(part, _METHOD) else BLACK
		elif not kind and part in _OWN:
			yield part
			kind = part if part not in ("api", "v1", "v2") else ""
		else:
			yield BLACK


def _name_of(doctype: str, part: str) -> str:
	is_kept = doctype in NOUNS and doctype not in BY_DOCTYPE
	return inert(part) if is_kept and len(part) <= LONGEST and "@" not in part else BLACK


def _told(name: str, value: Any) -> Any:
	if name not in KEPT:
		return BLACK
	is_plain = value is None or (isinstance(value, int) and abs(value) < 10**12) or _is(value, _VALUE)
	return value if is_plain else BLACK


def _is(value: Any, pattern: re.Pattern[str]) -> bool:
	return isinstance(value, str) and pattern.fullmatch(value) is not None
