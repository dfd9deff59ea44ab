"""How much there is, and how much of the spend was waste, worked out once an hour: a table of millions takes a database seconds to
count, so nobody waits for it."""

import json
import time
from typing import Any

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.rollups.run import yesterday
from trackflow.runs import recorded
from trackflow.stream import connection
from trackflow.waste import findings

HOURLY_KEY = "hourly-figures"
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
	return {name: number for name, number in _count()["totals"].items() if name in DOCTYPES}


def hourly() -> dict[str, Any]:
	"""What was worked out last: `totals`, with when (`at`, seconds since 1970), and `waste_rate`, per cent of the last 30 days' spend
	under the default model, None where nothing was spent or it is not known. Where nothing is kept, as on a new site or after
	Redis was emptied, it is worked out now."""
	try:
		kept = connection.connect().get(connection.key(HOURLY_KEY))
	except (RedisError, StreamUnavailable):
		return {"totals": {**dict.fromkeys(DOCTYPES), "at": None}, "waste_rate": None}
	return json.loads(kept) if kept else _count()


def _count() -> dict[str, Any]:
	numbers = {name: frappe.db.count(doctype) for name, doctype in DOCTYPES.items()}
	found = {
		"totals": {**numbers, "at": time.time()},
		"waste_rate": findings.of_days_until(yesterday(), 0)["summary"]["share"],
	}
	connection.connect().set(connection.key(HOURLY_KEY), json.dumps(found))
	return found
