"""Reads what websites send: a body into a batch, each event into checked values or a reason (COL-1). Pure.

Whatever the bytes, the answer is a `Batch` or a `BatchError`; an event that is wrong does not spoil the others. Form values
and anything else that must not be kept are dropped here, at the door (COL-7).
"""

import json
import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

from trackflow.tracking import identity
from trackflow.tracking.parameters import LENGTH

TYPES = ("PAGE_VIEW", "CONVERSION", "CUSTOM", "FORM_SUBMIT", "IDENTIFY", "CONSENT")
MAX_EVENTS = 100
MAX_BYTES = 256 * 1024
MAX_PROPERTIES_BYTES = 8 * 1024
MAX_URL = 2048
MAX_LATENESS = timedelta(hours=24)
MAX_VALUE = Decimal(10) ** 12
# What a Currency field keeps.
STORED_PLACES = Decimal("1e-9")
# Conversions that the CRM's documents make: no website may claim to have won a deal.
RESERVED_NAMES = frozenset({"lead", "dealwon"})
# All that is kept of a form: what it is called and which fields it has, and of what was typed these three alone, where the
# collector finds that they may be.
FORM_PROPERTIES = ("form_id", "form_name", "fields")
FORM_VALUES = ("first_name", "last_name", "email")
CONSENTS = {True: "granted", False: "denied", "granted": "granted", "denied": "denied"}


class BatchError(ValueError):
	"""The body as a whole is refused: HTTP `status`, a `code` for programs, a text for people."""

	def __init__(self, status: int, code: str, text: str) -> None:
		super().__init__(text)
		self.status, self.code = status, code


class EventError(ValueError):
	"""One event is refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Batch:
	"""The site's public key, the raw events, and the client's clock when it sent them (seconds, or None)."""

	public_key: str
	events: list[Any]
	sent_at: float | None


@dataclass(frozen=True, slots=True)
class Event:
	"""One event, checked and cropped. `at` is in seconds since 1970 by our clock; texts are "" where not given."""

	event_id: str
	type: str
	at: float
	name: str = ""
	url: str = ""
	referrer: str = ""
	title: str = ""
	visitor_id: str = ""
	value: str = "0"
	currency: str = ""
	consent: str = ""
	screen: str = ""
	viewport: str = ""
	properties: dict[str, Any] | None = None
	form: dict[str, Any] | None = None
	email: str = ""
	full_name: str = ""


def read_batch(body: bytes) -> Batch:
	"""The batch in a body: one event with a `publicKey`, or `events` of 1 to 100. Raises BatchError."""
	if len(body) > MAX_BYTES:
		raise BatchError(413, "too_large", f"The body is larger than {MAX_BYTES} bytes.")
	try:
		data = json.loads(body, parse_constant=_no_number, parse_float=_finite)
	except (ValueError, RecursionError):
		raise BatchError(400, "not_json", "The body is not JSON.") from None
	if not isinstance(data, dict):
		raise BatchError(400, "not_an_object", "The body is not a JSON object.")
	public_key = data.get("publicKey")
	if not isinstance(public_key, str) or not public_key:
		raise BatchError(400, "no_key", "publicKey is missing.")
	events = data.get("events", [data])
	if not isinstance(events, list):
		raise BatchError(400, "events_not_a_list", "events is not a list.")
	if not 1 <= len(events) <= MAX_EVENTS:
		raise BatchError(400, "number_of_events", f"A batch has 1 to {MAX_EVENTS} events, not {len(events)}.")
	try:
		sent_at = _seconds(data.get("sentAt"), "sentAt")
	except EventError as error:
		raise BatchError(400, "sent_at", str(error)) from None
	return Batch(public_key, events, sent_at)


def read_event(raw: Any, received: float, sent_at: float | None) -> Event:
	"""One event of a batch that came at `received` (seconds). Raises EventError."""
	if not isinstance(raw, dict):
		raise EventError("The event is not an object.")
	event_id = _text(raw, "eventId", LENGTH, crop=False)
	if not event_id:
		raise EventError("eventId is missing.")
	kind = _text(raw, "type", LENGTH).upper()
	if kind not in TYPES:
		raise EventError(f"type is none of {', '.join(TYPES)}.")
	_text(raw, "sessionId", LENGTH)
	url = _url(raw, "url")
	if kind == "PAGE_VIEW" and not url:
		raise EventError("A PAGE_VIEW needs a url.")
	name = _text(raw, "name", LENGTH)
	if kind == "CONVERSION" and _letters(name) in RESERVED_NAMES:
		raise EventError(f"A conversion called {name} is made by the CRM alone.")
	properties = _properties(raw)
	return Event(
		event_id=event_id,
		type=kind,
		at=_time(raw, received, sent_at),
		name=name,
		url=url,
		referrer=_url(raw, "referrer"),
		title=_text(raw, "title", LENGTH),
		visitor_id=_visitor_id(raw),
		value=_value(raw),
		currency=_currency(raw),
		consent=_consent(raw),
		screen=_text(raw, "screen", LENGTH),
		viewport=_text(raw, "viewport", LENGTH),
		**_kept(kind, properties),
	)


def _finite(text: str) -> float:
	value = float(text)
	return value if math.isfinite(value) else _no_number(text)


def _no_number(name: str) -> NoReturn:
	"""NaN and Infinity: Python reads them, JSON and databases do not know them."""
	raise ValueError(f"{name} is not JSON")


def _letters(name: str) -> str:
	"""A name as a database compares it: without accents, case, blanks and what cannot be seen."""
	plain = unicodedata.normalize("NFKD", name).casefold()
	return "".join(letter for letter in plain if letter.isalnum())


def _kept(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
	"""What is kept of an event's properties, by its type."""
	if kind == "FORM_SUBMIT":
		form = {name: _form_property(properties[name]) for name in FORM_PROPERTIES if name in properties}
		return {"form": form | _form_values(properties.get("values"))}
	if kind == "IDENTIFY":
		return {
			"email": _text(properties, "email", LENGTH).strip().lower(),
			"full_name": _text(properties, "name", LENGTH).strip(),
		}
	return {"properties": properties}


