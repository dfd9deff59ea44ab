"""Segment's HTTP API in our words (COL-4): which calls it has, its messages as events, our verdict as its libraries read it. Pure.

Whatever the bytes, `read_batch` gives a Batch or raises BatchError. Ids of users never travel on: `collector` makes visitor ids
of them. Nothing of a group or an alias is kept but that it was said, since both may name persons.
"""

import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from trackflow.tracking import identity
from trackflow.tracking.events import Batch, BatchError, checked_number, loaded, sent_seconds
from trackflow.tracking.parameters import utm_of

# As the libraries write them, long and short.
CALLS = {
	"/v1/identify": "identify", "/v1/track": "track", "/v1/page": "page", "/v1/screen": "screen", "/v1/group": "group",
	"/v1/alias": "alias", "/v1/batch": "batch", "/v1/import": "batch", "/v1/i": "identify", "/v1/t": "track",
	"/v1/p": "page", "/v1/s": "screen", "/v1/g": "group", "/v1/a": "alias", "/v1/b": "batch",
}  # fmt: skip
# What Segment takes, and its libraries keep to.
MAX_BYTES = 500 * 1024
MAX_MESSAGES = 1000
# Its names for what others call a conversion.
CONVERSIONS = frozenset(
	{"order completed", "completed order", "signed up", "trial started", "subscription started"}
)
_VALUES = ("revenue", "total", "value")
_CAMPAIGN = {
	"name": "utm_campaign",
	"source": "utm_source",
	"medium": "utm_medium",
	"term": "utm_term",
	"content": "utm_content",
}
_OF_PAGE = frozenset({"url", "title", "referrer", "path", "search", "name"})


def claims(path: str, authorization: str) -> bool:
	"""Whether a POST is a call of this API: of these addresses alone, and with a write key."""
	return path in CALLS and authorization[:6].lower() == "basic "


def read_batch(path: str, body: bytes, encoding: str = "") -> Batch:
	"""The messages of a call as events. Raises BatchError."""
	if len(body) > MAX_BYTES:
		raise BatchError(413, "too_large", f"The body is larger than {MAX_BYTES} bytes.")
	data = loaded(_plain(body, encoding))
	call = CALLS[path]
	messages = data.get("batch") if call == "batch" else [{**data, "type": call}]
	if not isinstance(messages, list):
		raise BatchError(400, "batch_not_a_list", "batch is not a list.")
	if not 1 <= len(messages) <= MAX_MESSAGES:
		raise BatchError(
			400, "number_of_messages", f"A batch has 1 to {MAX_MESSAGES} messages, not {len(messages)}."
		)
	common = _object(data.get("context"))
	return Batch("", [_event(one, common) for one in messages], sent_seconds(data.get("sentAt")))


