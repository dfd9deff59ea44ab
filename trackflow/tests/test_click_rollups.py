"""Clicks and visits of past days are told by their sums just as by their rows (ROL-2, RET-1)."""

import json
import random
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import getdate

from trackflow import bulk, doctor, keys
from trackflow.analytics import link_performance
from trackflow.analytics.scope import Period, Scope
from trackflow.analytics.sums import Sums
from trackflow.api import analytics, campaign
from trackflow.api.links import get_link_analytics
from trackflow.click_rollups import reading, rows, run
from trackflow.click_rollups.rows import ROLLUP
from trackflow.privacy import erasure, retention
from trackflow.rollups import marks
from trackflow.tests import factories
from trackflow.tests.analytics_case import MARCH, MODEL, OTHER, SITE, FiguresTestCase, make_domains
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import VISITOR, click_record, event_record
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_sketch import sketch_of
from trackflow.tracking import store

FIRST, LAST = map(date.fromisoformat, MARCH)
NOON = datetime(2026, 3, 2, 12)
HOUR = timedelta(hours=1)
DAY_MICROSECONDS = 24 * 3600 * 10**6


class RollupTestCase(FiguresTestCase):
	"""Days in March with hits of every kind on two links, three domains and a campaign."""

	def setUp(self) -> None:
		super().setUp()
		make_domains()
		factories.make_campaign("Spring")
		row = {"destination_url": f"https://{SITE}/", "weight": 1}
		variants = [{"variant_name": name, **row} for name in "AB"]
		self.links = [
			factories.make_link("flyer", variants=variants, campaign="Spring", tags="print, spring"),
			factories.make_link("poster"),
		]

	def fill(self, seed: int = 1, hits: int = 60) -> None:
		"""As many clicks, sessions and page views at any time of the four days, with values of many spellings."""
		chance = random.Random(seed)
		for _hit in range(hits):
			at = datetime(2026, 3, 1) + timedelta(seconds=chance.randrange(4 * 86_400))
			link = chance.choice(self.links)
			variant = chance.choice([None, *[row.name for row in link.variants]])
			event_type = chance.choice(
				("Click", "Click", "Click", "QR Scan", "Bot", "Prefetch", "Blocked", "Expired")
			)
			known = {
				"domain": chance.choice((SITE, OTHER, "else.example.com", None)),
				"country": chance.choice(("DE", "AT", None)),
				"device_type": chance.choice(("Desktop", "Mobile", "")),
				"browser": chance.choice(("Chrome", "Firefox")),
				"os": chance.choice(("Windows", None)),
				"referrer": chance.choice(
					(
						"https://News.example:8443/a?b",
						"http://news.example/c#d",
						"https://x.example",
						"",
						None,
					)
				),
			}
			visitor = chance.randrange(12)
			self.click(
				link.name,
				at,
				event_type,
				visitor_id=VISITOR.format(visitor),
				campaign=link.campaign,
				variant=variant,
				is_internal=chance.randrange(2),
				**known,
			)
			pages = chance.randrange(4)
			self.session(
				at,
				visitor,
				page_views=pages,
				is_bounce=int(pages < 2),
				duration_seconds=chance.randrange(600),
				tracked_link=chance.choice((link.name, None)),
				link_campaign=chance.choice(("Spring", None)),
				campaign=chance.choice(("spring", "summer", None)),
				channel=chance.choice(("Email", "Paid Search", None)),
				source=chance.choice(("google", "newsletter")),
				**known,
			)
			self.event(
				at,
				chance.choice(("PAGE_VIEW", "CUSTOM")),
				visitor=VISITOR.format(visitor),
				domain=known["domain"],
				page_url=f"https://{SITE}/{chance.randrange(5)}?q={chance.random()}#f",
			)

	def answers(self) -> dict[str, Any]:
		"""Everything that is told by sums."""
		wanted = link_performance.Wanted
		period = Period(FIRST, LAST)
		return {
			"site": analytics.get_overview(*MARCH),
			"domain": analytics.get_overview(*MARCH, domain=SITE),
			"project": analytics.get_overview(*MARCH, project="Shops"),
			"statistics": analytics.statistics(None, None, *MARCH),
			"of a project": analytics.statistics(None, "Shops", *MARCH),
			"campaign": campaign.get_campaign_stats("Spring", *MARCH),
			"links": [get_link_analytics(link.name, *MARCH) for link in self.links],
			"performance": link_performance.performance(period, wanted(), MODEL),
			"of a campaign": link_performance.performance(period, wanted(campaign="Spring"), MODEL),
			"of a tag": link_performance.performance(period, wanted(tag="print"), MODEL),
		}

	def work_out(self, first: date = FIRST, last: date = LAST) -> int:
		done = run.run(first, last)
		self.assertEqual(done.failed, [])
		return done.rows_written

	def sessions_by_day(self, first: date, last: date) -> list[Any]:
		return Sums(Scope(), reading.Days(first, last)).sessions_by_day(Period(first, last))

	def stored(self, grain: str = "Day") -> list[Any]:
		"""The rows of a grain, of days with something."""
		fields = ["date", "clicks", "scans", "bots", "sessions", "visitors", "new_visitors"]
		return frappe.get_all(ROLLUP, {"grain": grain}, fields, order_by="date, name")


