"""Reads what websites send: a body into a batch, each event into checked values or a reason (COL-1). Pure.

Whatever the bytes, the answer is a `Batch` or a `BatchError`; an event that is wrong does not spoil the others. Form values
and anything else that must not be kept are dropped here, at the door (COL-7). A body whose types are right is read by
msgspec at once; any other is read value by value, which is slow and can say what is wrong with each.
"""

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

import msgspec

from trackflow.tracking import dialects, identity
from trackflow.tracking.parameters import LENGTH

TYPES = ("PAGE_VIEW", "CONVERSION", "CUSTOM", "FORM_SUBMIT", "IDENTIFY", "CONSENT")
MAX_EVENTS = 100
MAX_BYTES = 256 * 1024
MAX_PROPERTIES_BYTES = 8 * 1024
MAX_URL = 2048
# MariaDB takes no JSON of more than 32 levels.
MAX_DEPTH = 20
MAX_AGENT = 512
MAX_FOREIGN_ID = 512
MAX_LATENESS = timedelta(hours=24)
MAX_POLICY_VERSION = 2**31 - 1
MAX_VALUE = Decimal(10) ** 12
# What a Currency field keeps.
STORED_PLACES = Decimal("1e-9")
# Conversions that the CRM's documents make: no website may claim to have won a deal.
RESERVED_NAMES = frozenset({"lead", "dealwon"})
# All that is kept of a form: what it is called and which fields it has, and of what was typed these three alone, where the
# collector finds that they may be.
FORM_NAMES = ("form_id", "form_name")
MOST_FIELDS = 100
FORM_VALUES = ("first_name", "last_name", "email")
# Of whose properties a part is kept, at most.
_SPARING = frozenset({"FORM_SUBMIT", "IDENTIFY"})
# Python reads more as a number: underscores, digits of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# "none": the website asks nobody, so nothing was said.
CONSENTS = {True: "granted", False: "denied", "granted": "granted", "denied": "denied", "none": ""}


class BatchError(ValueError):
	"""The body as a whole is refused: HTTP `status`, a `code` for programs, a text for people, and where it may be taken
	later the seconds to `wait`."""

	def __init__(self, status: int, code: str, text: str, wait: int = 0) -> None:
		super().__init__(text)
		self.status, self.code, self.wait = status, code, wait


class EventError(ValueError):
	"""One event is refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Batch:
	"""The site's public key ("" where none is named), the events as they came, and the client's clock when it sent them
	(seconds, or None)."""

	public_key: str
	events: list[Any]
	sent_at: float | None


class Raw(msgspec.Struct, frozen=True):
	"""One event as it came, with the right types and nothing else checked."""

	eventId: str | None = None
	type: str | None = None
	name: str | None = None
	url: str | None = None
	referrer: str | None = None
	title: str | None = None
	visitorId: str | None = None
	# Whoever does not use our ids says their own.
	anonymousId: str | None = None
	sessionId: str | None = None
	currency: str | None = None
	screen: str | None = None
	viewport: str | None = None
	timestamp: int | float | str | None = None
	value: int | float | str | None = None
	valueMicros: int | float | str | None = None
	consent: bool | str | None = None
	# Of any type: one that is wrong is told by whoever reads the event.
	policyVersion: Any = None
	properties: dict[str, Any] | None = None
	# What the website adds to every event.
	fields: dict[str, Any] | None = None
	# Whose event it is, where a server tells it.
	ip: str | None = None
	userAgent: str | None = None


class _Body(msgspec.Struct, frozen=True):
	"""The common body: a batch of which every type is right."""

	events: list[Raw]
	publicKey: str = ""
	sentAt: int | float | str | None = None
	# What tells that it is spelled otherwise.
	eventType: Any = None
	event_type: Any = None


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
	"""One event, checked and cropped. `at` is in seconds since 1970 by our clock; texts are "" where not given.

	`anonymous_id` is the sender's own name of the visitor, `policy_version` the policy under which consent was asked for, a
	number or a text. `address` and `user_agent` are what a server says of whose event it is: to be believed only of one with
	a secret key.
	"""

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
	anonymous_id: str = ""
	address: str = ""
	user_agent: str = ""
	policy_version: int | str | None = None


_TEXTS = (
	"eventId", "type", "name", "url", "referrer", "title", "visitorId", "anonymousId", "sessionId", "currency", "screen",
	"viewport", "ip", "userAgent",
)  # fmt: skip
_BY_SPELLING = {kind: kind for kind in TYPES}
_MAX_LATENESS = MAX_LATENESS.total_seconds()
# No later time is near, and a whole number of any size need not fit into a float.
_YEAR_5138 = 10**14
_WEB = ("https://", "http://")
_DECODER = msgspec.json.Decoder(_Body)
_ENCODER = msgspec.json.Encoder()


def read_batch(body: bytes, origin: str = "", received: float = 0.0) -> Batch:
	"""The batch in a body that came at `received` from a page of `origin`: one event with a `publicKey`, or `events` of 1
	to 100. Raises BatchError."""
	if len(body) > MAX_BYTES:
		raise BatchError(413, "too_large", f"The body is larger than {MAX_BYTES} bytes.")
	# A NUL is legal JSON but no text that a database keeps: what might hold one is cleaned value by value.
	read = None if b"\\u0000" in body else _read_at_once(body)
	public_key, events, sent_at = read or _read_by_value(body, origin, received)
	if not 1 <= len(events) <= MAX_EVENTS:
		raise BatchError(400, "number_of_events", f"A batch has 1 to {MAX_EVENTS} events, not {len(events)}.")
	return Batch(public_key, events, sent_seconds(sent_at))


def sent_seconds(value: Any) -> float | None:
	"""The sender's clock in seconds. Raises BatchError."""
	try:
		return _seconds(value, "sentAt")
	except EventError as error:
		raise BatchError(400, "sent_at", str(error)) from None


