"""What can be written to a person's record: some sixty fields of a form, its visit, its visitor (SYN-1). Pure.

Values are texts, numbers and times; what is not known is not among them, so that nothing in the CRM is emptied. Words are in the
site's language.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_time
from babel.units import format_unit

from trackflow.tracking.channels import CLICK_IDS

Row = Mapping[str, Any]
Value = str | int | float | datetime

_UTM = ("source", "medium", "campaign", "content", "term")
_AD = ("campaign_region", "ad_group", "ad_id", "search_query")
_TOUCH = ("source", "medium", "campaign", "channel")

# In the order in which they are offered.
NAMES = (
	*(f"utm_{one}" for one in _UTM),
	*CLICK_IDS,
	"event_id", "visitor_id", "session_id", "pixel_id", "project_id",
	"page_url", "page_title", "referrer_url", "landing_page", "exit_page",
	"country", "region", "city", "location",
	*_AD,
	"user_agent", "ip_address", "screen_resolution", "viewport", "device_type", "operating_system", "browser",
	"channel", "platform", "form_name", "submitted_on",
	"last_visited_on", "visited_pages", "session_duration", "session_page_views",
	"first_visited_on", "page_views", "engagement_score", "conversion_count",
	*(f"first_touch_{one}" for one in _TOUCH), "first_touch_date",
	*(f"last_touch_{one}" for one in _TOUCH), "last_touch_date",
)  # fmt: skip
MOST_PAGES = 100


class Facts(NamedTuple):
	"""A form and what is known around it, as rows of the database; `pages` the addresses that its visitor saw, the first first."""

	event: Row
	session: Row
	visitor: Row
	domain: Row
	pages: tuple[str, ...] = ()


def values_of(facts: Facts, language: str = "en") -> dict[str, Value]:
	"""All that is known, by the names above."""
	locale = _locale(language)
	found = {
		**_campaign(facts),
		**_ids(facts),
		**_pages(facts),
		**_place_and_device(facts),
		**_visit(facts, locale),
		**_visitor(facts, locale),
	}
	return {name: found[name] for name in NAMES if found.get(name) not in (None, "")}


def when(moment: datetime | None, locale: Locale) -> str | None:
	"""A time in words, such as "January 27, 2025 at 2:30 PM"."""
	if not moment:
		return None
	pattern = (
		"{1} at {0}" if locale.language == "en" else str(locale.datetime_formats["long"]).replace("'", "")
	)
	words = pattern.format(
		format_time(moment, "short", locale=locale), format_date(moment, "long", locale=locale)
	)
	return words.replace("\N{NARROW NO-BREAK SPACE}", " ")


def how_long(seconds: int | None, locale: Locale) -> str | None:
	"""A duration in words: "45 seconds", "15 minutes", "1h 23m"."""
	if seconds is None:
		return None
	unit = partial(format_unit, locale=locale)
	if seconds < 60:
		return unit(seconds, "second", "long")
	hours, minutes = divmod(seconds // 60, 60)
	if not hours:
		return unit(minutes, "minute", "long")
	return f"{unit(hours, 'hour', 'narrow')} {unit(minutes, 'minute', 'narrow')}"


def page_list(addresses: Iterable[str]) -> str:
	"""Pages, each once, without parameters, which may hold what is nobody's business."""
	pages = dict.fromkeys(page for one in addresses if (page := _without_query(one)))
	return ", ".join(list(pages)[:MOST_PAGES])


def _without_query(address: str) -> str:
	try:
		parts = urlsplit(address)
	except ValueError:
		return ""
	return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}" if parts.netloc else ""


def _campaign(facts: Facts) -> Row:
	"""Of the form's own page, else of its visit, else of the visitor's last touch."""
	event, session, visitor = facts.event, facts.session, facts.visitor
	tags = {
		f"utm_{one}": event.get(f"utm_{one}") or session.get(one) or visitor.get(f"last_{one}")
		for one in _UTM
	}
	return {**tags, **{one: session.get(one) for one in (*CLICK_IDS, *_AD, "channel", "platform")}}


def _ids(facts: Facts) -> Row:
	return {
		"event_id": facts.event.get("event_id"),
		"visitor_id": facts.visitor.get("visitor_id"),
		"session_id": facts.session.get("name"),
		"pixel_id": facts.domain.get("public_key"),
		"project_id": facts.domain.get("project"),
	}


def _pages(facts: Facts) -> Row:
	event, session = facts.event, facts.session
	return {
		"page_url": event.get("page_url"),
		"page_title": event.get("page_title"),
		"referrer_url": session.get("referrer") or event.get("referrer"),
		"landing_page": session.get("entry_page"),
		"exit_page": session.get("exit_page"),
		"visited_pages": page_list(facts.pages),
	}


def _place_and_device(facts: Facts) -> Row:
	event, session = facts.event, facts.session

	def of(field: str) -> Any:
		return event.get(field) or session.get(field)

	places = [of("city"), of("region"), of("country")]
	return {
		**{one: of(one) for one in ("country", "region", "city", "viewport", "device_type", "browser")},
		"location": ", ".join(filter(None, places)),
		"screen_resolution": of("screen"),
		"operating_system": of("os"),
		"user_agent": event.get("user_agent"),
		"ip_address": event.get("ip_address"),
	}


def _visit(facts: Facts, locale: Locale) -> Row:
	event, session = facts.event, facts.session
	form = event.get("form") or {}
	return {
		"form_name": form.get("form_name") or form.get("form_id"),
		"submitted_on": event.get("timestamp"),
		"session_duration": how_long(session.get("duration_seconds"), locale),
		"session_page_views": session.get("page_views"),
	}


def _visitor(facts: Facts, locale: Locale) -> Row:
	visitor = facts.visitor
	return {
		"last_visited_on": when(visitor.get("last_seen"), locale),
		"first_visited_on": visitor.get("first_seen"),
		**{one: visitor.get(one) for one in ("page_views", "conversion_count")},
		"engagement_score": round(visitor.get("engagement_score") or 0, 2),
		**{f"first_touch_{one}": visitor.get(one) for one in _TOUCH},
		"first_touch_date": visitor.get("first_touch_at"),
		**{f"last_touch_{one}": visitor.get(f"last_{one}") for one in _TOUCH},
		"last_touch_date": visitor.get("last_touch_at"),
	}


def _locale(language: str) -> Locale:
	try:
		return Locale.parse(language, sep="-")
	except (ValueError, UnknownLocaleError):
		return Locale("en")
