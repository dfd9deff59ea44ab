"""The one way from the stream into the database: clicks, events, visitors, sessions, touch points, counters, conversions.

A batch is one transaction. A record that is stored already changes nothing, so a batch may come twice, in any order and in
two processes at once. A record that cannot be stored is kept in the Click Queue; the rest of its batch is stored.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.config import get_config
from trackflow.email import activity
from trackflow.inert import inert_row
from trackflow.policy import Config
from trackflow.rollups import marks
from trackflow.stream import click_queue
from trackflow.sync import intake
from trackflow.times import site_time
from trackflow.tracking import conversions, counters, joins, rows, scanners, visitors
from trackflow.tracking.visitors import Engagement, Statement
from trackflow.tracking.visits import Visits
from trackflow.webhooks import messages, outbox

Record = dict[str, Any]
Row = dict[str, Any]

# A click that changes hands while it is looked at is looked at again, this often at most.
LOOKS = 6
LONG_AGO = datetime(1970, 1, 1)


def store(records: list[Record]) -> tuple[int, int]:
	"""Store records; answers how many were new and how many were kept in the Click Queue."""
	if not records:
		return 0, 0
	try:
		return _store_and_join(records), 0
	except Exception as error:
		frappe.db.rollback()
		if len(records) == 1:
			# If the database itself is out of reach this fails too, and the record stays on the stream.
			click_queue.keep(records[0], error)
			return 0, 1
	middle = len(records) // 2
	halves = [store(records[:middle]), store(records[middle:])]
	return sum(stored for stored, _failed in halves), sum(failed for _stored, failed in halves)


@retried
def join_late(clicks: Collection[Row], events: Collection[Row]) -> int:
	"""Join clicks and landings that are stored, but could not see each other when they were: two drains stored them at
	once. Answers how many clicks went over. Whoever commits last sees both; what collides all the same is left to the
	repair. Ends its transactions itself."""
	if not joins.clicks_of(clicks, events):
		return 0
	config = get_config()
	handed_over = 0
	for _look in range(LOOKS):
		frappe.db.commit()
		found = joins.find(clicks, events, config.session_timeout)
		if not found:
			break
		handed_over += _hand_over(found, config)
	return handed_over


@retried
def take_back_late(clicks: Collection[Row]) -> int:
	"""Make robots' clicks of stored ones that prove to be a mail scanner's, seen together with these rows: they are taken
	out of counters, sessions and touch points. Answers how many. Whoever commits last sees the whole burst."""
	taken = 0
	for _look in range(LOOKS):
		frappe.db.commit()
		found = scanners.late(clicks)
		if not found:
			break
		taken += _take_back(found, get_config())
	return taken


def _store_and_join(records: list[Record]) -> int:
	new, clicks, events = _store_batch(records, get_config())
	join_late(clicks, events)
	take_back_late(clicks)
	if mails := activity.of_mails(records):
		activity.store(mails)
	return new


@retried
def _store_batch(records: list[Record], config: Config) -> tuple[int, list[Row], list[Row]]:
	"""Store records in one transaction; answers how many were new, and the rows of all."""
	zone = ZoneInfo(get_system_timezone())
	clicks = {one["id"]: rows.click_row(one, zone) for one in records if one["kind"] == "click"}
	events = {one["id"]: rows.event_row(one, zone) for one in records if one["kind"] == "event"}
	# MariaDB reads as of a transaction's first plain read: what is read before the visitors are locked must not fix that
	# moment, so `lock` begins a transaction of its own.
	frappe.db.commit()
	recipients = activity.recipients_of(records)
	scanners.mark(clicks.values())
	joinable = joins.find(list(clicks.values()), list(events.values()), config.session_timeout)
	known = visitors.lock(_visitor_ids(clicks, events, joinable))
	new_clicks = _without_stored("Click Event", clicks)
	new_events = _without_stored("Visitor Event", events)
	moved = joins.apply(joinable, new_clicks)

	counted_clicks = [row for row in new_clicks.values() if row["counted"]]
	counted_events = [row for row in new_events.values() if row["counted"]]
	visits = Visits(config, known)
	visits.add(counted_clicks, counted_events, moved)
	counters.mark_unique(counted_clicks, known)
	visits.save()
	people = _people(records, new_clicks | new_events, known, zone, recipients)
	visitors.update(
		known,
		[*counted_clicks, *moved],
		counted_events,
		people,
		_engagement(config),
		also=visits.earliest_change().keys(),
		touches_of_new=visits.touches_of_new(),
	)
	bulk.insert("Click Event", new_clicks.values())
	bulk.insert("Visitor Event", new_events.values())
	marks.mark_clicks(
		[row["click_timestamp"] for row in (*new_clicks.values(), *moved)]
		+ [row["timestamp"] for row in new_events.values()]
	)
	visitors.rebuild({join.former for join in joinable}, known, _engagement(config))
	counters.add_clicks(new_clicks.values(), counters.settle_unique(_pairs(joinable, moved)))
	intake.note(counted_events, known, people, config)
	made = conversions.from_events(counted_events, known)
	_tell(counted_clicks, people, known, config)
	named = {one for one, values in people.items() if values.get("contact_email")}
	_queue_credits(made, visits, known, named)
	# The batch must be stored before it is acknowledged.
	frappe.db.commit()
	return len(new_clicks) + len(new_events), list(clicks.values()), list(events.values())


def _tell(clicks: Collection[Row], people: dict[str, Row], known: dict[str, Row], config: Config) -> None:
	"""Have webhooks told, where there are any, of persons' clicks and of visitors that said who they are."""
	if clicks:
		outbox.tell(
			"link.clicked", lambda zone: {row["name"]: messages.click(row, zone) for row in clicks}, config
		)
	identified = [
		one for one, values in people.items() if values.get("contact_email") and not _is_known(known[one])
	]
	if identified:
		now = now_datetime()
		outbox.tell(
			"visitor.identified",
			lambda zone: {one: messages.identified(one, "email", now, zone) for one in identified},
			config,
		)