class TestAlike(RollupTestCase):
	"""An answer does not depend on which of its days are summed up."""

	def test_sums_tell_what_rows_tell(self) -> None:
		for seed in (1, 2, 3):
			self.fill(seed)
			before = self.answers()
			for days in ((FIRST, FIRST), (date(2026, 3, 3), LAST), (FIRST, LAST)):
				self.work_out(*days)
				self.assert_alike(before, self.answers(), f"seed {seed}, {days[0]} to {days[1]}")
			frappe.db.delete(ROLLUP)

	def test_the_sums_alone_are_asked(self) -> None:
		self.fill()
		before = self.answers()
		self.work_out()
		with patch.object(reading, "COUNTED", -1), counted_statements() as statements:
			self.answers()
		hits = ("tabClick Event", "tabVisitor Session", "tabVisitor Event", "tabTouch Point")
		of_hits = [one for one in statements if any(table in one for table in hits)]
		# Credits know their touch, and where hits begin is asked of their index.
		left = [
			one for one in of_hits if "tabAttribution Link" not in one and not one.startswith("SELECT MIN(")
		]
		self.assertEqual(left, [])
		for doctype in ("Click Event", "Visitor Session", "Visitor Event"):
			frappe.db.delete(doctype)
		with patch.object(reading, "COUNTED", -1):
			self.assert_alike(before, self.answers(), "without the rows", but_estimates=True)

	def test_the_ends_of_a_day(self) -> None:
		"""Sessions are read by their names, which know thousandths of a second: none is lost, none is told twice."""
		day = datetime.combine(FIRST, datetime.min.time())
		moments = (0, 1, 499, 501, DAY_MICROSECONDS - 501, DAY_MICROSECONDS - 499, DAY_MICROSECONDS - 1)
		for moment in moments:
			for days in (0, 1):
				self.session(day + timedelta(days=days, microseconds=moment))
		told = [row["sessions"] for row in self.sessions_by_day(FIRST, FIRST + timedelta(days=1))]
		self.assertEqual(told, [len(moments)] * 2)
		self.work_out()
		self.assertEqual([row.sessions for row in self.stored()], told)

	def test_what_has_none_of_the_figures_is_not_listed(self) -> None:
		"""A link without a click, a domain without a session: their rows in the sums are of other figures."""
		self.session(NOON, tracked_link=self.links[0].name)
		self.click(self.links[1].name, NOON, domain=OTHER)
		before = self.answers()
		self.assertEqual([one["domain"] for one in before["statistics"]["domains"]], [SITE])
		self.assertEqual([one["name"] for one in before["performance"].lines], [self.links[1].name])
		self.work_out()
		self.assert_alike(before, self.answers(), "a link without a click")

	def test_what_can_be_made_up_is_bounded(self) -> None:
		"""A day and domain keep the pages, hosts, sources and campaign names with most; the others are one row, listed by nobody."""
		for number in range(9):
			for _each in range(number + 1):
				known = {"domain": SITE, "referrer": f"https://r{number}.example/"}
				self.session(NOON, source=f"s{number}", campaign=f"c{number}", page_views=1, **known)
				self.event(NOON, page_url=f"https://{SITE}/{number}")
				self.click(self.links[0].name, NOON, **known)
		with patch.object(rows, "MOST", 3):
			self.work_out()
			self.assertEqual(run.rebuild(FIRST, LAST).rows_written, 0)
		answer = analytics.get_overview(*MARCH)
		for name, lines in (("pages", "views"), ("referrers", "sessions"), ("campaigns", "sessions")):
			self.assertEqual([line[lines] for line in answer[name]["lines"]], [9, 8, 7], name)
			self.assertEqual(answer[name]["others"], {lines: 21}, name)
		sources = analytics.statistics(None, None, *MARCH)["sources"]
		self.assertEqual([line["name"] for line in sources["lines"]], ["s8", "s7", "s6"])
		self.assertEqual(sources["others"], {"sessions": 21})
		self.assertEqual(answer["figures"]["sessions"]["value"], 45)
		hosts = frappe.get_all(
			ROLLUP, {"grain": "Referrer"}, ["referrer_host", "clicks"], order_by="clicks desc"
		)
		self.assertEqual(
			[tuple(host.values()) for host in hosts],
			[("(others)", 21), ("r8.example", 9), ("r7.example", 8), ("r6.example", 7)],
		)

	def test_a_referrer_without_a_name(self) -> None:
		"""An address has colons, and a host that somebody made up more letters than a column has room for."""
		for host in ("[2001:db8::1]:8080", "[::1]", "192.0.2.1:80", "h" * 300):
			self.session(NOON, referrer=f"https://{host}/page")
		before = analytics.get_overview(*MARCH)["referrers"]
		self.assertIn("2001:db8::1", [line["name"] for line in before["lines"]])
		self.work_out()
		self.assertEqual(analytics.get_overview(*MARCH)["referrers"], before)

	def test_seconds_of_many_visits(self) -> None:
		"""Of a large site, or of one to which somebody sends visits that last a day."""
		for number in range(3):
			self.session(NOON, number, duration_seconds=2**30)
		self.work_out()
		statistics = analytics.statistics(None, None, *MARCH)
		self.assertEqual(statistics["totals"]["average_seconds"], 2**30)

	def test_breakdowns_that_are_long(self) -> None:
		"""Clicks from pages of made-up hosts on many links: no statement is longer than a database takes."""
		names = [factories.make_link(f"long{number}").name for number in range(100)]
		quotes = '"' * 240
		clicks = [
			{
				"name": f"long-{link}-{number}",
				"click_timestamp": NOON,
				"event_type": "Bot",
				"tracked_link": link,
				"referrer": f"https://{number}-{link}-{quotes}/",
			}
			for link in names
			for number in range(200)
		]
		bulk.insert("Click Event", clicks)
		self.work_out()
		self.assertEqual(frappe.db.count(ROLLUP, {"grain": "Link", "bots": 200}), 100)

	def test_days_without_hits_take_few_statements(self) -> None:
		"""A site whose first hit is years ago has many of them, and each run over all days meets them again."""
		self.click(self.links[0].name)
		self.work_out()
		day = date(2026, 3, 4)
		marks.note([day], marks.CLICKS)
		with counted_statements() as statements:
			run.roll_up(day)
		self.assertLess(len(statements), 20)
		self.assertEqual([row.clicks for row in self.stored()], [1, 0])

	def test_years_without_hits_are_passed_over(self) -> None:
		for at in (NOON, NOON - timedelta(days=900)):
			self.click(self.links[0].name, at)
		with counted_statements() as statements:
			self.assertEqual(run.waiting(), [NOON.date() - timedelta(days=900), NOON.date()])
		self.assertLess(len(statements), 12)

	def test_a_rebuild_changes_no_row(self) -> None:
		self.fill()
		self.assertGreater(self.work_out(), 50)
		self.assertEqual(run.rebuild(FIRST, LAST).rows_written, 0)
		self.assertEqual(run.rebuild(FIRST, LAST).days, 4)

	def test_grains_sum_alike(self) -> None:
		self.fill()
		self.work_out()
		figures = [
			"date",
			"sum(sessions) as sessions",
			"sum(page_views) as page_views",
			"sum(seconds) as seconds",
		]
		of_grain = {
			grain: frappe.get_all(ROLLUP, {"grain": grain}, figures, group_by="date", order_by="date")
			for grain in (
				"Day",
				"Domain",
				"Channel",
				"Source",
				"Campaign",
				"Country",
				"Device",
				"Browser",
				"System",
			)
		}
		for grain, found in of_grain.items():
			self.assertEqual(found, of_grain["Day"], grain)
		clicks = [
			"date",
			"sum(clicks) as clicks",
			"sum(scans) as scans",
			"sum(bots) as bots",
			"sum(expired) as expired",
		]
		for grain in ("Domain", "Link", "Country", "Device"):
			self.assertEqual(
				frappe.get_all(ROLLUP, {"grain": grain}, clicks, group_by="date", order_by="date"),
				frappe.get_all(ROLLUP, {"grain": "Day"}, clicks, group_by="date", order_by="date"),
				grain,
			)

	def assert_alike(
		self, before: dict[str, Any], after: dict[str, Any], message: str, but_estimates: bool = False
	) -> None:
		for name, answer in before.items():
			one, other = answer, after[name]
			if but_estimates:
				one, other = _without_estimates(one), _without_estimates(other)
			if one != other:
				self.assertEqual(_lines(one), _lines(other), f"{name}: {message}")


