"""Why a website's events arrive, or do not: what this site knows already, in words that say what to do (EVT-1, COL-2, UI-1).

Nothing is fetched from the website. `findings` decides, over plain values; `look` gathers: of the last hour the figures that
processes told, and the newest event, by one statement that no silent website makes longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone, now_datetime

from trackflow.config import get_config
from trackflow.exceptions import StreamUnavailable
from trackflow.health import figures, measure
from trackflow.health.finding import BROKEN, FINE, NOTE, Finding
from trackflow.policy import Config, Domain
from trackflow.stream import drain, tally
from trackflow.times import iso
from trackflow.tracking import arrivals, texts
from trackflow.tracking.arrivals import ACCEPTED, NO_PAGE, ORIGIN, OTHER_KEY, REJECTED, SCRIPTS
from trackflow.tracking.script_options import asks_first

Row = dict[str, Any]

MINUTES = 60
_EVENT = (
	"timestamp", "event_type", "event_name", "page_url", "page_title", "country", "device_type", "browser", "counted", "is_bot",
	"bot_reason", "is_internal",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
	"""What is known of a website's last hour. `counts` is None where Redis cannot say; `newest` an event as JSON."""

	domain: Domain
	config: Config
	counts: dict[str, int] | None = field(default_factory=dict)
	refused_host: str = ""
	newest: Row | None = None
	waiting: int = 0

	def of(self, name: str) -> int:
		return (self.counts or {}).get(name, 0)


def check(name: str) -> Row:
	"""The findings on a website, the newest event of its last hour, and how many were taken."""
	seen = look(get_config(), name)
	found = list(findings(seen))
	return {
		"domain": name,
		"ok": not any(one.is_broken for one in found),
		"findings": [one.as_dict() for one in found],
		"newest": seen.newest,
		"accepted": None if seen.counts is None else seen.of(ACCEPTED),
	}


def look(config: Config, name: str) -> Seen:
	"""Gather what is known."""
	domain = config.domains[name]
	try:
		# This process may be the one that has something to tell.
		tally.tell()
		minutes, _sums = tally.read(MINUTES)
		counts = figures.under(figures.added(minutes), arrivals.prefix(domain.public_key))
		waiting = drain.waiting()
	except StreamUnavailable:
		counts, waiting = None, 0
	host = arrivals.refused_host(domain.public_key)
	return Seen(domain, config, counts, host, _newest(name), waiting)


def findings(seen: Seen) -> Iterator[Finding]:
	"""From the page to the database, in the order in which an event goes."""
	yield _switch(seen)
	if seen.counts is None:
		yield Finding(NOTE, _("Queue"), _("The queue Redis is out of reach: nobody knows what was sent."))
	yield _script(seen)
	yield from _refusals(seen)
	yield _events(seen)
	if stored := _stored(seen):
		yield stored


def _switch(seen: Seen) -> Finding:
	if not seen.config.enabled:
		return Finding(
			BROKEN, _("Tracking"), _("Tracking is switched off in TrackFlow Settings: events are refused.")
		)
	if not seen.domain.enabled:
		text = _("This domain is switched off: events with its key are refused. Switch it on.")
		return Finding(BROKEN, _("Tracking"), text)
	return Finding(FINE, _("Tracking"), _("Tracking and this domain are switched on."))


def _script(seen: Seen) -> Finding:
	if asked := seen.of(SCRIPTS):
		text = _("Pages asked for the script {0} times in the last hour.").format(asked)
		return Finding(FINE, _("Script"), text)
	if seen.of(ACCEPTED) or seen.newest:
		text = _("Events arrive, so pages have the script: from a browser's cache, a CDN or the static file.")
		return Finding(FINE, _("Script"), text)
	return Finding(
		NOTE,
		_("Script"),
		_(
			"No page asked for the script in the last hour. Is the tag on the page that you opened, and is that page published? A content "
			"blocker in the browser, or a content security policy of the website that does not name this site, keeps it away too."
		),
	)


