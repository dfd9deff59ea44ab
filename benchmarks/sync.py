"""SYN-1: thousands of forms that are due, synced to a Pipedrive that fails a third of the time; then each person is looked at.

`python -m benchmarks.sync [--forms 10000] [--failing 0.33]`; see README.md. The server is a thread of this process. Waiting is
simulated: pauses between attempts, the open circuit's minute and the scheduler's five minutes move the clock on and take no time.
On a bench it deletes the site's visitors and settings of the sync.
"""

import argparse
import random
import resource
import time
from collections import Counter
from typing import Any

import frappe

from benchmarks import host, report
from trackflow.tests.pipedrive_server import TOKEN, Pipedrive, key_of

PORTION = 1000
TICK_SECONDS = 300
SHOWN = 12
DOMAIN = "shop.example.com"
EMAIL = "p{}@benchmark.example"
FIELDS = ("utm_source", "visited_pages", "last_visited_on", "session_duration", "location", "visitor_id")
# All before anything is written: what an update that was done and not answered costs is a test's business.
FAILURES = (500, 502, 503, "cut", "garbage")


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--forms", type=int, default=10_000, help="forms, each of a person of its own")
	parser.add_argument("--failing", type=float, default=1 / 3, help="the part of requests that fail")
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where, Pipedrive([(one, "text") for one in FIELDS]) as server:
		_prepare(server, args.forms)
		story = _work(server, args.failing)
		_check(server, args.forms)
		_publish(args, where, server, story)
		_wipe()


class Story:
	"""What happened: the circuit's changes by simulated second, runs by why they ended, seconds of each kind."""

	def __init__(self) -> None:
		self.changes: list[tuple[float, str]] = []
		self.ends: Counter[str] = Counter()
		self.done: Counter[str] = Counter()
		self.seconds = self.simulated = 0.0


def _work(server: Pipedrive, failing: float) -> Story:
	from trackflow.sync import run
	from trackflow.tests.sync_case import SimulatedTime

	chance = random.Random(1)
	server.fails = lambda _method, _path: chance.choice(FAILURES) if chance.random() < failing else None
	clock, story = SimulatedTime(), Story()
	began, start = time.monotonic(), clock.time()
	while frappe.db.count("CRM Sync Log", {"status": "pending"}):
		done = run.work(clock=clock, hear=lambda one: story.changes.append((clock.time() - start, one.state)))
		story.done += done.done
		story.ends["the circuit opened" if done.stopped.text else "nothing was due"] += 1
		# The scheduler comes again.
		clock.ahead += TICK_SECONDS
	story.seconds, story.simulated = time.monotonic() - began, clock.time() - start
	return story


def _check(server: Pipedrive, forms: int) -> None:
	"""Each person updated exactly once, and none made."""
	states = Counter(frappe.get_all("CRM Sync Log", pluck="status"))
	assert states == {"synced": forms}, states
	assert len(server.persons) == forms, "a person was made"
	assert set(server.updates.values()) == {1} and len(server.updates) == forms, Counter(
		server.updates.values()
	)
	assert {method for method, _path in server.requests} == {"GET", "PATCH"}
	visitors = {str(one["custom_fields"][key_of("visitor_id")]) for one in server.persons.values()}
	assert len(visitors) == forms, "a person got another's values"


def _publish(args: argparse.Namespace, where: host.Host, server: Pipedrive, story: Story) -> None:
	requests = Counter(method for method, _path in server.requests)
	rows = [[f"{seconds:,.0f} s", state] for seconds, state in story.changes[:SHOWN]]
	rows.append(["…", f"{max(0, len(story.changes) - SHOWN):,} more changes"])
	spans = _spans(story)
	opened = sum(state == "open" for _at, state in story.changes)
	memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
	notes = [
		f"Site: {where.name}, {frappe.db.db_type}; a server on loopback in the same process, of whose answers {args.failing:.0%} fail "
		"(500, 502, 503, a cut connection, HTML)",
		f"All {args.forms:,} persons updated exactly once, each with its own visitor; none created",
		f"{requests['GET']:,} searches and {requests['PATCH']:,} updates asked, failures included; {story.done['later']:,} forms put off",
		f"Runs: {', '.join(f'{number:,} ended as {why}' for why, number in story.ends.items())}",
		f"The circuit opened {opened:,} times; time in each state: {spans}",
		f"Real time {story.seconds:.0f} s ({args.forms / story.seconds:,.0f} forms/s); simulated {story.simulated / 3600:,.1f} hours: pauses, "
		f"the open circuit's minute and the scheduler's five minutes were not waited for; memory {memory:,.0f} MiB with the server",
	]
	title = f"Sync of {args.forms:,} forms to a CRM that fails (SYN-1)"
	report.publish(title, ["circuit breaker at", "state"], rows, notes, args.keep)


def _spans(story: Story) -> str:
	spans: Counter[str] = Counter()
	at, state = 0.0, "closed"
	for until, then in [*story.changes, (story.simulated, "")]:
		spans[state] += until - at
		at, state = until, then
	return ", ".join(f"{name} {seconds / 3600:,.2f} h" for name, seconds in spans.items())


def _prepare(server: Pipedrive, forms: int) -> None:
	from trackflow.sync import pipedrive
	from trackflow.tests.factories import make_domain, set_settings
	from trackflow.tracking import store

	_wipe()
	frappe.local.conf[pipedrive.ADDRESS] = server.address
	make_domain(DOMAIN)
	set_settings(
		enable_tracking=1,
		collect_form_values=1,
		sync_enabled=1,
		sync_token=TOKEN,
		sync_delay_minutes=0,
		sync_fields=[{"source": one, "remote_field": key_of(one), "remote_type": "text"} for one in FIELDS],
	)
	for first in range(0, forms, PORTION):
		store.store([_form(number) for number in range(first, min(first + PORTION, forms))])
	for number in range(forms):
		server.add(f"Person {number}", EMAIL.format(number))
	frappe.db.commit()


def _form(number: int) -> dict[str, Any]:
	from trackflow.tests.factories import consent, event_record

	values = {"values": {"email": EMAIL.format(number)}, "form_name": "Contact"}
	return event_record(
		event_type="FORM_SUBMIT",
		visitor=f"v_{number:016x}",
		domain=DOMAIN,
		form=values,
		person=consent("Granted", "1"),
		city="Paris",
	)


def _wipe() -> None:
	from trackflow.stream import connection
	from trackflow.sync import state
	from trackflow.tests.factories import set_settings

	set_settings(sync_enabled=0, sync_token=None, sync_fields=[])
	for doctype in (
		"CRM Sync Log",
		"Visitor Event",
		"Visitor Session",
		"Touch Point",
		"Visitor",
		"Domain Configuration",
	):
		frappe.db.delete(doctype)
	connection.connect().delete(connection.key(state.KEY))
	frappe.db.commit()


if __name__ == "__main__":
	main()
