"""Visitors: locked while their hits are stored, brought up to date afterwards.

The lock on its visitors is what makes two drains at once as good as one: whoever holds it sees all that was stored of
them before. The engagement score halves with time, so points may be added in any order.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import frappe

from trackflow import bulk
from trackflow.rollups import marks
from trackflow.tracking.sessions import is_passive

Row = dict[str, Any]

TOUCH_FIELDS = ("source", "medium", "campaign", "term", "content", "referrer", "channel")
# A visitor's fields of its first touch point and of its last one, and what stands there.
ENDS_FIELDS = (*TOUCH_FIELDS, "first_touch_at", *(f"last_{name}" for name in TOUCH_FIELDS), "last_touch_at")
_end_of = itemgetter(*TOUCH_FIELDS, "occurred_at")
# These are of the newest hit.
DEVICE_FIELDS = ("ip_address", "user_agent", "country", "is_internal")
_device_of = itemgetter(*DEVICE_FIELDS)
CONSENT_FIELDS = ("consent_status", "consent_policy_version")
DENIED = "Denied"
LOCKED_FIELDS = (
	"first_seen", "last_seen", "page_views", "engagement_score", "last_activity", "has_converted",
	"conversion_count", "last_conversion_date", "crm_lead", "contact_email", "is_cookieless", "consent_at",
	"consent_status",
)  # fmt: skip
IS_SOMEBODY = ("crm_lead", "contact_email", "has_converted")
FIGURES = (
	"first_seen", "last_seen", "last_activity", "page_views", "engagement_score", "conversion_count", "has_converted",
	"last_conversion_date", *DEVICE_FIELDS, *ENDS_FIELDS,
)  # fmt: skip
# Adding points in portions rounds each time.
SCORE_TOLERANCE = 1e-6
_CLICK_FIELDS = ("visitor_id", "click_timestamp", *DEVICE_FIELDS)
_EVENT_FIELDS = ("visitor", "timestamp", "event_type", "event_name", *DEVICE_FIELDS)


def lock(visitor_ids: Collection[str]) -> dict[str, Row]:
	"""Begin a transaction that holds these visitors; answers their rows by id. One that is not there is answered as one of
	whom nothing is known: `update` makes its row, whole, and whoever makes it as the second one collides and looks again.

	What is there is looked up by a read that is over before the transaction begins. A lock on what is not there would be one
	on the gap between two visitors, in which other drains put theirs; and only reads that follow the locks are sure to see
	what other drains stored.
	"""
	ids = sorted(set(visitor_ids))
	stored = bulk.load("Visitor", {"name": ("in", ids)}, ()) if ids else {}
	frappe.db.commit()
	locked = bulk.lock("Visitor", stored, LOCKED_FIELDS)
	return {one: locked.get(one) or dict.fromkeys(LOCKED_FIELDS) for one in ids}


def make_missing(visitor_ids: Collection[str]) -> None:
	"""Make bare rows of those that have none."""
	new = ({"name": one, "visitor_id": one} for one in sorted(set(visitor_ids)))
	bulk.insert("Visitor", new, ignore_duplicates=True)


@dataclass(frozen=True, slots=True)
class Statement:
	"""What a record of that instant says of its visitor, by field."""

	at: datetime
	values: Row


@dataclass(frozen=True, slots=True)
class Engagement:
	"""How engagement is scored: points by type of event, halved every `half_life_days`."""

	points: Mapping[str, float]
	half_life_days: int

	def score(self, events: Iterable[Row], at: datetime) -> float:
		"""The points of events as seen at `at`; passive ones earn none."""
		return sum(
			self.points.get(row["event_type"], 0) * self.decay(row["timestamp"], at)
			for row in events
			if not is_passive(row["event_type"], row["event_name"])
		)

	def decay(self, since: datetime, until: datetime) -> float:
		"""What is left of a point after the time between two instants."""
		return 2 ** -((until - since).total_seconds() / 86400 / self.half_life_days)


def seen(visitor: Row, clicks: list[Row], events: list[Row], engagement: Engagement) -> Row:
	"""The visitor's changed fields after these new rows (never empty lists both)."""
	times = [row["click_timestamp"] for row in clicks] + [row["timestamp"] for row in events]
	last_seen = max([*times, visitor["last_seen"] or times[0]])
	score = engagement.score(events, last_seen)
	if visitor["last_activity"]:
		score += (visitor["engagement_score"] or 0) * engagement.decay(visitor["last_activity"], last_seen)
	conversions = [row["timestamp"] for row in events if row["event_type"] == "CONVERSION"]
	before = [visitor["last_conversion_date"]] if visitor["last_conversion_date"] else []
	changes = {
		"first_seen": min([*times, visitor["first_seen"] or times[0]]),
		"last_seen": last_seen,
		"last_activity": last_seen,
		"page_views": (visitor["page_views"] or 0) + sum(row["event_type"] == "PAGE_VIEW" for row in events),
		"engagement_score": round(score, 9),
		"conversion_count": (visitor["conversion_count"] or 0) + len(conversions),
		"has_converted": int(bool(visitor["has_converted"] or conversions)),
		"last_conversion_date": max(conversions + before, default=None),
	}
	if visitor["last_seen"] is None or max(times) >= visitor["last_seen"]:
		hits = [*clicks, *events]
		newest = max(hits, key=lambda row: (_time_of(row), row["name"])) if len(hits) > 1 else hits[0]
		changes |= zip(DEVICE_FIELDS, _device_of(newest), strict=True)
	return changes


