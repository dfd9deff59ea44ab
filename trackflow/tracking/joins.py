"""Joins a visit to the click that led to it, by the signed click id on the landing page (RED-6, TCH-1).

A short link and the website behind it may see two visitor ids for one person: another domain, or no cookie allowed. The
earliest landing (by time, then name) within a session's time of the click takes it over, whichever came first; the
click's row then carries the landing's visitor.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trackflow import bulk
from trackflow.tracking import identity

Row = dict[str, Any]

LANDING_FIELDS = ("visitor", "timestamp", "click_ref")
# What a join, a session's span and a visitor's figures need of a click.
CLICK_FIELDS = (
	"visitor_id", "tracked_link", "click_timestamp", "landing_event", "session", "ip_address", "user_agent", "country", "is_internal",
)  # fmt: skip


MAX_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Join:
	"""Click `click` becomes part of `visitor`'s visit, which `event` begins; `former` is whose it was, by the landing
	`instead_of` if it was joined before."""

	click: str
	former: str
	visitor: str
	event: str
	instead_of: str


def clicks_of(clicks: Iterable[Row], events: Iterable[Row]) -> set[str]:
	"""The clicks that these rows are, or that they name."""
	own = {row["name"] for row in clicks if row["counted"]}
	return own | {row["click_ref"] for row in events if row["counted"] and row["click_ref"]}


def find(clicks: Collection[Row], events: Collection[Row], timeout: timedelta) -> list[Join]:
	"""The joins that these rows and what is stored call for, and that are not made yet."""
	names = clicks_of(clicks, events)
	if not names:
		return []
	landings = {row["name"]: row for row in events if row["counted"] and row["click_ref"]}
	times = [row["click_timestamp"] for row in clicks] + [row["timestamp"] for row in landings.values()]
	# What belongs to a landing's click is at most two timeouts from that landing.
	landings |= _stored_landings(names, min(times) - 2 * timeout, max(times) + 2 * timeout)
	# What is stored is right where a row comes again: its click may have been joined already.
	known = {row["name"]: row for row in clicks if row["counted"]}
	known |= _stored_clicks({row["click_ref"] for row in landings.values()})
	earliest: dict[str, Row] = {}
	for landing in sorted(landings.values(), key=lambda row: (row["timestamp"], row["name"])):
		click = known.get(landing["click_ref"])
		if click and belongs(click["click_timestamp"], landing["timestamp"], timeout):
			earliest.setdefault(click["name"], landing)
	joins = [_join(known[name], landing) for name, landing in earliest.items()]
	return [join for join in joins if join.event != join.instead_of]


def apply(joins: Iterable[Join], new_clicks: Mapping[str, Row]) -> list[Row]:
	"""Hand the clicks over to the visits that they led to, new rows and stored ones; answers the stored ones, with their
	new visitor and their former session. To be called with the visitors locked: a click that another drain handed over
	meanwhile stays where it is."""
	joins = list(joins)
	stored = _stored_clicks({join.click for join in joins} - new_clicks.keys())
	moved: list[Row] = []
	for join in joins:
		values = {"visitor_id": join.visitor, "landing_event": join.event}
		if join.click in new_clicks:
			new_clicks[join.click].update(values)
		elif join.click in stored and _is_as_found(stored[join.click], join):
			moved.append({**stored[join.click], **values})
	fields = ("visitor_id", "landing_event")
	bulk.update("Click Event", {row["name"]: {field: row[field] for field in fields} for row in moved})
	return moved


def belongs(clicked_at: datetime, landed_at: datetime, timeout: timedelta) -> bool:
	"""Whether a landing can be that of a click, by their times. Before its click nobody lands, whatever a sender says; but
	clocks differ."""
	return -MAX_SKEW <= landed_at - clicked_at <= timeout


def _join(click: Row, landing: Row) -> Join:
	return Join(
		click=click["name"],
		former=click["visitor_id"],
		visitor=landing["visitor"],
		event=landing["name"],
		instead_of=click.get("landing_event") or "",
	)


def _is_as_found(click: Row, join: Join) -> bool:
	return (click["visitor_id"], click["landing_event"] or "") == (join.former, join.instead_of)


def _stored_landings(clicks: Collection[str], since: datetime, until: datetime) -> dict[str, Row]:
	filters = {"click_ref": ("in", sorted(clicks)), "timestamp": ("between", (since, until)), "counted": 1}
	return bulk.load("Visitor Event", filters, LANDING_FIELDS)


def _stored_clicks(names: Collection[str]) -> dict[str, Row]:
	if not names:
		return {}
	found = bulk.load("Click Event", {"name": ("in", sorted(names)), "counted": 1}, CLICK_FIELDS)
	# A page that comes after an erasure must not give the click somebody's name again.
	return {name: row for name, row in found.items() if not identity.is_erased(row.visitor_id)}
