"""How much there is, counted once an hour: a table of millions takes a database seconds to count, so nobody waits for it."""

import json
import time
from typing import Any

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.runs import recorded
from trackflow.stream import connection

TOTALS_KEY = "totals"
DOCTYPES = {
	"links": "Tracked Link",
	"clicks": "Click Event",
	"events": "Visitor Event",
	"visitors": "Visitor",
	"conversions": "Conversion",
}


@recorded
def count() -> dict[str, int]:
	"""Hourly: count, and keep it; returns the numbers."""
	return {name: number for name, number in _count().items() if name in DOCTYPES}


def totals() -> dict[str, Any]:
	"""What was counted last, and when (`at`, seconds since 1970). Where nothing is kept, as on a new site or after Redis was emptied,
	it is counted now."""
	try:
		kept = connection.connect().get(connection.key(TOTALS_KEY))
	except (RedisError, StreamUnavailable):
		return {**dict.fromkeys(DOCTYPES), "at": None}
	if kept:
		return json.loads(kept)
	return _count()


def _count() -> dict[str, Any]:
	found = {name: frappe.db.count(doctype) for name, doctype in DOCTYPES.items()}
	found["at"] = time.time()
	connection.connect().set(connection.key(TOTALS_KEY), json.dumps(found))
	return found
