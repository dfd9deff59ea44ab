"""How the site is, measured on a site (RPT-3): figures, jobs, checks, who may read them, whom they are told."""

import json
import time
from datetime import date, timedelta
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, getdate, now_datetime

from trackflow import bulk, doctor, hooks, notices, runs
from trackflow.api.health import get_metrics
from trackflow.api.waste import get_waste
from trackflow.attribution import run as attribution
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.health import alerts, measure, totals
from trackflow.rollups import run
from trackflow.runs import recorded
from trackflow.stream import connection, drain, tally, writer
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.tests.factories import (
	VISITOR,
	click_record,
	make_campaign,
	make_conversion,
	make_cost,
	make_domain,
	make_link,
	make_rate,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.users import PeopleTestCase, make_user, remove_user

MANAGER, ADMIN, CAMPAIGNER = (f"health.{who}@example.com" for who in ("manager", "admin", "campaigns"))
PATH = "/api/method/trackflow.api.health.get_metrics"


class HealthTestCase(TrackFlowTestCase):
	def finding(self, check: str) -> doctor.Finding:
		return next(one for one in doctor.examine() if one.check == check)

	def set(self, **values: Any) -> None:
		settings = frappe.get_single("TrackFlow Settings")
		settings.update(values)
		settings.save()
		frappe.db.commit()


class TestWhoMayRead(PeopleTestCase):
	"""RPT-3: TrackFlow Managers and System Managers."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		MANAGER: (TRACKFLOW_MANAGER,),
		ADMIN: ("System Manager",),
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
	}

	def test_roles(self) -> None:
		for user, status in ((MANAGER, 200), (ADMIN, 200), (CAMPAIGNER, 403), (None, 403)):
			with self.subTest(user):
				answer = self.get(PATH, headers=self.authorization(user))
				self.assertEqual(answer.status_code, status, answer.text)

	def test_it_shows_the_checks(self) -> None:
		found = self.get(PATH, headers=self.authorization(MANAGER)).json["message"]
		self.assertEqual([one["check"] for one in found["checks"]], list(doctor.CHECKS))
		self.assertEqual(found["ok"], all(one["mark"] != doctor.BROKEN for one in found["checks"]))

	def test_it_is_read_and_not_posted(self) -> None:
		answer = self.request("POST", PATH, headers=self.authorization(MANAGER))
		self.assertEqual(answer.status_code, 403)

	def test_as_text(self) -> None:
		answer = self.get(f"{PATH}?format=prometheus", headers=self.authorization(MANAGER))
		self.assertEqual((answer.status_code, answer.mimetype), (200, "text/plain"))
		self.assertIn('trackflow_up{server="database"} 1', answer.text.splitlines())
		self.assertEqual(self.get(f"{PATH}?format=xml", headers=self.authorization(MANAGER)).status_code, 417)


class TestFigures(HealthTestCase):
	"""RPT-3: what was answered, refused and written in the last hour, without a round trip of its own."""

	def test_answers_by_endpoint(self) -> None:
		make_link("spring")
		for code, number in (("spring", 3), ("nowhere", 1)):
			for _time in range(number):
				self.get(f"/r/{code}")
		found = measure.metrics()
		redirects = found["last_hour"]["answers"]["redirects"]
		self.assertEqual((redirects["by_status"], redirects["errors"]), ({"302": 3, "404": 1}, 0))
		self.assertEqual(found["last_hour"]["clicks"], 3)
		times = found["response_times"]["redirects"]
		self.assertGreater(times["mean_ms"], 0)
		self.assertLessEqual(times["p50_ms"], times["p99_ms"] or float("inf"))
		self.assertIsNone(found["response_times"]["events"])

	def test_events_duplicates_and_refusals(self) -> None:
		domain = make_domain("shop.example.com")
		event = {"eventId": "0123456789abcdef", "type": "PAGE_VIEW", "url": "https://shop.example.com/"}
		for origin, key in (
			("https://shop.example.com", domain.public_key),
			("https://shop.example.com", domain.public_key),
			("https://elsewhere.example.com", domain.public_key),
			("https://shop.example.com", "pk_000000000000000000000000"),
		):
			self.request(
				"POST",
				"/api/method/trackflow.api.tracking.track_event",
				data=json.dumps({"publicKey": key, "events": [event]}),
				content_type="text/plain",
				headers={"Origin": origin},
			)
		found = measure.metrics()
		self.assertEqual(found["refusals"], {"events": {"origin": 1, "unknown_key": 1}})
		self.assertEqual((found["duplicates"]["events"], found["duplicates"]["percent"]), (1, 50.0))
		self.assertEqual(found["last_hour"]["events"], 1)

	def test_limits(self) -> None:
		make_link("spring")
		self.set(limit_redirects_per_address_minute=2)
		for _time in range(3):
			self.get("/r/spring")
		self.assertEqual(measure.metrics()["limit_hits"], {"redirects": 1})

	def test_what_drains_did(self) -> None:
		record = click_record(make_link("spring").name)
		for _time in range(2):
			writer.write([record])
			drain.drain()
		found = measure.metrics()
		self.assertEqual((found["last_hour"]["stored"], found["duplicates"]["records"]), (1, 1))
		self.assertEqual((found["drain"]["records"], found["drain"]["rows"]), (1, 0))
		self.assertLess(found["freshness_seconds"]["click"], 60)

	def test_counts_travel_with_the_next_write(self) -> None:
		link = make_link("spring")
		tally.add({"clicks": 5})
		self.assertEqual(tally.read(2)[1], {})
		writer.write([click_record(link.name)])
		self.assertEqual(tally.read(2)[1], {"clicks": 5})
		tally.tell()
		last, sums = tally.read(2)
		self.assertEqual((sums, sum(one.get("clicks", 0) for one in last)), ({"clicks": 6}, 6))

	def test_what_redis_did_not_take_is_counted_later(self) -> None:
		link = make_link("spring")
		tally.add({"clicks": 5})
		with patch.object(writer._WRITE, "run", side_effect=connection.RedisError("away")):
			writer.write([click_record(link.name)])
		tally.tell()
		self.assertEqual(tally.read(1)[1], {"clicks": 5, "spooled": 1})

	def test_what_waits(self) -> None:
		link = make_link("spring")
		writer.write([click_record(link.name)])
		writer.put_aside([click_record(link.name)], "test")
		found = measure.queue()
		self.assertEqual((found["entries"], found["spool_files"], found["leads"]), (1, 1, 0))
		drain.drain()
		self.assertEqual((measure.queue()["entries"], measure.queue()["spool_files"]), (0, 0))

	def test_servers(self) -> None:
		found = measure.metrics()
		self.assertTrue(found["database"]["reachable"])
		for name in ("queue", "cache"):
			self.assertTrue(found["redis"][name]["reachable"])
			self.assertGreater(found["redis"][name]["round_trip_ms"], 0)

	def test_without_redis(self) -> None:
		error = connection.StreamUnavailable("away")
		with patch.object(connection, "connect", side_effect=error):
			found = measure.metrics()
		self.assertEqual(found["redis"]["queue"], {"reachable": False, "error": "StreamUnavailable"})
		self.assertIsNone(found["queue"]["entries"])
		self.assertIsNone(found["jobs"])
		self.assertIsNone(found["last_hour"])


class TestTotals(HealthTestCase):
	"""RPT-3: millions of rows are counted once an hour, never by who asks."""

	def test_counted_once(self) -> None:
		make_link("spring")
		first = totals.hourly()
		self.assertEqual(first["totals"]["links"], 1)
		make_link("summer")
		with counted_statements() as statements:
			self.assertEqual(totals.hourly(), first)
		self.assertEqual(statements, [])
		totals.count()
		self.assertEqual(totals.hourly()["totals"]["links"], 2)

	def test_the_number_of_statements_is_fixed(self) -> None:
		def statements() -> int:
			with counted_statements() as sent:
				measure.metrics()
			return len(sent)

		measure.metrics()
		before = statements()
		rows = [
			{"name": f"c{number}", "click_timestamp": now_datetime(), "visitor_id": VISITOR.format(number)}
			for number in range(50)
		]
		bulk.insert("Click Event", rows)
		self.assertEqual(statements(), before)
		self.assertLessEqual(before, 12)

	def test_the_page_asks_short_questions(self) -> None:
		"""docs/operations.md says how many."""
		get_metrics()
		with counted_statements() as sent:
			get_metrics()
		self.assertLessEqual(len(sent), 150)


class TestWasteRate(HealthTestCase):
	"""RPT-3: the part of the last 30 days' spend that was waste, by campaigns under the default model (WST-1)."""

	def setUp(self) -> None:
		super().setUp()
		set_settings(reporting_currency="USD")
		make_campaign("Spring Sale", external_campaign_id="123", platform="Meta", target_cpa=60)
		# Spent before, so it is not young.
		make_cost(self.day(60), 1, external_campaign_id="123")

	def day(self, ago: int) -> date:
		return getdate() - timedelta(days=ago)

	def rate(self) -> float | None:
		run.run_marked()
		totals.count()
		return measure.metrics()["waste_rate"]

	def test_waste_by_spend(self) -> None:
		make_cost(self.day(1), 150, external_campaign_id="123")
		make_cost(self.day(30), 50, external_campaign_id="123")
		visitor, at = VISITOR.format(1), get_datetime(self.day(2))
		make_visitor(visitor)
		make_touch(visitor, at, "Paid Social", platform="Meta", link_campaign="Spring Sale")
		attribution.credit([make_conversion(visitor, at + timedelta(hours=1), "Lead")])
		# One conversion for 200 where 60 were allowed.
		self.assertEqual(self.rate(), 70)
		summary = get_waste(date_range=f"{self.day(30)},{self.day(1)}")["summary"]
		self.assertEqual((summary["waste"], summary["spend"]), (140, 200))

	def test_other_days_are_not_in_it(self) -> None:
		make_cost(self.day(0), 500, external_campaign_id="123")
		make_cost(self.day(31), 500, external_campaign_id="123")
		self.assertIsNone(self.rate())
		make_cost(self.day(30), 100, external_campaign_id="123")
		self.assertEqual(self.rate(), 100)

	def test_spend_that_is_not_known(self) -> None:
		make_cost(self.day(1), 150, external_campaign_id="123")
		make_cost(self.day(2), 150, external_campaign_id="123", currency="EUR")
		self.assertIsNone(self.rate())
		make_rate(self.day(2), 1)
		self.assertEqual(self.rate(), 100)


class TestJobs(HealthTestCase):
	"""RPT-3: each job leaves when it ran last, how long, how many rows, and its error."""

	def test_every_job_of_the_scheduler_is_recorded(self) -> None:
		for name in {one["job"] for one in measure.jobs()}:
			with self.subTest(name):
				self.assertTrue(hasattr(frappe.get_attr(name), "__wrapped__"))
		self.assertIn("trackflow.tracking.repair.repair", {one["job"] for one in measure.jobs()})

	def test_a_run(self) -> None:
		self.assertEqual(_two(), 2)
		run = runs.last()[f"{__name__}._two"]
		self.assertEqual((run.rows, run.error), (2, ""))
		self.assertLess(time.time() - run.at, 60)
		with self.assertLogs(frappe.logger("trackflow"), "INFO") as logged:
			_rows_by_name()
		line = json.loads(logged.records[0].getMessage())
		self.assertEqual((line["event"], line["job"], line["rows"]), ("job", f"{__name__}._rows_by_name", 3))

	def test_nothing_to_do_is_no_line(self) -> None:
		with self.assertNoLogs(frappe.logger("trackflow"), "INFO"):
			drain.drain_if_waiting()
		self.assertEqual(runs.last()["trackflow.stream.drain.drain_if_waiting"].rows, 0)

	def test_a_run_that_fails(self) -> None:
		with self.assertLogs(frappe.logger("trackflow"), "ERROR") as logged, self.assertRaises(ValueError):
			_fails()
		self.assertEqual(runs.last()[f"{__name__}._fails"].error, "ValueError")
		self.assertNotIn("ada@example.com", logged.output[0])
		finding = self.finding("Jobs")
		self.assertTrue(finding.is_broken)
		self.assertIn("_fails (ValueError)", finding.text)

	def test_a_run_is_done_without_redis(self) -> None:
		with patch.object(connection, "connect", side_effect=connection.StreamUnavailable("away")):
			self.assertEqual(_two(), 2)

	def test_a_job_that_did_not_come(self) -> None:
		name = "trackflow.integrations.sweep.sweep"
		connection.connect().hset(
			connection.key(runs.RUNS_KEY), name, json.dumps([time.time() - 9000, 1, 0, ""])
		)
		finding = self.finding("Jobs")
		self.assertTrue(finding.is_broken)
		self.assertIn(name, finding.text)

	def test_the_safety_net_says_what_it_stored(self) -> None:
		writer.write([click_record(make_link("spring").name)])
		drain.drain_if_waiting()
		self.assertEqual(runs.last()["trackflow.stream.drain.drain_if_waiting"].rows, 1)
		self.assertIn("trackflow.stream.drain.drain_if_waiting", str(hooks.scheduler_events))


@recorded
def _two() -> int:
	return 2


@recorded
def _rows_by_name() -> dict[str, int]:
	return {"Click Event": 1, "Visitor": 2}


@recorded
def _fails() -> None:
	raise ValueError("ada@example.com")


class TestChecks(HealthTestCase):
	"""RPT-3: what fails is judged by thresholds of the settings."""

	def test_failing_answers(self) -> None:
		tally.add({"redirects.status.302": 95, "redirects.status.503": 6})
		tally.tell()
		self.assertTrue(self.finding("Answers").is_broken)
		self.set(health_error_percent=10)
		self.assertFalse(self.finding("Answers").is_broken)
		self.set(health_error_percent=0)
		self.assertFalse(self.finding("Answers").is_broken)

	def test_few_answers_say_nothing(self) -> None:
		tally.add({"redirects.status.503": 3})
		tally.tell()
		self.assertFalse(self.finding("Answers").is_broken)

	def test_silence(self) -> None:
		self.assertEqual(self.finding("Freshness").mark, doctor.NOTE)
		moment = now_datetime() - timedelta(hours=3)
		bulk.insert(
			"Click Event", [{"name": "c", "click_timestamp": moment, "visitor_id": VISITOR.format(1)}]
		)
		self.assertEqual(self.finding("Freshness").mark, doctor.FINE)
		self.set(health_quiet_hours=2)
		self.assertTrue(self.finding("Freshness").is_broken)

	def test_how_long_it_may_take(self) -> None:
		old = int(time.time() * 1000) - 600_000
		connection.connect().xadd(connection.key("stream"), {"records": "[]"}, id=f"{old}-0")
		self.assertTrue(self.finding("Stream").is_broken)
		self.set(health_late_minutes=20)
		self.assertFalse(self.finding("Stream").is_broken)


class TestAlerts(HealthTestCase):
	"""RPT-3: managers are told once for each check and day, if the settings want it."""

	def setUp(self) -> None:
		super().setUp()
		make_user(MANAGER, TRACKFLOW_MANAGER)
		self.addCleanup(remove_user, MANAGER)
		self.addCleanup(frappe.db.delete, "Notification Log", {"document_type": "TrackFlow Settings"})
		self.old_entry()

	def old_entry(self) -> None:
		old = int(time.time() * 1000) - 600_000
		connection.connect().xadd(connection.key("stream"), {"records": "[]"}, id=f"{old}-0")

	def told(self) -> list[Any]:
		fields = ["subject", "email_content"]
		return frappe.get_all("Notification Log", {"for_user": MANAGER}, fields)

	def test_once(self) -> None:
		alerts.tell_broken()
		stream = [one for one in self.told() if "Stream" in one.subject]
		self.assertEqual(len(stream), 1)
		self.assertIn("Start one", stream[0].email_content)
		number = len(self.told())
		self.assertEqual(alerts.tell_broken(), 0)
		self.assertEqual(len(self.told()), number)

	def test_the_next_day_again(self) -> None:
		alerts.tell_broken()
		# Of whoever is a manager on this site.
		frappe.db.set_value("Notification Log", notices.ABOUT, "creation", now_datetime() - timedelta(days=1))
		self.assertGreater(alerts.tell_broken(), 0)

	def test_nobody_where_the_settings_do_not_want_it(self) -> None:
		self.set(health_alerts=0)
		self.assertEqual(alerts.tell_broken(), 0)
		self.assertEqual(self.told(), [])

	def test_a_line_in_the_log(self) -> None:
		with self.assertLogs(frappe.logger("trackflow"), "ERROR") as logged:
			alerts.tell_broken()
		lines = [json.loads(one.getMessage()) for one in logged.records if one.getMessage().startswith("{")]
		self.assertIn("Stream", [one["about"] for one in lines if one["event"] == "alert"])