class TestVisitors(RollupTestCase):
	"""Different visitors: counted where they are few and there, else estimated and said to be."""

	def test_many_are_estimated(self) -> None:
		for number in range(400):
			self.session(NOON + timedelta(days=number % 2, seconds=number), number % 300)
		self.work_out()
		self.assertFalse(analytics.statistics(None, None, *MARCH)["visitors_estimated"])
		with patch.object(reading, "COUNTED", 100):
			answer = analytics.statistics(None, None, *MARCH)
			[domain] = answer["domains"]
			overview = analytics.get_overview(*MARCH)
			one_day = analytics.statistics(None, None, "2026-03-02", "2026-03-02")
		self.assertTrue(answer["visitors_estimated"] and overview["visitors_estimated"])
		for visitors in (
			answer["totals"]["visitors"], domain["visitors"], overview["figures"]["visitors"]["value"]
		):  # fmt: skip
			self.assertAlmostEqual(visitors, 300, delta=15)
		# One row has the exact number.
		self.assertEqual([day["visitors"] for day in answer["by_day"]], [0, 150, 150, 0])
		self.assertEqual((one_day["totals"]["visitors"], one_day["visitors_estimated"]), (150, False))

	def test_days_by_rows_and_by_sums_have_visitors_in_common(self) -> None:
		for day in range(3):
			for number in range(50):
				self.session(NOON + timedelta(days=day, seconds=number), number)
		self.work_out(FIRST, date(2026, 3, 3))
		with patch.object(reading, "COUNTED", 10):
			answer = analytics.statistics(None, None, *MARCH)
		self.assertAlmostEqual(answer["totals"]["visitors"], 50, delta=2)

	def test_new_visitors(self) -> None:
		for number, first_seen in ((1, NOON), (2, NOON - timedelta(days=9))):
			factories.make_visitor(VISITOR.format(number), first_seen=first_seen, last_seen=NOON)
			self.session(NOON, number)
			self.session(NOON + timedelta(days=1), number)
		self.work_out()
		self.assertEqual([row.new_visitors for row in self.stored()], [1, 0])
		self.assertEqual([row.new_visitors for row in self.stored("Domain")], [1, 0])


