"""Meta: the JSON body of a request to the Conversions API (`POST /{dataset}/events`). Pure.

Rules, and where Meta publishes them (Conversions API):

- `event_name`, `event_time` (seconds), `user_data`, `action_source` are required; `event_time` is at most 7 days before the request,
  and one older event makes Meta refuse them all (Server Event Parameters). At most 1,000 events in `data` (Using the API).
- `action_source` tells the truth: `website` for what a website told, else `system_generated`. Events of websites need
  `event_source_url` and `client_user_agent` (Parameters). The address is cut behind its path: queries hold personal data.
- `user_data` has at least one parameter: `em` (see `hashing`), or `fbc` as `fb.1.<milliseconds of the click>.<fbclid>`, whose
  fbclid is never changed (ClickID and the fbp and fbc Parameters). Its cookie lives 90 days, so an older click is none.
- `custom_data` holds `value` and `currency` (ISO 4217); a `Purchase` needs both (Custom Data Parameters).
- Names of custom events have at most 50 characters (Meta Pixel, custom events).
- `event_id` is the conversion's own: the same conversion sent twice is one within 48 hours.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from trackflow.offline import reasons
from trackflow.offline.formats import name_error, without_empty
from trackflow.offline.shapes import Event, Platform, later

KINDS = ("fbclid",)
WINDOW = timedelta(days=90)
OLDEST = timedelta(days=7)
MOST = 1_000
LONGEST_NAME = 50
PURCHASE = "Purchase"


def action_error(name: str) -> str:
	return name_error(name, LONGEST_NAME)


def refused(event: Event, now: datetime) -> str:
	if event.click is None and not event.email_hash:
		return reasons.NO_IDENTIFIER
	if event.called == PURCHASE and event.value is None:
		return reasons.NO_VALUE
	return reasons.NO_PAGE if event.is_website and not (_page(event) and event.agent) else ""


def until(event: Event) -> datetime:
	return later(event.at, OLDEST)


def line(event: Event) -> str:
	fbc = f"fb.1.{_milliseconds(event.click.at)}.{event.click.value}" if event.click else ""
	user = {"em": [event.email_hash] if event.email_hash else [], "fbc": fbc}
	if event.is_website:
		user["client_user_agent"] = event.agent
	money = {} if event.value is None else {"value": float(event.value), "currency": event.currency}
	return json.dumps(
		without_empty(
			{
				"event_name": event.called,
				"event_time": _milliseconds(event.at) // 1000,
				"event_id": event.id,
				"action_source": "website" if event.is_website else "system_generated",
				"event_source_url": _page(event) if event.is_website else "",
				"user_data": without_empty(user),
				"custom_data": money,
			}
		)
	)


def document(lines: Iterable[str]) -> str:
	return '{"data": [\n' + ",\n".join(lines) + "\n]}\n"


def _page(event: Event) -> str:
	try:
		parts = urlsplit(event.page)
		host = parts.hostname
	except ValueError:
		return ""
	return f"{parts.scheme}://{host}{parts.path}" if host and parts.scheme in ("http", "https") else ""


def _milliseconds(moment: datetime) -> int:
	return int(moment.timestamp() * 1000)


META = Platform(
	"Meta", KINDS, WINDOW, OLDEST, MOST, "json", True, False, action_error, refused, until, line, document
)
