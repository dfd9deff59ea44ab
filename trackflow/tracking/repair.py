"""Derives sessions and touch points again: of visitors where one is missing, every 15 minutes, or of any (TCH-1).

They are functions of clicks and events, so deriving them again changes nothing where nothing is wrong. Clicks that still
lack the landing that they led to are joined first.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow.collisions import retried
from trackflow.config import get_config
from trackflow.privacy import aged
from trackflow.runs import note_failure, recorded
from trackflow.tracking import conversions, identity, joins, store, visitors
from trackflow.tracking.visits import Visits

# Visitors mended in one run; the next run goes on.
AT_ONCE = 500
# Landings of this long ago are looked at for clicks that were not joined.
JOIN_HORIZON = timedelta(days=1)


@recorded
def repair() -> int:
	"""Join clicks that lack their landing, and mend visitors that have a hit without a session or a session without a touch
	point; returns clicks joined and rows written."""
	joined = store.join_late([], _unjoined_landings())
	broken = sorted(_with_loose_hits() | _with_bare_sessions())[:AT_ONCE]
	return joined + rebuild(broken)


def rebuild(visitor_ids: Collection[str]) -> int:
	"""Derive all sessions and touch points of these visitors again, in one transaction; returns rows written. Those of erased
	visitors, and those that are settled by their age, stay: what they were derived from is gone."""
	visitor_ids = _not_erased(visitor_ids)
	if not visitor_ids:
		return 0
	frappe.db.commit()
	visitors.make_missing(visitor_ids)
	known = visitors.lock(visitor_ids)
	visits = Visits(get_config(), known)
	visits.add_all(known, _settled_until())
	visits.save()
	since = visits.earliest_change()
	visitors.refresh_touches(since)
	reopened = conversions.reopen(since)
	if reopened:
		conversions.queue_credits(reopened)
	frappe.db.commit()
	return visits.written


def rebuild_all(tell: Callable[[int], None] | None = None) -> int:
	"""Derive sessions and touch points of all visitors again, and their own figures; returns rows written. `tell` is called
	with the number of visitors done."""
	written = done = 0
	last = ""
	while names := _names_after(last):
		written += rebuild(names) + rebuild_figures(names)
		done, last = done + len(names), names[-1]
		if tell:
			tell(done)
	return written


@dataclass(slots=True)
class Derived:
	"""Visitors whose sessions and touch points were derived again, rows written, and visitors with whom that failed."""

	visitors: int = 0
	written: int = 0
	failed: int = 0


def derive_between(
	first: date | None, last: date | None, tell: Callable[[Derived], None] | None = None
) -> Derived:
	"""Derive sessions and touch points again of all visitors who were here in a range of days, both included, or of all. A portion
	of visitors that fails is logged, and the others go on. `tell` is called after each portion."""
	done, after = Derived(), ""
	while names := _seen_between(first, last, after):
		try:
			done.written += retried(rebuild)(names)
			done.visitors += len(names)
		except Exception:
			frappe.db.rollback()
			note_failure(f"TrackFlow: touch points of visitors from {names[0]} on were not derived")
			frappe.db.commit()
			done.failed += len(names)
		after = names[-1]
		if tell:
			tell(done)
	return done


def _seen_between(first: date | None, last: date | None, after: str) -> list[str]:
	"""The next visitors by name that were here in these days."""
	visitor = frappe.qb.DocType("Visitor")
	query = frappe.qb.from_(visitor).select(visitor.name).where(visitor.name > after)
	if first:
		query = query.where(visitor.last_seen >= datetime.combine(first, time.min))
	if last:
		query = query.where(visitor.first_seen < datetime.combine(last + timedelta(days=1), time.min))
	return [name for (name,) in query.orderby(visitor.name).limit(AT_ONCE).run()]


def rebuild_figures(visitor_ids: Collection[str]) -> int:
	"""Work out these visitors' own figures again, in one transaction; returns rows written."""
	config = get_config()
	engagement = visitors.Engagement(config.engagement_points, config.engagement_half_life_days)
	frappe.db.commit()
	known, since = visitors.lock(_not_erased(visitor_ids)), _settled_until()
	whole = [one for one in known if (known[one]["first_seen"] or since) >= since]
	written = visitors.rebuild(whole, known, engagement)
	frappe.db.commit()
	return written


def _settled_until() -> datetime:
	"""Before when sessions, and visitors who were there by then, stay as they are: hits may be gone, what is credited for conversions
	that are nobody's rests on touch points, and whose these were is not said again."""
	return max(filter(None, (aged.horizon(), aged.kept_until())), default=datetime.min)


def _not_erased(visitor_ids: Collection[str]) -> list[str]:
	return [one for one in visitor_ids if not identity.is_erased(one)]


def _names_after(last: str) -> list[str]:
	filters = {"name": (">", last)}
	return frappe.get_all("Visitor", filters=filters, pluck="name", order_by="name", limit=AT_ONCE)


def _unjoined_landings() -> list[dict[str, Any]]:
	"""Recent landings whose click knows no landing at all."""
	event, click = frappe.qb.DocType("Visitor Event"), frappe.qb.DocType("Click Event")
	rows = (
		frappe.qb.from_(event)
		.inner_join(click)
		.on(click.name == event.click_ref)
		.select(
			event.name,
			event.visitor,
			event.timestamp,
			event.click_ref,
			event.counted,
			click.click_timestamp,
		)
		.where(event.timestamp >= now_datetime() - JOIN_HORIZON)
		.where(event.counted == 1)
		.where(click.counted == 1)
		.where(click.landing_event.isnull() | (click.landing_event == ""))
		.orderby(event.timestamp, event.name)
		.run(as_dict=True)
	)
	timeout = get_config().session_timeout
	return [row for row in rows if joins.belongs(row.click_timestamp, row.timestamp, timeout)][:AT_ONCE]


def _with_loose_hits() -> set[str]:
	found: set[str] = set()
	for doctype, field in (("Click Event", "visitor_id"), ("Visitor Event", "visitor")):
		filters = {"session": ("is", "not set"), "counted": 1, field: ("not like", identity.ANY_ERASED)}
		found |= set(frappe.get_all(doctype, filters=filters, pluck=field, order_by="name", limit=AT_ONCE))
	return found - {None, ""}


def _with_bare_sessions() -> set[str]:
	session, touch = frappe.qb.DocType("Visitor Session"), frappe.qb.DocType("Touch Point")
	rows = (
		frappe.qb.from_(session)
		.left_join(touch)
		.on(touch.session == session.name)
		.select(session.visitor_id)
		.where(touch.name.isnull())
		# Of nobody, as erasures and archives leave them: there is nothing to derive of those.
		.where(session.visitor_id.not_like(identity.ANY_ERASED))
		.limit(AT_ONCE)
		.run()
	)
	return {visitor_id for (visitor_id,) in rows}