def told(status: int, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
	"""Status and body as the libraries want them: 200 for what was taken, a `code` for what was not."""
	if status == 202:
		return 200, {"success": True, **body}
	if body.get("error") == "no_key":
		status, body = (
			401,
			{"error": "no_key", "message": "The write key is missing, or belongs to no domain."},
		)
	return status, {"success": False, "code": body.get("error", "rejected"), "message": "", **body}


def _plain(body: bytes, encoding: str) -> bytes:
	if encoding.strip().lower() not in ("gzip", "x-gzip"):
		return body
	unpacking = zlib.decompressobj(wbits=31)
	try:
		plain = unpacking.decompress(body, MAX_BYTES + 1)
	except zlib.error:
		raise BatchError(400, "not_gzip", "The body is not what Content-Encoding says.") from None
	if len(plain) > MAX_BYTES:
		raise BatchError(413, "too_large", f"The body is larger than {MAX_BYTES} bytes.")
	return plain


def _event(message: Any, common: Mapping[str, Any]) -> Any:
	"""A message as an event in our spelling; what is wrong with its values is said by whoever reads that."""
	if not isinstance(message, dict):
		return message
	context = {**common, **_object(message.get("context"))}
	page = _object(context.get("page"))
	event = {
		"eventId": message.get("messageId"),
		"timestamp": message.get("originalTimestamp") or message.get("timestamp"),
		"url": _with_campaign(page.get("url"), _object(context.get("campaign"))),
		"referrer": page.get("referrer"),
		"title": page.get("title"),
		"screen": _screen(_object(context.get("screen"))),
		"consent": _consent(context.get("consent")),
		"ip": context.get("ip"),
		"userAgent": context.get("userAgent"),
		**_whose(message),
	}
	made = _MAKERS.get(message.get("type") if isinstance(message.get("type"), str) else "")
	if made is None:
		return {**event, "type": message.get("type")}
	return {**event, **{name: value for name, value in made(message, event).items() if value is not None}}


def _whose(message: Mapping[str, Any]) -> dict[str, Any]:
	anonymous_id, user_id = message.get("anonymousId"), message.get("userId")
	if identity.is_visitor_id(anonymous_id):
		return {"visitorId": anonymous_id}
	# Some send numbers.
	foreign = anonymous_id if anonymous_id not in (None, "") else user_id
	return {
		"anonymousId": str(foreign) if isinstance(foreign, int) and not isinstance(foreign, bool) else foreign
	}


def _track(message: Mapping[str, Any], _event: Mapping[str, Any]) -> dict[str, Any]:
	properties, name = message.get("properties"), message.get("event")
	values = _object(properties)
	is_conversion = isinstance(name, str) and name.strip().lower() in CONVERSIONS
	amount = next((values[one] for one in _VALUES if checked_number(values.get(one))), None)
	currency = values.get("currency") if amount is not None else None
	kind = "CONVERSION" if is_conversion else "CUSTOM"
	return {"type": kind, "name": name, "properties": properties, "value": amount, "currency": currency}


def _page(message: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
	properties = _object(message.get("properties"))
	url = properties.get("url") or event["url"]
	name = message.get("name") or properties.get("name")
	rest = {one: value for one, value in properties.items() if one not in _OF_PAGE}
	return {
		"type": "PAGE_VIEW" if url else "CUSTOM",
		"name": name or "Viewed Page",
		"url": url,
		"title": properties.get("title"),
		"referrer": properties.get("referrer"),
		"properties": rest or None,
	}


def _screen_view(message: Mapping[str, Any], _event: Mapping[str, Any]) -> dict[str, Any]:
	name = message.get("name")
	return {
		"type": "CUSTOM",
		"name": f"Viewed {name} Screen" if isinstance(name, str) and name else "Viewed Screen",
		"properties": message.get("properties"),
	}


def _identify(message: Mapping[str, Any], _event: Mapping[str, Any]) -> dict[str, Any]:
	traits = _object(message.get("traits"))
	parts = (traits.get("firstName"), traits.get("lastName"))
	name = traits.get("name") or " ".join(one for one in parts if isinstance(one, str) and one)
	return {"type": "IDENTIFY", "properties": {"email": traits.get("email"), "name": name}}


def _said(name: str) -> Any:
	return lambda _message, _event: {"type": "CUSTOM", "name": name}


_MAKERS = {
	"track": _track,
	"page": _page,
	"screen": _screen_view,
	"identify": _identify,
	"group": _said("Group"),
	"alias": _said("Alias"),
}


def _with_campaign(url: Any, campaign: Mapping[str, Any]) -> Any:
	"""The page's address with the campaign in it, unless it names one itself."""
	named = {
		_CAMPAIGN[one]: value
		for one, value in campaign.items()
		if one in _CAMPAIGN and isinstance(value, str)
	}
	if not isinstance(url, str) or not url or not named or utm_of(url):
		return url
	address, mark, fragment = url.partition("#")
	between = "&" if "?" in address else "?"
	return f"{address}{between}{urlencode(named, errors='replace')}{mark}{fragment}"


def _consent(consent: Any) -> Any:
	"""The visitor's word: as ours, or as the preferences by category that Segment's own tools send."""
	if not isinstance(consent, Mapping):
		return consent
	preferences = consent.get("categoryPreferences")
	if not isinstance(preferences, Mapping) or not preferences:
		return None
	by_name = {str(name).lower(): value is True for name, value in preferences.items()}
	return by_name["analytics"] if "analytics" in by_name else all(by_name.values())


def _screen(screen: Mapping[str, Any]) -> str | None:
	width, height = screen.get("width"), screen.get("height")
	return f"{width}x{height}" if isinstance(width, int) and isinstance(height, int) else None


def _object(value: Any) -> dict[str, Any]:
	return value if isinstance(value, dict) else {}
