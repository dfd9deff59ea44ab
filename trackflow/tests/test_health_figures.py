"""What counts come to, and how they look to Prometheus (RPT-3): pure."""

import re
from unittest import TestCase

from trackflow import hooks
from trackflow.health import figures, prometheus, schedule
from trackflow.stream.tally import BOUNDS
from trackflow.tests.properties import given, st


class TestRates(TestCase):
	"""RPT-3: rates are parts of what there was; of nothing there is none."""

	def test_errors_are_ours(self) -> None:
		counted = {"redirects.status.302": 97, "redirects.status.404": 1, "redirects.status.503": 2}
		found = figures.answers(counted, "redirects")
		self.assertEqual((found["answers"], found["errors"], found["error_rate"]), (100, 2, 2.0))
		self.assertIsNone(figures.answers({}, "redirects")["error_rate"])

	def test_refusals_and_limits_are_apart(self) -> None:
		counted = {"events.refused.origin": 3, "events.refused.too_many": 2, "scripts.refused.too_many": 1}
		self.assertEqual(figures.refusals(counted), {"events": {"origin": 3}})
		self.assertEqual(figures.limit_hits(counted), {"events": 2, "scripts": 1})

	def test_times_are_upper_ends(self) -> None:
		counted = {"events.ms.1": 90, "events.ms.25": 8, "events.ms.inf": 2, "events.microseconds": 500_000}
		self.assertEqual(
			figures.times(counted, "events"), {"mean_ms": 5.0, "p50_ms": 1, "p95_ms": 25, "p99_ms": None}
		)
		self.assertIsNone(figures.times({}, "events"))

	def test_the_running_minute_is_no_full_one(self) -> None:
		minutes = [{"clicks": 1000}, {"clicks": 10}, {}, {}, {}, {"clicks": 5}, {"clicks": 45}]
		self.assertEqual(figures.a_minute(minutes, "clicks"), {"now": 3.0, "hour": 10.0})

	@given(st.dictionaries(st.sampled_from([*map(str, BOUNDS), "inf"]), st.integers(1, 10**6), min_size=1))
	def test_quantiles_do_not_fall(self, groups: dict[str, int]) -> None:
		found = figures.times({f"events.ms.{one}": number for one, number in groups.items()}, "events")
		ends = [
			float("inf") if found[name] is None else found[name] for name in ("p50_ms", "p95_ms", "p99_ms")
		]
		self.assertEqual(ends, sorted(ends))


class TestSchedule(TestCase):
	"""RPT-3: a job that should have run twice and did not is late."""

	def test_periods(self) -> None:
		found = schedule.periods(
			{
				"cron": {
					"* * * * *": ["a"],
					"*/15 * * * *": ["b"],
					"0 7-11 * * 1": ["c"],
					"0 3 * * *": ["d"],
				},
				"hourly_long": ["e"],
				"weekly": ["f"],
			}
		)
		day = 86400
		self.assertEqual(
			found, {"a": 60, "b": 900, "c": 7 * day - 4 * 3600, "d": day, "e": 3600, "f": 7 * day}
		)

	def test_all_of_ours_are_known(self) -> None:
		self.assertIn("trackflow.stream.drain.drain_if_waiting", schedule.periods(hooks.scheduler_events))

	def test_late(self) -> None:
		self.assertFalse(schedule.is_overdue(3600, 0, 2 * 3600 + 900))
		self.assertTrue(schedule.is_overdue(3600, 0, 2 * 3600 + 901))


SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+$')
METRICS = {
	"queue": {
		"entries": 3,
		"oldest_seconds": 1.5,
		"spool_files": 0,
		"spool_bytes": 0,
		"spool_bad_files": 0,
		"lost_records": None,
		"requests": 2,
		"lost_requests": 1,
		"webhooks": {"pending": 4, "failed": 1, "paused": 0, "oldest_seconds": 7},
		"click_queue": {"pending": 1, "failed": 2},
		"leads": None,
		"conversions": 0,
	},
	"database": {"reachable": True, "round_trip_ms": 0.25},
	"redis": {"queue": {"reachable": False, "error": "ConnectionError"}, "cache": {"reachable": True}},
	"jobs": [
		{"job": "a.b", "last_run": 1e9, "seconds": 0.5, "rows": 7, "error": "ValueError"},
		{"job": "never", "last_run": None, "seconds": None, "rows": None, "error": None},
	],
	"drain": None,
	"crm_sync": {"forms": {"pending": 2, "error": 1}, "due": 1, "crm": {"circuit": "open", "trouble": ""}},
	"totals": {"clicks": 12_345_678, "at": 1.0},
	"waste_rate": 12.5,
	"freshness_seconds": {"click": 2.0, "event": None, "credit": None},
	"checks": [{"check": 'a "b"', "mark": "BROKEN", "text": "x"}, {"check": "c", "mark": "ok", "text": "y"}],
}


class TestPrometheus(TestCase):
	"""RPT-3: the text form can be read line by line, and what is not known is not there."""

	def setUp(self) -> None:
		sums = {
			"events.status.202": 3,
			"events.ms.1": 2,
			"events.ms.inf": 1,
			"events.microseconds": 3_000_000,
			"events.refused.too_many": 4,
			"events.refused.origin": 1,
			"clicks": 9,
		}
		self.lines = prometheus.as_text(METRICS, sums, BOUNDS).splitlines()

	def test_lines(self) -> None:
		samples = [line for line in self.lines if not line.startswith("#")]
		for line in samples:
			self.assertRegex(line.replace(r"\"", ""), SAMPLE)
		self.assertEqual(len(samples), len(set(samples)))
		families = [line.split()[2] for line in self.lines if line.startswith("# TYPE")]
		self.assertEqual(len(families), len(set(families)))

	def test_figures(self) -> None:
		for line in (
			'trackflow_answers_total{endpoint="events",status="202"} 3',
			'trackflow_answer_seconds_bucket{endpoint="events",le="0.001"} 2',
			'trackflow_answer_seconds_bucket{endpoint="events",le="2.5"} 2',
			'trackflow_answer_seconds_bucket{endpoint="events",le="+Inf"} 3',
			'trackflow_answer_seconds_sum{endpoint="events"} 3',
			'trackflow_refused_total{endpoint="events",reason="too_many"} 4',
			"trackflow_clicks_total 9",
			'trackflow_up{server="queue_redis"} 0',
			'trackflow_round_trip_seconds{server="database"} 0.00025',
			'trackflow_job_failed{job="a.b"} 1',
			'trackflow_rows{what="clicks"} 12345678',
			"trackflow_waste_ratio 0.125",
			r'trackflow_check_broken{check="a \"b\""} 1',
		):
			self.assertIn(line, self.lines)

	def test_what_is_not_known_is_not_there(self) -> None:
		text = "\n".join(self.lines)
		self.assertNotIn(
			"leads_waiting ",
			text.replace("# HELP trackflow_leads_waiting ", "").replace(
				"# TYPE trackflow_leads_waiting ", ""
			),
		)
		self.assertNotIn('job="never"', text)
		self.assertNotIn('what="event"', text)
		unknown = prometheus.as_text({**METRICS, "waste_rate": None}, {}, BOUNDS).splitlines()
		self.assertEqual([line for line in unknown if line.startswith("trackflow_waste_ratio")], [])