def _hand_over(found: list[joins.Join], config: Config) -> int:
	"""Hand stored clicks over to the visits that they led to, in one transaction."""
	known = visitors.lock(_visitor_ids({}, {}, found))
	moved = joins.apply(found, {})
	marks.mark_clicks(row["click_timestamp"] for row in moved)
	visits = Visits(config, known)
	visits.add([], [], moved)
	visits.save()
	also = visits.earliest_change().keys()
	visitors.update(known, moved, [], {}, _engagement(config), also, visits.touches_of_new())
	visitors.rebuild({join.former for join in found}, known, _engagement(config))
	counters.add_clicks([], counters.settle_unique(_pairs(found, moved)))
	_queue_credits([], visits, known)
	frappe.db.commit()
	return len(moved)


def _take_back(names: set[str], config: Config) -> int:
	"""Take stored clicks back, in one transaction."""
	filters = {"name": ("in", names), "counted": 1}
	owners = {row.visitor_id for row in bulk.load("Click Event", filters, ["visitor_id"]).values()}
	known = visitors.lock(owners)
	# One that went over to another visitor meanwhile is left to the next look.
	clicks = [
		row for row in bulk.load("Click Event", filters, scanners.FIELDS).values() if row.visitor_id in known
	]
	bulk.update("Click Event", {row.name: scanners.as_robot(row) for row in clicks})
	marks.mark_clicks(row.click_timestamp for row in clicks)
	visits = Visits(config, known)
	visits.remove(clicks)
	visits.save()
	visitors.rebuild(known, known, _engagement(config))
	counters.take_back(clicks)
	_queue_credits([], visits, known)
	frappe.db.commit()
	return len(clicks)


def _pairs(found: Collection[joins.Join], moved: Collection[Row]) -> set[tuple[str, str]]:
	"""Visitors and links between which stored clicks moved."""
	links = {row["name"]: row["tracked_link"] for row in moved}
	joined = [join for join in found if join.click in links]
	return {(one, links[join.click]) for join in joined for one in (join.former, join.visitor)}


def _engagement(config: Config) -> Engagement:
	return Engagement(config.engagement_points, config.engagement_half_life_days)


def _queue_credits(
	made: list[str], visits: Visits, known: dict[str, Row], named: Collection[str] = ()
) -> None:
	"""Have new conversions credited, and those whose touch points changed or whose person got a name."""
	# Nobody who is new here and has no name can have converted before.
	since = {one: at for one, at in visits.earliest_change().items() if known[one]["first_seen"]}
	pending = made + conversions.reopen(since | dict.fromkeys(named, LONG_AGO))
	if pending:
		conversions.queue_credits(pending)


def _visitor_ids(clicks: dict[str, Row], events: dict[str, Row], joinable: list[joins.Join]) -> set[str]:
	ids = {row["visitor_id"] for row in clicks.values() if row["counted"]} | {
		row["visitor"] for row in events.values()
	}
	return (ids | {join.former for join in joinable} | {join.visitor for join in joinable}) - {None}


def _without_stored(doctype: str, new: dict[str, Row]) -> dict[str, Row]:
	if not new:
		return {}
	stored = bulk.load(doctype, {"name": ("in", list(new))}, ())
	return {name: row for name, row in new.items() if name not in stored}


def _is_known(visitor: Row) -> bool:
	"""Whether it was said before who a visitor is."""
	return bool(visitor["contact_email"] or visitor["crm_lead"])


def _people(
	records: list[Record],
	new: dict[str, Row],
	known: dict[str, Row],
	zone: ZoneInfo,
	recipients: dict[str, str],
) -> dict[str, Row]:
	"""What new records change of what is known of visitors themselves: consent, name, e-mail, and whether the id is
	cookieless. Whoever clicks in a mail is its recipient, as far as nobody said otherwise: mails are passed on."""
	fresh = [one for one in records if one["id"] in new and new[one["id"]]["counted"]]
	# Of most nothing is said that is not known.
	heard = {
		one["visitor"]
		for one in fresh
		if one.get("person") or one["id"] in recipients or _is_other(one, known[one["visitor"]])
	}
	statements: dict[str, list[Statement]] = defaultdict(list)
	for record in fresh:
		if record["visitor"] in heard:
			values = {"is_cookieless": int(record["cookieless"]), **inert_row(record.get("person") or {})}
			if record["id"] in recipients and not _is_known(known[record["visitor"]]):
				values["contact_email"] = recipients[record["id"]]
			statements[record["visitor"]].append(Statement(site_time(record["at"], zone), values))
	return {one: visitors.said(known[one], some) for one, some in statements.items()}


def _is_other(record: Record, visitor: Row) -> bool:
	return bool(record["cookieless"]) != bool(visitor["is_cookieless"])
