"""Keeps the sessions and touch points of locked visitors in step with their clicks and events.

New hits are cut into sessions together with the stored hits of every session that they could touch, so the result is the
one that all hits at once would give: late and out-of-order hits land where they belong. Unchanged rows are not written.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from trackflow import bulk
from trackflow.policy import Config
from trackflow.rollups import marks
from trackflow.tracking import campaigns, rows
from trackflow.tracking.sessions import Hit, sessionize

Row = dict[str, Any]
Span = tuple[datetime, datetime]

HITS = {
	"Click Event": (rows.click_hit, "visitor_id", rows.CLICK_HIT_FIELDS),
	"Visitor Event": (rows.event_hit, "visitor", rows.EVENT_HIT_FIELDS),
}
TIME_FIELDS = {"Click Event": "click_timestamp", "Visitor Event": "timestamp"}
# Sessions that began up to this long before a new hit are fetched at once; older ones only where a chain reaches them.
HORIZON = timedelta(days=1)


class Visits:
	"""One batch's work on sessions: `add` the new rows, then `save`."""

	def __init__(self, config: Config, known: dict[str, Row]) -> None:
		self.timeout = config.session_timeout
		self.own_hosts = config.domains.keys()
		self.known = known
		self.stored: dict[str, Row] = {}
		self.desired: dict[str, Row] = {}
		self.touches: dict[str, Row] = {}
		self.changed_touches: list[Row] = []
		self.written = 0
		# By the session's name: what may tell the campaign of one that came by no campaign's link.
		self._campaign_keys: dict[str, tuple[tuple[str, ...], str]] = {}
		self._moves: dict[str, dict[str, Row]] = defaultdict(dict)

	def add(self, clicks: Iterable[Row], events: Iterable[Row], moved: Collection[Row] = ()) -> None:
		"""Cut sessions with these new rows, and set each row's `session`. `moved` are stored clicks that went over to another
		visitor: they have that visitor already, and still the session that they were taken from."""
		new = {"Click Event": list(clicks), "Visitor Event": list(events)}
		spans = _spans({**new, "Click Event": [*new["Click Event"], *moved]})
		self.stored = self._sessions_around(spans)
		self.stored |= self._sessions_named(
			{row["session"] for row in moved} - self.stored.keys() - {None, ""}
		)
		hits = self._stored_hits()
		loose = [row["name"] for row in moved if not row["session"]]
		if loose:
			self._collect(hits, "Click Event", {"name": ("in", loose)})
		for doctype, some in new.items():
			for row in some:
				hits[row[HITS[doctype][1]]].append((doctype, row))
		for visitor_id, found in hits.items():
			self._cut(visitor_id, found)

	def remove(self, clicks: Iterable[Row]) -> None:
		"""Cut the sessions of these stored clicks without them: their rows say already that they do not count."""
		self.stored = self._sessions_named({row["session"] for row in clicks} - {None, ""})
		for visitor_id, found in self._stored_hits().items():
			self._cut(visitor_id, found)

	def add_all(self, visitor_ids: Iterable[str], since: datetime = datetime.min) -> None:
		"""Cut the sessions of these visitors that began at `since` or later again, from their stored hits. Of earlier ones some
		hits may be gone by their age: they stay as they are."""
		visitors = sorted(visitor_ids)
		sessions = self._fetch({"visitor_id": ("in", visitors)})
		self.stored = {name: row for name, row in sessions.items() if row["session_start"] >= since}
		hits: dict[str, list[tuple[str, Row]]] = defaultdict(list)
		for doctype, (_make, visitor_field, _fields) in HITS.items():
			self._collect(hits, doctype, {visitor_field: ("in", visitors), "counted": 1})
		old = sessions.keys() - self.stored.keys()
		for visitor_id, found in hits.items():
			whole = [
				(of, row) for of, row in found if row["session"] not in old and row[TIME_FIELDS[of]] >= since
			]
			self._cut(visitor_id, whole)

	def save(self) -> None:
		"""Write the sessions and touch points that differ from what is stored."""
		self._name_campaigns()
		sessions = bulk.sync("Visitor Session", self.desired, self.stored)
		changed = (*sessions.added.values(), *sessions.changed.values())
		former = (self.stored[name] for name in (*sessions.changed, *sessions.vanished))
		marks.mark_clicks(row["session_start"] for row in (*changed, *former))
		self.touches = touches = {row["name"]: row for row in map(rows.touch_row, self.desired.values())}
		stored = {}
		if self.stored:
			fields = [name for name in next(iter(touches.values()), {"name": 1}) if name != "name"]
			stored = bulk.load("Touch Point", {"session": ("in", list(self.stored))}, fields)
		found = bulk.sync("Touch Point", touches, stored)
		self.written = len(sessions) + len(found)
		self.changed_touches = [
			*found.added.values(),
			*found.changed.values(),
			*(stored[name] for name in (*found.changed, *found.vanished)),
		]
		for doctype, changes in self._moves.items():
			bulk.update(doctype, changes)

	def touches_of_new(self) -> list[Row]:
		"""All touch points of visitors that are new, in order."""
		of_new = (row for row in self.touches.values() if not self.known[row["visitor_id"]]["first_seen"])
		return sorted(of_new, key=lambda row: (row["occurred_at"], row["name"]))

	def earliest_change(self) -> dict[str, datetime]:
		"""From when on each visitor's touch points changed."""
		earliest: dict[str, datetime] = {}
		for touch in self.changed_touches:
			visitor_id, at = touch.get("visitor_id"), touch.get("occurred_at")
			if visitor_id and at:
				earliest[visitor_id] = min(at, earliest.get(visitor_id, at))
		return earliest

	def _cut(self, visitor_id: str, found: list[tuple[str, Row]]) -> None:
		by_id: dict[str, tuple[str, Row]] = {row["name"]: (doctype, row) for doctype, row in found}
		hits = [HITS[doctype][0](row) for doctype, row in found]
		for session in sessionize(hits, self.timeout, self.own_hosts):
			row = rows.session_row(visitor_id, session)
			self.desired[row["name"]] = row
			if not row["link_campaign"] and any(keys := session.campaign_keys):
				self._campaign_keys[row["name"]] = keys
			for hit in session.hits:
				self._put(by_id[hit.id], row["name"])

	def _name_campaigns(self) -> None:
		"""Set the campaign of sessions that came without its link: by its id with a platform, else by utm_campaign (TCH-1)."""
		for name, campaign in campaigns.found(self._campaign_keys).items():
			self.desired[name]["link_campaign"] = campaign

	def _put(self, found: tuple[str, Row], session: str) -> None:
		doctype, row = found
		former = row.get("session")
		row["session"] = session
		if "_stored" in row and former != session:
			self._moves[doctype][row["name"]] = {"session": session}

	def _stored_hits(self) -> dict[str, list[tuple[str, Row]]]:
		hits: dict[str, list[tuple[str, Row]]] = defaultdict(list)
		if not self.stored:
			return hits
		for doctype in HITS:
			self._collect(hits, doctype, {"session": ("in", list(self.stored))})
		return hits

	@staticmethod
	def _collect(hits: dict[str, list[tuple[str, Row]]], doctype: str, filters: dict[str, Any]) -> None:
		_make, visitor_field, fields = HITS[doctype]
		for row in bulk.load(doctype, filters, fields).values():
			row["_stored"] = True
			hits[row[visitor_field]].append((doctype, row))

	def _sessions_around(self, spans: dict[str, Span]) -> dict[str, Row]:
		"""The stored sessions that new hits within `spans` could touch, directly or through another session."""
		spans = {one: span for one, span in spans.items() if self.known[one]["first_seen"]}
		if not spans:
			return {}
		horizon = min(begin for begin, _end in spans.values()) - HORIZON
		while True:
			fetched = self._fetch({"visitor_id": ("in", list(spans)), "session_end": (">=", horizon)})
			by_visitor: dict[str, list[Row]] = defaultdict(list)
			for row in fetched.values():
				by_visitor[row["visitor_id"]].append(row)
			chained = {
				row["name"]: row
				for one, span in spans.items()
				for row in chain(by_visitor[one], span, self.timeout)
			}
			begins = min((row["session_start"] for row in chained.values()), default=None)
			if begins is None or begins - self.timeout >= horizon:
				return chained
			horizon = begins - HORIZON

	def _sessions_named(self, names: set[str]) -> dict[str, Row]:
		"""These sessions, with all that they could grow together with."""
		if not names:
			return {}
		spans: dict[str, Span] = {}
		for row in self._fetch({"name": ("in", list(names))}).values():
			begin, end = spans.get(row["visitor_id"], (row["session_start"], row["session_end"]))
			spans[row["visitor_id"]] = (min(begin, row["session_start"]), max(end, row["session_end"]))
		return self._sessions_around(spans)

	def _fetch(self, filters: dict[str, Any]) -> dict[str, Row]:
		return bulk.load("Visitor Session", filters, rows.SESSION_FIELDS)


def chain(sessions: Iterable[Row], span: Span, timeout: timedelta) -> list[Row]:
	"""The sessions that a hit within `span` touches, and those that these touch in turn: no gap above `timeout` between."""
	begin, end = span
	near: list[Row] = []
	rest = list(sessions)
	while found := [
		row for row in rest if row["session_end"] >= begin - timeout and row["session_start"] <= end + timeout
	]:
		near += found
		rest = [row for row in rest if row not in found]
		begin = min(begin, *(row["session_start"] for row in found))
		end = max(end, *(row["session_end"] for row in found))
	return near


def _spans(new: dict[str, list[Row]]) -> dict[str, Span]:
	spans: dict[str, Span] = {}
	for doctype, some in new.items():
		_make, visitor_field, _fields = HITS[doctype]
		for row in some:
			at = row[TIME_FIELDS[doctype]]
			begin, end = spans.get(row[visitor_field], (at, at))
			spans[row[visitor_field]] = (min(begin, at), max(end, at))
	return spans