def without_values(form: dict[str, Any] | None) -> dict[str, Any] | None:
	"""A form without what was typed."""
	return {name: value for name, value in form.items() if name != "values"} if form else form


def _form_values(typed: Any) -> dict[str, dict[str, str]]:
	"""The three that may be kept, of whatever was typed."""
	if not isinstance(typed, dict):
		return {}
	texts = {name: typed[name].strip()[:LENGTH] for name in FORM_VALUES if isinstance(typed.get(name), str)}
	return {"values": values} if (values := {name: text for name, text in texts.items() if text}) else {}


def _form_property(value: Any) -> Any:
	if isinstance(value, list):
		return [str(one)[:LENGTH] for one in value if isinstance(one, str)][:100]
	return str(value)[:LENGTH]


def _properties(raw: dict[str, Any]) -> dict[str, Any]:
	properties = raw.get("properties")
	if properties is None:
		return {}
	if not isinstance(properties, dict):
		raise EventError("properties is not an object.")
	if len(json.dumps(properties)) > MAX_PROPERTIES_BYTES:
		raise EventError(f"properties are larger than {MAX_PROPERTIES_BYTES} bytes.")
	return properties


def _text(raw: dict[str, Any], name: str, length: int, crop: bool = True) -> str:
	value = raw.get(name)
	if value is None:
		return ""
	if not isinstance(value, str):
		raise EventError(f"{name} is not a text.")
	if len(value) > length and not crop:
		raise EventError(f"{name} is longer than {length} characters.")
	# A lone surrogate is legal JSON but no text that a database or a stream could keep.
	return value[:length].replace("\x00", "").encode("utf-8", "replace").decode()


def _url(raw: dict[str, Any], name: str) -> str:
	url = _text(raw, name, MAX_URL).strip()
	if "\\" in url:
		# A browser takes it for a slash, and so for another host than is read here.
		raise EventError(f"{name} is not an address.")
	if url and not url.lower().startswith(("http://", "https://")):
		# Apps and browsers send about:, android-app: and the like: no page, but no reason to lose the event.
		return ""
	return url


def _visitor_id(raw: dict[str, Any]) -> str:
	visitor_id = _text(raw, "visitorId", LENGTH)
	if visitor_id and not identity.is_visitor_id(visitor_id):
		raise EventError("visitorId is not the id of a visitor.")
	return visitor_id


def _consent(raw: dict[str, Any]) -> str:
	consent = raw.get("consent")
	if consent is None:
		return ""
	if isinstance(consent, bool | str) and consent in CONSENTS:
		return CONSENTS[consent]
	raise EventError("consent is neither granted nor denied.")


def _currency(raw: dict[str, Any]) -> str:
	currency = _text(raw, "currency", LENGTH).upper()
	if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
		raise EventError("currency is not a code of three letters.")
	return currency


def _value(raw: dict[str, Any]) -> str:
	"""The value as a decimal text, from `value` or else `valueMicros`."""
	name, scale = ("value", 1) if raw.get("value") is not None else ("valueMicros", 1_000_000)
	value = raw.get(name)
	if value is None:
		return "0"
	if isinstance(value, bool) or not isinstance(value, int | float | str):
		raise EventError(f"{name} is not a number.")
	try:
		amount = Decimal(str(value)) / scale
		if not amount.is_finite() or abs(amount) >= MAX_VALUE:
			raise EventError(f"{name} is out of range.")
		return f"{amount.quantize(STORED_PLACES).normalize():f}"
	except DecimalException:
		raise EventError(f"{name} is not a number.") from None


def _time(raw: dict[str, Any], received: float, sent_at: float | None) -> float:
	"""When the event happened by our clock: its age by the client's clock, taken off the time it came."""
	happened = _seconds(raw.get("timestamp"), "timestamp")
	if happened is None:
		return received
	age = (received if sent_at is None else sent_at) - happened
	if abs(age) > MAX_LATENESS.total_seconds():
		raise EventError("timestamp is more than 24 hours away.")
	return received - max(age, 0)


def _seconds(value: Any, name: str) -> float | None:
	"""A time as ISO 8601 with offset, or as milliseconds since 1970, in seconds."""
	if value is None:
		return None
	try:
		if isinstance(value, str):
			moment = datetime.fromisoformat(value)
			if moment.tzinfo is None:
				raise EventError(f"{name} has no time zone.")
			return moment.timestamp()
		if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
			return value / 1000
	except (ValueError, OverflowError) as error:
		if isinstance(error, EventError):
			raise
	raise EventError(f"{name} is not a time.")