class TestChanges(RollupTestCase):
	"""Days that change are told by their rows until they are worked out again."""

	def test_late_hits(self) -> None:
		self.click(self.links[0].name)
		self.work_out()
		late = [click_record(self.links[0].name, number, at=_seconds(NOON + HOUR)) for number in (1, 2)]
		store.store(late)
		self.assertEqual(marks.days(FIRST, LAST, marks.CLICKS), [NOON.date()])
		self.assertEqual(get_link_analytics(self.links[0].name, *MARCH)["totals"]["clicks"], 3)
		self.assertEqual([row.clicks for row in self.stored()], [1])
		self.assertGreater(self.work_out(), 0)
		self.assertEqual([row.clicks for row in self.stored()], [3])
		self.assertEqual(marks.days(FIRST, LAST, marks.CLICKS), [])

	def test_a_session_that_goes_on_after_midnight(self) -> None:
		evening = datetime(2026, 3, 2, 23, 50)
		store.store([event_record(1, at=_seconds(evening), visitor=VISITOR.format(1))])
		self.work_out()
		store.store(
			[event_record(2, at=_seconds(evening + timedelta(minutes=15)), visitor=VISITOR.format(1))]
		)
		self.assertEqual(marks.days(FIRST, LAST, marks.CLICKS), [date(2026, 3, 2), date(2026, 3, 3)])
		statistics = analytics.statistics(None, None, "2026-03-02", "2026-03-02")
		self.assertEqual((statistics["totals"]["sessions"], statistics["totals"]["page_views"]), (1, 2))

	def test_a_click_that_proves_to_be_a_scanners(self) -> None:
		names = [
			factories.make_link(f"mail{number}", source="news", medium="email").name for number in range(9)
		]
		records = [
			click_record(name, number, at=_seconds(NOON) + number / 10, utm={"utm_source": "news", "utm_medium": "email", "utm_campaign": "May"}, address="192.0.2.7")
			for number, name in enumerate(names)
		]  # fmt: skip
		store.store(records[:1])
		self.work_out()
		store.store(records[1:])
		with_rows = analytics.get_overview(*MARCH)["figures"]
		self.work_out()
		self.assertEqual(analytics.get_overview(*MARCH)["figures"], with_rows)
		self.assertEqual([row.bots for row in self.stored()], [9])

	def test_a_person_who_is_erased(self) -> None:
		"""CRM-8: sums hold the page that was seen, and a sketch that an id can be tried on; neither stays."""
		page = f"https://{SITE}/people/jane.doe"
		store.store([event_record(1, at=_seconds(NOON), visitor=VISITOR.format(1), url=page)])
		self.work_out()
		before, of_one = self.stored(), sketch_of([keys.sketch_salt() + VISITOR.format(1)]).text()
		self.assertEqual((self.told("page"), self.told("visitor_sketch")), ({page}, {of_one}))
		erasure.erase(VISITOR.format(1))
		self.assertEqual(marks.days(FIRST, LAST, marks.CLICKS), [NOON.date()])
		self.work_out()
		self.assertEqual(self.stored(), before)
		self.assertEqual(self.told("page"), set())
		self.assertEqual(len(self.told("visitor_sketch") - {of_one}), 1)
		self.assertNotIn(of_one, self.told("visitor_sketch"))

	def told(self, field: str) -> set[str]:
		return {value for value in frappe.get_all(ROLLUP, pluck=field, order_by="name") if value}

	def test_new_visitors_once(self) -> None:
		"""A visitor whose first hit comes late was new on that day alone."""
		for number, day in enumerate((3, 1)):
			at = _seconds(datetime(2026, 3, day, 12))
			store.store([event_record(number, at=at, visitor=VISITOR.format(1))])
			self.work_out()
		found = {str(row.date): row.new_visitors for row in self.stored()}
		self.assertEqual({day for day, number in found.items() if number}, {"2026-03-01"})

	def test_today_needs_no_mark(self) -> None:
		store.store([click_record(self.links[0].name, 1), event_record(1)])
		self.assertEqual(frappe.db.count(marks.MARK, {"about": marks.CLICKS}), 0)
		self.assertEqual(run.waiting(), [])

	def test_at_midnight(self) -> None:
		"""What is stored before midnight may be committed after it, when somebody works the day out already."""
		for time, noted in (("23:59:50", [NOON.date()]), ("12:00:00", [])):
			frappe.db.delete(marks.MARK)
			now = datetime.fromisoformat(f"2026-03-02 {time}")
			with patch.object(marks, "now_datetime", lambda now=now: now):
				marks.mark_clicks([now - timedelta(seconds=5)])
			self.assertEqual(marks.days(None, LAST, marks.CLICKS), noted)

	def test_the_first_days_are_emptied(self) -> None:
		"""Who deletes what was made for a trial, and works these days out again, has figures without it."""
		for day in range(2):
			self.click(self.links[0].name, NOON + timedelta(days=day))
		self.work_out()
		for left, days in ((1, {"click_timestamp": ("<", NOON + HOUR)}), (0, {})):
			frappe.db.delete("Click Event", days)
			self.assertEqual(run.rebuild(FIRST, LAST).failed, [])
			self.assertEqual(get_link_analytics(self.links[0].name, *MARCH)["totals"]["clicks"], left)
			self.assertEqual(sum(row.clicks for row in self.stored("Link")), left)

	def test_marked_days_before_the_first_hit(self) -> None:
		for day in range(2):
			self.click(self.links[0].name, NOON + timedelta(days=day))
		self.work_out()
		frappe.db.delete("Click Event", {"click_timestamp": ("<", NOON + HOUR)})
		marks.note([NOON.date()], marks.CLICKS)
		self.assertEqual(get_link_analytics(self.links[0].name, *MARCH)["totals"]["clicks"], 1)

	def test_marks_of_spend_are_others(self) -> None:
		marks.note([NOON.date()])
		marks.note([NOON.date()], marks.CLICKS)
		self.assertEqual(len(marks.of(NOON.date())), 1)
		self.click(self.links[0].name)
		self.work_out()
		self.assertEqual(len(marks.of(NOON.date())), 1)

	def test_a_day_that_fails_is_told_by_its_rows(self) -> None:
		self.click(self.links[0].name)
		with patch.object(run, "of_day", side_effect=ValueError("broken")):
			done = run.run(FIRST, LAST)
		self.assertEqual((done.days, len(done.failed), self.stored()), (0, 1, []))
		self.assertEqual(analytics.get_overview(*MARCH)["figures"]["clicks"]["value"], 1)
		frappe.db.delete("Error Log")
		self.work_out()
		self.assertEqual([row.clicks for row in self.stored()], [1])

	def test_a_mark_that_comes_meanwhile_stays(self) -> None:
		self.click(self.links[0].name)
		self.work_out()
		marks.note([NOON.date()], marks.CLICKS)
		frappe.db.commit()
		original = run.of_day

		def of_day(day: date) -> Any:
			marks.note([day], marks.CLICKS)
			return original(day)

		with patch.object(run, "of_day", of_day):
			run.roll_up(NOON.date())
		self.assertEqual(len(marks.of(NOON.date(), marks.CLICKS)), 1)