def loaded(body: bytes) -> dict[str, Any]:
	"""The object that a body holds. Raises BatchError."""
	try:
		data = json.loads(body, parse_constant=_no_number, parse_float=_finite)
	except (ValueError, RecursionError):
		raise BatchError(400, "not_json", "The body is not JSON.") from None
	if not isinstance(data, dict):
		raise BatchError(400, "not_an_object", "The body is not a JSON object.")
	return data


def checked_number(value: Any) -> bool:
	"""Whether it can be the value of an event."""
	if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
		return False
	try:
		_decimal(value, 1, "value")
	except EventError:
		return False
	return True


def _read_at_once(body: bytes) -> tuple[str, list[Any], Any] | None:
	try:
		read = _DECODER.decode(body)
	except (msgspec.MsgspecError, ValueError, RecursionError):
		return None
	if read.eventType is not None or read.event_type is not None:
		return None
	return read.publicKey, read.events, read.sentAt


def _read_by_value(body: bytes, origin: str, received: float) -> tuple[str, list[Any], Any]:
	data = dialects.translated(loaded(body), origin, received)
	public_key = data.get("publicKey")
	if public_key is not None and not isinstance(public_key, str):
		raise BatchError(400, "no_key", "publicKey is not a text.")
	events = data.get("events", [data])
	if not isinstance(events, list):
		raise BatchError(400, "events_not_a_list", "events is not a list.")
	return public_key or "", events, data.get("sentAt")


