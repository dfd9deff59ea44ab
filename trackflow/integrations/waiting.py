"""Leads that wait for their attribution, on the queue Redis; one job takes them all, many at a time.

An import stores leads faster than a worker begins jobs, so a lead is a line in a list and not a job of its own. A line goes
away when it is worked off: a job that dies leaves it to the next one. Of what Redis loses the hourly sweep finds new leads, and
the hourly run conversions that are marked for new credits; a changed address of a lead that has its conversion is lost.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import uuid4

import frappe
from frappe.utils import now_datetime
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.jobs import TimeIsUp, enqueue
from trackflow.runs import note_failure, recorded
from trackflow.stream.connection import Script, connect, key
from trackflow.tracking import conversions

Work = Callable[[Mapping[str, str]], None]

JOB = "trackflow.integrations.crm_lead.attribute_waiting"
LEADS_KEY = "leads"
# While this key lives, a job is queued or at work and will look once more before it ends.
DUE_KEY = "leads-due"
DUE_SECONDS = 120
# One transaction's worth.
AT_ONCE = 200
# A job hands over to the next one before its time is over.
MAX_SECONDS = 200

# KEYS: list, due key. ARGV: line, seconds that the due key lives. Answers whether a job is wanted.
_ADD = Script(
	"""
redis.call("RPUSH", KEYS[1], ARGV[1])
return redis.call("SET", KEYS[2], 1, "NX", "EX", ARGV[2]) and 1 or 0
"""
)


def add(lead: str, reference: str = "") -> None:
	"""Let a lead wait once the current transaction is stored; `reference` is what it came with, else its field counts."""
	frappe.db.after_commit.add(partial(_add, lead, reference))


def rename(old: str, new: str) -> None:
	"""Let a lead that waits go on under its new name, with what it came with, once the rename is stored."""
	frappe.db.after_commit.add(partial(_add_again, old, new))


@recorded
def resume() -> int:
	"""Every few minutes: queue a job for lines that a job left behind; returns how many these are."""
	redis = connect()
	left = redis.llen(key(LEADS_KEY))
	if not left or not redis.set(key(DUE_KEY), 1, nx=True, ex=DUE_SECONDS):
		return 0
	_queue_job()
	return left


def number() -> int:
	"""How many leads wait. Raises RedisError or StreamUnavailable."""
	return connect().llen(key(LEADS_KEY))


def work_off(work: Work) -> int:
	"""Give `work` all that waits, references by lead, and then whatever has come meanwhile; returns how many leads that were."""
	redis = connect()
	done = 0
	deadline = time.monotonic() + MAX_SECONDS
	while time.monotonic() < deadline:
		redis.set(key(DUE_KEY), 1, ex=DUE_SECONDS)
		lines = _first()
		if not lines:
			# From here on whoever adds a line queues a job; what came before is seen by one more look.
			redis.delete(key(DUE_KEY))
			lines = _first()
		if not lines:
			return done
		_work_on(lines, work)
		_remove(lines)
		done += len(lines)
	_queue_job()
	frappe.db.commit()
	return done


def _add(lead: str, reference: str) -> None:
	"""After the commit: the document is stored, and nothing here may say otherwise."""
	try:
		# No two lines are the same: a job that has worked on one removes that one.
		line = json.dumps([lead, reference, uuid4().hex])
		if _ADD.run([key(LEADS_KEY), key(DUE_KEY)], [line, DUE_SECONDS]):
			_queue_job()
	except (RedisError, OSError, StreamUnavailable) as error:
		frappe.logger("trackflow").warning(f"Lead {lead} is left to the hourly sweep: {error}")


def _add_again(old: str, new: str) -> None:
	"""The line of the old name stays: there is no lead of that name any more, or another one, which may as well be looked at."""
	try:
		lines = map(json.loads, connect().lrange(key(LEADS_KEY), 0, -1))
	except (RedisError, OSError, StreamUnavailable) as error:
		frappe.logger("trackflow").warning(f"Lead {new} is left to the hourly sweep: {error}")
		return
	for lead, reference, *_token in lines:
		if lead == old:
			_add(new, reference)


def _queue_job() -> None:
	enqueue(JOB, job_id=f"leads::{now_datetime()}")


def _first() -> Sequence[bytes]:
	return connect().lrange(key(LEADS_KEY), 0, AT_ONCE - 1)


def _remove(lines: Sequence[bytes]) -> None:
	pipeline = connect().pipeline(transaction=False)
	for line in lines:
		pipeline.lrem(key(LEADS_KEY), 1, line)
	pipeline.execute()


def _work_on(lines: Sequence[bytes], work: Work) -> None:
	references: dict[str, str] = {}
	for line in lines:
		lead, reference, *_token = json.loads(line)
		references[lead] = references.get(lead) or reference
	try:
		work(references)
	except TimeIsUp:
		raise
	except Exception:
		frappe.db.rollback()
		_one_by_one(references, work)


def _one_by_one(references: Mapping[str, str], work: Work) -> None:
	"""One that fails keeps none of the others back; it is left to the hourly sweep, its conversion to the hourly run."""
	for lead, reference in references.items():
		try:
			work({lead: reference})
		except TimeIsUp:
			raise
		except Exception:
			frappe.db.rollback()
			note_failure(f"TrackFlow: lead {lead} could not be attributed")
			conversions.pend([lead])
			frappe.db.commit()