class TestByAge(RollupTestCase):
	"""What is deleted by its age stays in the sums (RET-1)."""

	def tearDown(self) -> None:
		factories.set_settings(**dict.fromkeys(DAYS, 0))
		super().tearDown()

	def test_totals_stay(self) -> None:
		self.fill()
		before = self.answers()
		factories.set_settings(**dict.fromkeys(DAYS, (getdate() - LAST).days - 1))
		deleted = retention.run().deleted
		self.assertTrue(
			all(deleted[name] for name in ("Click Event", "Visitor Session", "Visitor Event")), deleted
		)
		after = self.answers()
		for name, answer in before.items():
			self.assertEqual(_without_estimates(answer), _without_estimates(after[name]), name)

	def test_a_day_that_is_partly_gone_is_not_summed_up(self) -> None:
		self.fill()
		self.work_out()
		rows = self.stored()
		age = (frappe.utils.now_datetime() - datetime(2026, 3, 2, 12)).days
		factories.set_settings(retention_click_event=age)
		retention.run()
		marks.note([FIRST, LAST], marks.CLICKS)
		frappe.db.commit()
		self.assertNotIn(FIRST, run.waiting())
		self.assertEqual([done for done in run.rebuild(FIRST, LAST).failed], [])
		self.assertEqual(self.stored(), rows)
		self.assertEqual(marks.of(FIRST, marks.CLICKS), [])

	def test_who_was_new_is_remembered(self) -> None:
		"""Visitors may be deleted before their visits."""
		factories.make_visitor(VISITOR.format(1), first_seen=NOON, last_seen=NOON)
		self.session(NOON)
		factories.set_settings(retention_visitor=(getdate() - LAST).days - 1)
		self.addCleanup(factories.set_settings, retention_visitor=0)
		self.assertEqual(retention.run().deleted["Visitor"], 1)
		self.assertEqual(run.rebuild(FIRST, LAST).failed, [])
		self.assertEqual([row.new_visitors for row in self.stored()][:1], [1])