def read_event(raw: Any, received: float, sent_at: float | None) -> Event:
	"""One event of a batch that came at `received` (seconds). Raises EventError."""
	if type(raw) is not Raw:
		raw = _typed(raw)
	event_id = raw.eventId
	if not event_id:
		raise EventError("eventId is missing.")
	if len(event_id) > LENGTH:
		raise EventError(f"eventId is longer than {LENGTH} characters.")
	kind = _BY_SPELLING.get(raw.type or "") or _BY_SPELLING.get((raw.type or "").upper())
	if kind is None:
		raise EventError(f"type is none of {', '.join(TYPES)}.")
	url = _url(raw.url, "url") if raw.url else ""
	if kind == "PAGE_VIEW" and not url:
		raise EventError("A PAGE_VIEW needs a url.")
	name = raw.name[:LENGTH] if raw.name else ""
	if kind == "CONVERSION" and _letters(name) in RESERVED_NAMES:
		raise EventError(f"A conversion called {name} is made by the CRM alone.")
	visitor_id = raw.visitorId or ""
	if visitor_id and not identity.VISITOR_ID.fullmatch(visitor_id):
		raise EventError("visitorId is not the id of a visitor.")
	if raw.properties or raw.fields:
		properties, form, email, full_name = _kept(kind, raw.properties or {}, raw.fields or {})
	else:
		properties, form, email, full_name = None, {} if kind == "FORM_SUBMIT" else None, "", ""
	return Event(
		event_id,
		kind,
		_time(raw.timestamp, received, sent_at),
		name,
		url,
		_url(raw.referrer, "referrer") if raw.referrer else "",
		raw.title[:LENGTH] if raw.title else "",
		visitor_id,
		"0" if raw.value is None and raw.valueMicros is None else _value(raw),
		_currency(raw.currency) if raw.currency else "",
		"" if raw.consent is None else _consent(raw.consent),
		raw.screen[:LENGTH] if raw.screen else "",
		raw.viewport[:LENGTH] if raw.viewport else "",
		properties,
		form,
		email,
		full_name,
		raw.anonymousId[:MAX_FOREIGN_ID] if raw.anonymousId else "",
		raw.ip[:LENGTH] if raw.ip else "",
		raw.userAgent[:MAX_AGENT] if raw.userAgent else "",
		None if raw.policyVersion is None else _policy_version(raw.policyVersion),
	)


def _typed(raw: Any) -> Raw:
	"""An event of any JSON, value by value. Raises EventError for a type that is wrong."""
	if not isinstance(raw, dict):
		raise EventError("The event is not an object.")
	values = {name: _text(raw[name], name) for name in _TEXTS if raw.get(name) is not None}
	for name in ("value", "valueMicros"):
		if raw.get(name) is not None and not _is_number_or_text(raw[name]):
			raise EventError(f"{name} is not a number.")
	if raw.get("timestamp") is not None and not _is_number_or_text(raw["timestamp"]):
		raise EventError("timestamp is not a time.")
	if raw.get("consent") is not None and not isinstance(raw["consent"], bool | str):
		raise EventError("consent is neither granted nor denied.")
	if raw.get("properties") is not None and not isinstance(raw["properties"], dict):
		raise EventError("properties is not an object.")
	others = ("value", "valueMicros", "timestamp", "consent", "policyVersion", "properties")
	values |= {name: raw[name] for name in others if name in raw}
	# Of other senders it may be anything.
	return Raw(**values, fields=raw["fields"] if isinstance(raw.get("fields"), dict) else None)


def _is_number_or_text(value: Any) -> bool:
	return isinstance(value, int | float | str) and not isinstance(value, bool)


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


def _kept(kind: str, properties: dict[str, Any], fields: dict[str, Any]) -> tuple[Any, Any, str, str]:
	"""What is kept of an event's properties and its website's fixed fields, by its type: as properties, as a form, as e-mail
	and name of a person."""
	if kind not in _SPARING:
		return _checked({**fields, **properties} if fields else properties), None, "", ""
	if fields:
		# Counted together, as of other types.
		_checked({**fields, **properties})
	properties, fields = _checked(properties), _checked(fields) or None
	if kind == "FORM_SUBMIT":
		return fields, _form(properties) | _form_values(properties.get("values")), "", ""
	email, name = (_text(properties.get(one) or "", one)[:LENGTH].strip() for one in ("email", "name"))
	return fields, None, email.lower(), name


def without_values(form: dict[str, Any] | None) -> dict[str, Any] | None:
	"""A form without what was typed."""
	return {name: value for name, value in form.items() if name != "values"} if form else form


def _form_values(typed: Any) -> dict[str, dict[str, str]]:
	"""The three that may be kept, of whatever was typed."""
	if not isinstance(typed, dict):
		return {}
	texts = {name: typed[name].strip()[:LENGTH] for name in FORM_VALUES if isinstance(typed.get(name), str)}
	return {"values": values} if (values := {name: text for name, text in texts.items() if text}) else {}


def _form(told: dict[str, Any]) -> dict[str, Any]:
	"""What a form is called, and the names of its fields: of a list its texts, of an object the names alone. All else may hold
	what was typed, at any privacy level."""
	form: dict[str, Any] = {
		name: str(told[name])[:LENGTH]
		for name in FORM_NAMES
		if isinstance(told.get(name), str | int) and not isinstance(told[name], bool)
	}
	fields = told.get("fields")
	if isinstance(fields, list | dict):
		form["fields"] = [one[:LENGTH] for one in fields if isinstance(one, str)][:MOST_FIELDS]
	return form