def said(visitor: Row, statements: Iterable[Statement]) -> Row:
	"""The locked visitor's fields after what new records say of it. What comes late does not undo what was said later:

	- consent counts, with its time and policy version, if it was said after the one that is stored; of two at one instant the
	  denial counts. What a record without a policy version carries was said before, nobody knows when: it is the status of a
	  visitor of whom none is known, and no more;
	- a name and an e-mail address count if no later hit of the visitor was stored, or if it has no address yet;
	- among new ones the latest counts.
	"""
	values: Row = {}
	consent_at, status = visitor["consent_at"], visitor["consent_status"]
	for one in sorted(statements, key=lambda one: (one.at, one.values.get("consent_status") == DENIED)):
		denies = one.values.get("consent_status") == DENIED
		consent = {field: one.values[field] for field in CONSENT_FIELDS if field in one.values}
		is_said = "consent_policy_version" in consent
		if is_said and (not consent_at or one.at > consent_at or (denies and one.at == consent_at)):
			consent_at = one.at
			values |= {**consent, "consent_at": one.at}
		elif consent and not is_said and not (status or values.get("consent_status")):
			values |= consent
		is_latest = not visitor["last_seen"] or one.at >= visitor["last_seen"]
		rest = {field: value for field, value in one.values.items() if field not in CONSENT_FIELDS}
		if is_latest or not visitor["contact_email"]:
			values |= rest
	return values


def _time_of(row: Row) -> datetime:
	return row.get("click_timestamp") or row["timestamp"]


def update(
	known: Mapping[str, Row],
	clicks: Iterable[Row],
	events: Iterable[Row],
	people: Mapping[str, Row],
	engagement: Engagement,
	also: Collection[str] = (),
	touches_of_new: Iterable[Row] = (),
) -> None:
	"""Bring locked visitors up to date after these new rows, and make those that are new.

	`people` holds what visitors said of themselves; `also` are visitors whose touch points changed for other reasons;
	`touches_of_new` all touch points of visitors that are new, which need not be read.
	"""
	by_visitor: dict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
	for row in clicks:
		by_visitor[row["visitor_id"]][0].append(row)
	for row in events:
		by_visitor[row["visitor"]][1].append(row)
	old = {one for one in by_visitor.keys() | also if known[one]["first_seen"]}
	touches = _touches_of(old) | _ends(touches_of_new)
	orphans = {
		one
		for one in known.keys() - by_visitor.keys()
		if _is_orphan(known[one], one in also and one not in touches)
	}
	changes: dict[str, Row] = defaultdict(dict)
	for one, some in by_visitor.items():
		changes[one] |= {**seen(known[one], *some, engagement), **_touch_fields(touches.get(one))}
	for one in set(also) & touches.keys():
		changes[one] |= _touch_fields(touches[one])
	for one, values in people.items():
		changes[one] |= values
	stored = {one for one, visitor in known.items() if "name" in visitor}
	changed = sorted(changes.keys() - orphans)
	new = [{"name": one, "visitor_id": one, **changes[one]} for one in changed if one not in stored]
	bulk.insert("Visitor", new)
	_write({one: changes[one] for one in changed if one in stored})
	_mark_first_days(known, changes)
	bulk.delete("Visitor", sorted(orphans & stored))


def _write(changes: Mapping[str, Row]) -> None:
	"""A bulk update sets the same fields of all its rows, so there is one for each set of fields."""
	alike: dict[frozenset[str], dict[str, Row]] = defaultdict(dict)
	for one, values in changes.items():
		alike[frozenset(values)][one] = values
	for rows in alike.values():
		bulk.update("Visitor", rows, is_locked=True)