class TestToldByCommands(RollupTestCase, CommandTestCase):
	"""CLI-1, OPS-1: the command works these days out too, and `doctor` says what waits."""

	def setUp(self) -> None:
		super().setUp()
		# Early in the morning yesterday is not over.
		self.days = [run.last_day() - timedelta(days=number) for number in (1, 0)]
		for day in self.days:
			self.click(self.links[0].name, datetime.combine(day, NOON.time()))

	def test_the_command(self) -> None:
		told = json.loads(self.invoke("rollup", "--json").output)
		self.assertEqual((told["clicks"]["days"], told["clicks"]["failed"]), (2, []))
		self.assertGreater(told["clicks"]["rows_written"], 0)
		self.assertEqual([row.clicks for row in self.stored()], [1, 1])
		for arguments, days in (((), 0), (("--all",), 2), (self.range(self.days[0]), 1)):
			with self.subTest(arguments):
				answer = self.invoke("rollup", *arguments)
				self.assertEqual(answer.exit_code, 0, answer.output)
				self.assertIn(f"Clicks and visits: {days} days worked out, 0 rows written.", answer.output)

	def test_a_day_that_fails(self) -> None:
		with patch.object(run, "of_day", side_effect=ValueError("broken")):
			answer = self.invoke("rollup", *self.range(self.days[1]))
		frappe.db.delete("Error Log")
		self.assertEqual(answer.exit_code, 1)
		self.assertIn("Clicks and visits: 0 days worked out, 0 rows written.", answer.output)
		self.assertIn(f"Failed, see the Error Log: {self.days[1]}.", answer.output)

	def test_the_doctor(self) -> None:
		check = "Daily figures"
		with patch.object(doctor.clicks, "last_day", lambda: self.days[1]):
			waiting = next(one.text for one in doctor.examine() if one.check == check)
			self.invoke("rollup")
			done = next(one.text for one in doctor.examine() if one.check == check)
		self.assertIn(
			f"2 days changed or are new and wait to be worked out, the first is {self.days[0]}", waiting
		)
		self.assertIn("All days that changed are worked out.", done)

	def range(self, day: date) -> tuple[str, ...]:
		return "--from", str(day), "--to", str(day)


DAYS = ("retention_click_event", "retention_visitor_session", "retention_visitor_event")


def _seconds(moment: datetime) -> float:
	from zoneinfo import ZoneInfo

	return moment.replace(tzinfo=ZoneInfo(frappe.utils.get_system_timezone())).timestamp()


def _lines(answer: Any) -> list[str]:
	"""What differs can be seen better."""
	return json.dumps(answer, indent=1, default=str, sort_keys=True).splitlines()


def _without_estimates(answer: Any) -> Any:
	"""An answer without its numbers of different visitors."""
	if isinstance(answer, link_performance.Performance):
		answer = {"lines": answer.lines, "others": answer.others}
	if isinstance(answer, dict):
		left_out = ("visitors", "unique_visitors", "visitors_estimated", "estimated")
		return {key: _without_estimates(value) for key, value in answer.items() if key not in left_out}
	return [_without_estimates(one) for one in answer] if isinstance(answer, list) else answer
