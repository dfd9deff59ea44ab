"""Days whose daily figures are to be worked out again (ROL-1).

A mark is a row of its own, written in the transaction of the change that it is about, so that both are stored or neither.
Whoever works a day out reads its marks first and the day's data in a later snapshot, and deletes these marks alone: one that
comes meanwhile stays, and nobody waits for anybody.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import frappe

from trackflow import bulk

MARK = "Rollup Day"


def mark(days: Iterable[date]) -> None:
	"""Note that something of these days changed, by one statement whatever their number. The caller's transaction stores it."""
	bulk.insert(MARK, [{"name": frappe.generate_hash(length=16), "date": day} for day in sorted(set(days))])


def mark_range(first: date, last: date) -> None:
	"""The same for all days from the first to the last one."""
	mark(first + timedelta(days=number) for number in range((last - first).days + 1))