def _mark_first_days(known: Mapping[str, Row], changes: Mapping[str, Row]) -> None:
	"""Who was here earlier than it seemed is new on another day."""
	pairs = ((known[one]["first_seen"], row.get("first_seen")) for one, row in changes.items())
	marks.mark_clicks(at for pair in pairs if all(pair) and pair[0] != pair[1] for at in pair)


def _is_orphan(visitor: Row, lost_its_touches: bool) -> bool:
	"""One of whom nothing is known, or nothing but clicks that were taken over by the visits that they led to."""
	if not visitor["first_seen"]:
		return True
	is_named = visitor["crm_lead"] or visitor["contact_email"]
	return bool(lost_its_touches and visitor["is_cookieless"] and not visitor["page_views"] and not is_named)


def rebuild(visitor_ids: Collection[str], known: Mapping[str, Row], engagement: Engagement) -> int:
	"""Work out the figures of these locked visitors from all their hits, and delete those that have none, unless they are
	somebody. What visitors said of themselves stays. Answers how many rows changed.

	Not for visitors whose earliest hits may be gone by their age (`repair.rebuild_figures`)."""
	ids = sorted(set(visitor_ids) & known.keys())
	if not ids:
		return 0
	stored = bulk.load("Visitor", {"name": ("in", ids)}, FIGURES)
	hits: dict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
	clicks = bulk.load("Click Event", {"visitor_id": ("in", ids), "counted": 1}, _CLICK_FIELDS)
	for row in clicks.values():
		hits[row["visitor_id"]][0].append(row)
	events = bulk.load("Visitor Event", {"visitor": ("in", ids), "counted": 1}, _EVENT_FIELDS)
	for row in events.values():
		hits[row["visitor"]][1].append(row)
	touches = _touches_of(hits.keys())
	changes = {
		one: _figures(stored[one], *some, engagement) | _touch_fields(touches.get(one))
		for one, some in hits.items()
		if one in stored
	}
	changes = {one: row for one, row in changes.items() if not bulk.same(row, stored[one])}
	gone = [one for one in stored if one not in hits and not any(known[one][field] for field in IS_SOMEBODY)]
	_write(changes)
	_mark_first_days(stored, changes)
	bulk.delete("Visitor", gone)
	return len(changes) + len(gone)


def _figures(stored: Row, clicks: list[Row], events: list[Row], engagement: Engagement) -> Row:
	"""A visitor's figures by its hits; those that a sum of portions may give otherwise stay where that is all."""
	figures = seen(dict.fromkeys(LOCKED_FIELDS), clicks, events, engagement)
	score = float(stored["engagement_score"] or 0)
	if abs(score - figures["engagement_score"]) < SCORE_TOLERANCE:
		figures["engagement_score"] = score
	newest = [row for row in (*clicks, *events) if _time_of(row) == figures["last_seen"]]
	if any(bulk.same({field: row[field] for field in DEVICE_FIELDS}, stored) for row in newest):
		# Of two hits of one instant the one that came later was taken.
		figures |= {field: stored[field] for field in DEVICE_FIELDS}
	return figures


def refresh_touches(visitor_ids: Collection[str]) -> None:
	"""Set the first and last touch of these visitors from their touch points."""
	bulk.update("Visitor", {one: _touch_fields(ends) for one, ends in _touches_of(visitor_ids).items()})


def _touches_of(visitor_ids: Collection[str]) -> dict[str, tuple[Row, Row]]:
	"""The first and last touch point of each visitor that has one."""
	if not visitor_ids:
		return {}
	fields = ("visitor_id", "occurred_at", *TOUCH_FIELDS)
	touches = bulk.load("Touch Point", {"visitor_id": ("in", visitor_ids)}, fields)
	return _ends(sorted(touches.values(), key=lambda row: (row["occurred_at"], row["name"])))


def _ends(touches: Iterable[Row]) -> dict[str, tuple[Row, Row]]:
	"""The first and the last of each visitor's touch points, which come in order."""
	ends: dict[str, tuple[Row, Row]] = {}
	for touch in touches:
		ends[touch["visitor_id"]] = (ends.get(touch["visitor_id"], (touch, touch))[0], touch)
	return ends


def _touch_fields(ends: tuple[Row, Row] | None) -> Row:
	if not ends:
		return dict.fromkeys(ENDS_FIELDS)
	return dict(zip(ENDS_FIELDS, _end_of(ends[0]) + _end_of(ends[1]), strict=True))
