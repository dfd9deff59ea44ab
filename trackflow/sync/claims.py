"""Whose turn a form is (SYN-1): workers take some that are due, for a while, and say what became of them.

Nobody else gets them meanwhile. What a worker that died had taken is due again when its while is over; what it says too late is
not heard. Each function is a transaction of its own, which begins with the locks.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.sync.intake import LOG
from trackflow.sync.schedule import ERROR, EXPIRED, PENDING, Outcome

Row = dict[str, Any]

# Of the addresses of one batch: somebody may send the same form thousands of times.
MOST_OF_ADDRESSES = 1_000
# A form that nobody came to for so long tells of a visit that is over: it would surprise whoever gets it. Shorter than logs are kept,
# so that it can be seen.
LONGEST_WAIT = timedelta(days=30)
FIELDS = (
	"visitor", "visitor_event", "email", "first_name", "last_name", "attempts", "status", "due_at", "claim",
)  # fmt: skip


@retried
def take(now: datetime, until: datetime, number: int) -> list[Row]:
	"""Take forms that are due, the first first, and with each what is due of the same address, up to MOST_OF_ADDRESSES in all: one
	person is one worker's. What is left of an address is its next turn."""
	frappe.db.commit()
	due = _due(now, number)
	if not due:
		return []
	addresses = {row.email for row in due.values() if row.email}
	due |= _due(now, MOST_OF_ADDRESSES, addresses)
	frappe.db.commit()
	locked = bulk.lock(LOG, due, FIELDS)
	taken = {name: row for name, row in locked.items() if row.status == PENDING and row.due_at <= now}
	# Asked only now: whoever takes forms of an address locks the first of them, so what another took before is stored.
	others = _addresses_of_others(addresses, now)
	taken = {name: row for name, row in taken.items() if not row.email or row.email not in others}
	claim = frappe.generate_hash(length=16)
	changes = {
		name: {"claim": claim, "due_at": until, "attempts": (row.attempts or 0) + 1}
		for name, row in taken.items()
	}
	bulk.update(LOG, changes, is_locked=True)
	frappe.db.commit()
	return [row.update(changes[name]) or row for name, row in taken.items()]


def held(rows: Collection[Row]) -> list[Row]:
	"""Those of these that are still this worker's: an erasure may have deleted them, another may have taken them over."""
	frappe.db.commit()
	there = bulk.load(LOG, {"name": ("in", {row.name for row in rows})}, ("claim",))
	return [row for row in rows if row.name in there and there[row.name].claim == row.claim]


@retried
def settle(rows: Collection[Row], outcome: Outcome, payload: Mapping[str, Any], at: datetime) -> int:
	"""Say what became of forms that this worker holds; answers of how many that was."""
	values = {
		"status": outcome.status,
		"reason": outcome.reason,
		"remote_id": outcome.remote_id,
		"error_message": outcome.message,
		"payload": frappe.as_json(payload) if payload else None,
		"synced_at": at if outcome.status == "synced" else None,
		"claim": None,
	}
	due = {"due_at": outcome.due_at} if outcome.due_at else {}
	return _change(rows, {row.name: {**values, **due} for row in rows})


@retried
def give_back(rows: Collection[Row], due_at: datetime) -> int:
	"""Let others take forms that this worker did not come to: it was no attempt."""
	return _change(
		rows, {row.name: {"claim": None, "due_at": due_at, "attempts": row.attempts - 1} for row in rows}
	)


@retried
def drop(rows: Collection[Row]) -> int:
	"""Forget forms of people who do not want that any more."""
	frappe.db.commit()
	mine = _mine(rows)
	bulk.delete(LOG, mine)
	frappe.db.commit()
	return len(mine)


@retried
def give_up_old(now: datetime) -> int:
	"""Give up forms that have waited too long, such as for a sync that is off for good; answers how many."""
	frappe.db.commit()
	before = now - LONGEST_WAIT
	locked = bulk.lock(LOG, _due(before, MOST_OF_ADDRESSES), ("status", "due_at"))
	old = [name for name, row in locked.items() if row.status == PENDING and row.due_at <= before]
	message = _("It waited for {0} days, and nobody synced it.").format(LONGEST_WAIT.days)
	values = {"status": ERROR, "reason": EXPIRED, "error_message": message, "claim": None}
	bulk.update(LOG, dict.fromkeys(old, values), is_locked=True)
	frappe.db.commit()
	return len(old)


@retried
def try_again(names: Collection[str], now: datetime) -> int:
	"""Begin with forms anew that are done, or wait for another attempt; answers how many."""
	frappe.db.commit()
	locked = bulk.lock(LOG, names, ("status", "due_at", "claim"))
	free = [name for name, row in locked.items() if not _is_anothers(row, now)]
	values = {
		"status": PENDING,
		"attempts": 0,
		"due_at": now,
		"reason": None,
		"error_message": None,
		"claim": None,
	}
	bulk.update(LOG, dict.fromkeys(free, values), is_locked=True)
	frappe.db.commit()
	return len(free)


def _due(now: datetime, number: int, addresses: Collection[str] | None = None) -> dict[str, Row]:
	"""The first that are due, of these addresses if any are named."""
	if addresses is not None and not addresses:
		return {}
	table = frappe.qb.DocType(LOG)
	query = (
		frappe.qb.from_(table)
		.select(table.name, table.email)
		.where((table.status == PENDING) & (table.due_at <= now))
		.orderby(table.due_at)
		.orderby(table.name)
		.limit(number)
	)
	if addresses:
		query = query.where(bulk.among(table.email, addresses))
	return {row.name: row for row in query.run(as_dict=True)}


def _addresses_of_others(addresses: Collection[str], now: datetime) -> set[str]:
	"""Those of these addresses of which another worker holds a form."""
	if not addresses:
		return set()
	table = frappe.qb.DocType(LOG)
	query = (
		frappe.qb.from_(table)
		.select(table.email)
		.distinct()
		.where(bulk.among(table.email, addresses) & (table.status == PENDING))
		.where(table.claim.isnotnull() & (table.due_at > now))
	)
	return set(query.run(pluck=True))


def _is_anothers(row: Row, now: datetime) -> bool:
	return bool(row.status == PENDING and row.claim and row.due_at > now)


def _change(rows: Collection[Row], changes: Mapping[str, Row]) -> int:
	frappe.db.commit()
	mine = _mine(rows)
	bulk.update(LOG, {name: changes[name] for name in mine}, is_locked=True)
	frappe.db.commit()
	return len(mine)


def _mine(rows: Collection[Row]) -> Sequence[str]:
	claims = {row.name: row.claim for row in rows}
	return [name for name, row in bulk.lock(LOG, claims, ("claim",)).items() if row.claim == claims[name]]
