"""What export decides about, and by: conversions with whom they are about, what a platform takes, what is sent. Pure values.

All times have an offset.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

GRANTED, DENIED = "Granted", "Denied"


def elapsed(since: datetime, until: datetime) -> timedelta:
	"""How long it was. Python itself counts by the clock where two times have the same zone, which is an hour off where the clocks
	were changed in between; platforms are not."""
	return until.astimezone(UTC) - since.astimezone(UTC)


def later(moment: datetime, by: timedelta) -> datetime:
	"""The moment that is so much later, or earlier, counted as `elapsed` does; in the same zone."""
	return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


@dataclass(frozen=True, slots=True)
class Browser:
	"""One of the visitors that are the person who converted."""

	id: str
	consent: str = ""
	email: str = ""
	last_seen: datetime | None = None
	is_robot: bool = False
	is_internal: bool = False
	is_erased: bool = False
	# Whether it was on a domain of the level HIPAA, as far as that is stored.
	is_guarded: bool = False


@dataclass(frozen=True, slots=True)
class Click:
	"""A platform's click id, and the begin of the visit that brought it."""

	kind: str
	value: str
	at: datetime
	visitor: str
	is_internal: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
	"""A conversion as it is stored, its person's browsers, and the click ids that these came with.

	`visitor` is the browser that converted, "" where only a lead is known. `is_website` says that a website told it; then `page`
	and `agent` are what it told.
	"""

	name: str
	type: str
	at: datetime
	value: Decimal = Decimal()
	currency: str = ""
	visitor: str = ""
	browsers: tuple[Browser, ...] = ()
	clicks: tuple[Click, ...] = ()
	is_website: bool = False
	page: str = ""
	agent: str = ""
	is_exported: bool = False


@dataclass(frozen=True, slots=True)
class Event:
	"""What a platform is told of one conversion. `value` is None where there is none; `visitor` is the browser that click id or
	address are of; `email_hash` is empty where the platform takes none."""

	id: str
	called: str
	at: datetime
	value: Decimal | None
	currency: str
	click: Click | None
	email_hash: str
	visitor: str
	is_website: bool = False
	page: str = ""
	agent: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
	"""What a platform takes, and how.

	`kinds` are its click ids by field of Visitor Session, of those of one visit the first. `window` is how long before a conversion
	a click may be, `oldest` how old a conversion may be, `most` how many one file holds. `wants_action` says that the platform
	knows conversions by a name of its own, never by their type. `action_error` says what is wrong with such a name ("" for
	nothing), `refused` why an event cannot be sent, `until` until when it can, `line` and `document` write it.
	"""

	name: str
	kinds: tuple[str, ...]
	window: timedelta
	oldest: timedelta
	most: int
	extension: str
	takes_email: bool
	wants_action: bool
	action_error: Callable[[str], str]
	refused: Callable[[Event, datetime], str]
	until: Callable[[Event], datetime]
	line: Callable[[Event], str]
	document: Callable[[Iterable[str]], str]