def _refusals(seen: Seen) -> Iterator[Finding]:
	"""Requests that were turned away as a whole, by why."""
	name = seen.domain.name
	if number := seen.of(ORIGIN):
		last = _(", last from {0}").format(seen.refused_host) if seen.refused_host else ""
		allowed = ", ".join(seen.domain.allowed_origins) or _("{0} and the hosts below it").format(name)
		yield Finding(
			BROKEN,
			_("Host"),
			_(
				"Refused in the last hour: {0} requests with this website's key from pages of another host{1}. Allowed: {2}. Where that host "
				"is yours, add it to the domain's Allowed Origins, or give it a domain and a tag of its own."
			).format(number, last, allowed),
		)
	if number := seen.of(OTHER_KEY):
		text = _(
			"Refused in the last hour: {0} requests of pages of {1} with the key of another website. Copy the tag of this one."
		)
		yield Finding(BROKEN, _("Key"), text.format(number, name))
	if number := seen.of("unknown_key"):
		text = _(
			"Refused in the last hour: {0} requests with a key that is not known here, or is switched off. Was the tag made on another site, or "
			"for a domain that was deleted? Copy it anew."
		)
		yield Finding(BROKEN, _("Key"), text.format(number))
	if number := seen.of(NO_PAGE):
		text = _(
			"Refused in the last hour: {0} requests that do not say which page they come from, such as those of a file that was opened from disk, of "
			"a frame in a sandbox, or of a server without an API key."
		)
		yield Finding(NOTE, _("Host"), text.format(number))
	if number := seen.of("too_many"):
		text = _(
			"Refused in the last hour: {0} requests beyond the limits of TrackFlow Settings. The script sends them again later."
		)
		yield Finding(NOTE, _("Limits"), text.format(number))


def _events(seen: Seen) -> Finding:
	taken, rejected = seen.of(ACCEPTED), seen.of(REJECTED)
	if taken:
		text = _("{0} events were taken in the last hour.").format(taken)
		if rejected:
			text += " " + _("{0} were not, since something was wrong with them.").format(rejected)
		return Finding(FINE, _("Events"), text)
	if seen.newest:
		return Finding(FINE, _("Events"), _("Events arrived in the last hour."))
	text = _("No event arrived in the last hour. Open a page of {0} that has the tag.").format(
		seen.domain.name
	)
	if asks_first(seen.domain, seen.config):
		text += " " + _("Nothing is sent before the visitor agrees: agree in the banner.")
	return Finding(NOTE, _("Events"), text)


def _stored(seen: Seen) -> Finding | None:
	if seen.newest:
		why = seen.newest["not_counted"]
		if why:
			return Finding(
				NOTE, _("Stored"), _("The newest event is stored, and not counted: {0}").format(why)
			)
		return Finding(FINE, _("Stored"), _("The newest event is stored, and counts."))
	if not seen.of(ACCEPTED):
		return None
	if seen.waiting:
		text = _(
			"Taken, but not stored yet: {0} entries wait. It takes seconds where a worker for the queue short runs."
		)
		return Finding(NOTE, _("Stored"), text.format(seen.waiting))
	return Finding(
		NOTE, _("Stored"), _("Taken, but no event is stored that happened in the last hour: see Click Queue.")
	)


def why_not_counted(row: Row) -> str:
	"""Why a click or an event is in no figure, in words; "" where it counts."""
	if row["counted"]:
		return ""
	if row["is_bot"]:
		return _("it was a robot's ({0}).").format(row["bot_reason"] or _("unknown"))
	if row["is_internal"]:
		return _("it came from an internal address, which the settings leave out.")
	return _("it is none of a person's.")


def _newest(name: str) -> Row | None:
	event, now = frappe.qb.DocType("Visitor Event"), now_datetime()
	rows = (
		frappe.qb.from_(event)
		.select(*(event[one] for one in _EVENT))
		.where((event.timestamp >= now - timedelta(minutes=MINUTES)) & (event.domain == name))
		.orderby(event.timestamp, order=frappe.qb.desc)
		.limit(1)
		.run(as_dict=True)
	)
	return _told(rows[0]) if rows else None


def _told(row: Row) -> Row:
	"""Nothing of who it was; pages without what stands behind ? in their addresses."""
	return {
		"at": iso(row["timestamp"], ZoneInfo(get_system_timezone())),
		"type": row["event_type"],
		"name": row["event_name"] or None,
		"page": texts.plain_page(row["page_url"]),
		"title": row["page_title"] or None,
		**{one: row[one] or None for one in ("country", "device_type", "browser")},
		"not_counted": why_not_counted(row),
	}
