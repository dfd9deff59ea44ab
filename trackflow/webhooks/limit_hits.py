"""Tells webhooks of limits that refused requests (WHK-1), every five minutes, of what the tally has of the minutes before.

Limits are met where people wait, and by whoever floods a site: so nothing is written there, and here a handful of sums is told,
however many requests were refused. Figures are the tally's, a little late and not for accounts; of addresses nothing is told.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from trackflow.access.keyed import KEY_LIMIT
from trackflow.config import get_config
from trackflow.health import figures
from trackflow.naming import key_name
from trackflow.runs import recorded
from trackflow.stream import connection, tally
from trackflow.times import site_time
from trackflow.webhooks import messages, outbox
from trackflow.webhooks.messages import Item

EVENT = "limit.exceeded"
TOLD_KEY = "limits-told"
MOST_MINUTES = 60


@recorded
def tell_limits() -> int:
	"""Every five minutes; returns how many limits were told of."""
	if not outbox.subscribers(EVENT):
		return 0
	until = int(time.time() // 60)
	redis, name = connection.connect(), connection.key(TOLD_KEY)
	minutes = min(until - int(redis.get(name) or until - 5), MOST_MINUTES)
	if minutes <= 0:
		return 0
	# The running minute is left to the next time.
	past, _sums = tally.read(minutes + 1)
	zone = ZoneInfo(get_system_timezone())
	found = _items(figures.added(past[1:]), site_time(until * 60, zone), minutes, zone)
	if found:
		outbox.tell(EVENT, lambda _zone: found)
		frappe.db.commit()
	redis.set(name, until)
	return len(found)


def _items(counted: Mapping[str, int], until: datetime, minutes: int, zone: ZoneInfo) -> dict[str, Item]:
	"""By endpoint, and by key."""
	of_keys = {
		key.name: counted.get(f"{KEY_LIMIT}{prefix}", 0) for prefix, key in get_config().api_keys.items()
	}
	hits = [(endpoint, None, number) for endpoint, number in figures.limit_hits(counted).items()]
	hits += [("key", name, number) for name, number in sorted(of_keys.items()) if number]
	return {
		key_name(endpoint, key): messages.limit(endpoint, key, number, until, minutes, zone)
		for endpoint, key, number in hits
	}