def _checked(properties: dict[str, Any]) -> dict[str, Any]:
	"""Properties that every database keeps. Raises EventError."""
	try:
		text = _ENCODER.encode(properties)
	except (ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
		# Half characters, and whole numbers beyond 64 bits.
		text = b""
	if not text or b"\\u0000" in text or text.count(b"{") + text.count(b"[") > MAX_DEPTH:
		properties = _storable(properties, MAX_DEPTH)
		text = json.dumps(properties).encode()
	if len(text) > MAX_PROPERTIES_BYTES:
		raise EventError(f"properties are larger than {MAX_PROPERTIES_BYTES} bytes.")
	return properties


def _storable(value: Any, levels: int) -> Any:
	"""The same value with texts as `_text` makes them, in names too. Raises EventError for one of more levels."""
	if isinstance(value, str):
		return _text(value, "properties")
	if not isinstance(value, dict | list):
		return value
	if not levels:
		raise EventError(f"properties are nested more than {MAX_DEPTH} levels deep.")
	if isinstance(value, list):
		return [_storable(one, levels - 1) for one in value]
	return {_text(name, "properties"): _storable(one, levels - 1) for name, one in value.items()}


def _text(value: Any, name: str) -> str:
	if not isinstance(value, str):
		raise EventError(f"{name} is not a text.")
	# A lone surrogate is legal JSON but no text that a database or a stream could keep.
	return value.replace("\x00", "").encode("utf-8", "replace").decode()


def _url(text: str, name: str) -> str:
	url = text[:MAX_URL].strip()
	if "\\" in url:
		# A browser takes it for a slash, and so for another host than is read here.
		raise EventError(f"{name} is not an address.")
	if url and not url.startswith(_WEB) and not url[:8].lower().startswith(_WEB):
		# Apps and browsers send about:, android-app: and the like: no page, but no reason to lose the event.
		return ""
	return url


def _consent(consent: bool | str) -> str:
	if consent in CONSENTS:
		return CONSENTS[consent]
	raise EventError("consent is neither granted nor denied.")


def _policy_version(version: Any) -> int | str | None:
	if isinstance(version, str):
		return _text(version, "policyVersion").strip()[:LENGTH] or None
	is_whole = isinstance(version, int) and not isinstance(version, bool)
	if not is_whole or not 0 <= version <= MAX_POLICY_VERSION:
		raise EventError(f"policyVersion is no text and no whole number from 0 to {MAX_POLICY_VERSION}.")
	return version


def _currency(text: str) -> str:
	currency = text.upper()
	if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
		raise EventError("currency is not a code of three letters.")
	return currency


def _value(raw: Raw) -> str:
	"""The value as a decimal text, from `value` or else `valueMicros`."""
	if raw.value is not None:
		return _decimal(raw.value, 1, "value")
	return _decimal(raw.valueMicros, 1_000_000, "valueMicros")


def _decimal(value: int | float | str, scale: int, name: str) -> str:
	try:
		if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
			raise EventError(f"{name} is not a number.")
		amount = Decimal(str(value)) / scale
		if not amount.is_finite() or abs(amount) >= MAX_VALUE:
			raise EventError(f"{name} is out of range.")
		return f"{amount.quantize(STORED_PLACES).normalize():f}"
	except (DecimalException, ValueError) as error:
		if isinstance(error, EventError):
			raise
		raise EventError(f"{name} is not a number.") from None


def _time(timestamp: Any, received: float, sent_at: float | None) -> float:
	"""When the event happened by our clock: its age by the client's clock, taken off the time it came."""
	# Milliseconds are what the script sends.
	happened = (
		timestamp / 1000
		if type(timestamp) is int and 0 <= timestamp < _YEAR_5138
		else _seconds(timestamp, "timestamp")
	)
	if happened is None:
		return received
	age = (received if sent_at is None else sent_at) - happened
	if not -_MAX_LATENESS <= age <= _MAX_LATENESS:
		raise EventError("timestamp is more than 24 hours away.")
	return received - age if age > 0 else received


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
