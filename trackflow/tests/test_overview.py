"""The overview: a period's figures beside those of the one before, of the site, a domain or a project (RPT-2)."""

from datetime import datetime, timedelta
from typing import Any

import frappe

from trackflow.analytics import sums
from trackflow.analytics.overview import PARTS
from trackflow.api.analytics import get_overview
from trackflow.tests import factories
from trackflow.tests.analytics_case import DAY, MARCH, OTHER, SITE, FiguresTestCase, make_domains
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import VISITOR
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase

BEFORE = DAY - timedelta(days=4)


def overview(**arguments: Any) -> dict[str, Any]:
	return get_overview(*MARCH, **arguments)


def value_of(found: dict[str, Any], figure: str) -> tuple[Any, Any, Any]:
	return tuple(found["figures"][figure].values())


class TestFigures(FiguresTestCase):
	"""RPT-2: what is counted, and beside what."""

	def test_visits(self) -> None:
		self.session(number=1, page_views=3, duration_seconds=100)
		self.session(number=1, is_bounce=1, duration_seconds=0)
		self.session(DAY + timedelta(days=1), number=2, page_views=2, duration_seconds=50)
		# A click whose page is not tracked: no visit that could bounce or last.
		self.session(number=3, page_views=0)
		self.session(BEFORE, number=1)
		found = overview()
		self.assertEqual(value_of(found, "sessions"), (4, 1, 300.0))
		self.assertEqual(value_of(found, "visitors"), (3, 1, 200.0))
		self.assertEqual(value_of(found, "page_views"), (6, 1, 500.0))
		self.assertEqual(value_of(found, "visits"), (3, 1, 200.0))
		self.assertEqual(value_of(found, "bounce_rate"), (33.33, 0.0, None))
		self.assertEqual(value_of(found, "average_seconds"), (50.0, 0.0, None))
		self.assertEqual(value_of(found, "pages_per_visit"), (2.0, 1.0, 100.0))

	def test_clicks_and_robots(self) -> None:
		link = factories.make_link("flyer").name
		for event_type, number in (("Click", 3), ("QR Scan", 2), ("Bot", 2), ("Prefetch", 1), ("Blocked", 1)):
			for _each in range(number):
				self.click(link, event_type=event_type)
		self.click(link, counted=0, is_internal=1)
		self.click(link, BEFORE)
		found = overview()
		figures = {name: one["value"] for name, one in found["figures"].items()}
		self.assertEqual([figures[name] for name in ("clicks", "scans", "robots", "blocked")], [3, 2, 3, 1])
		self.assertEqual(figures["internal"], 1)
		self.assertEqual(value_of(found, "clicks"), (3, 1, 200.0))

	def test_the_periods(self) -> None:
		for at in (
			datetime(2026, 2, 24, 23, 59, 59, 999999),
			datetime(2026, 2, 25),
			datetime(2026, 2, 28, 23, 59, 59, 999999),
			datetime(2026, 3, 1),
			datetime(2026, 3, 4, 23, 59, 59, 999999),
			datetime(2026, 3, 5),
		):
			self.session(at)
		found = overview()
		self.assertEqual(value_of(found, "sessions"), (2, 2, 0.0))
		self.assertEqual(found["previous"], {"from_date": "2026-02-25", "to_date": "2026-02-28"})
		self.assertEqual(
			[(line["day"], line["sessions"]) for line in found["by_day"]],
			[("2026-03-01", 1), ("2026-03-02", 0), ("2026-03-03", 0), ("2026-03-04", 1)],
		)

	def test_nothing(self) -> None:
		found = overview()
		self.assertEqual(value_of(found, "sessions"), (0, 0, None))
		self.assertEqual(value_of(found, "bounce_rate"), (None, None, None))
		self.assertEqual(
			(found["value"], found["by_channel"], found["links"]), ([], [], {"lines": [], "others": None})
		)
		self.assertEqual(len(found["by_day"]), 4)

	def test_conversions_under_the_model(self) -> None:
		session = self.session(link_campaign="Spring")
		self.credit(session, weight=0.25, credited_value=0, campaign="Spring", tracked_link="gone")
		self.credit(weight=0.75)
		self.credit(session, conversion_type="Deal Won", credited_value=120.5, campaign="Spring")
		self.credit(session, conversion_type="Deal Won", credited_value=80, currency="EUR")
		self.credit(session, attribution_model="Linear")
		self.credit(session, conversion_type="Signup")
		self.credit(session, BEFORE, conversion_type="Deal Won", credited_value=100)
		found = overview()
		self.assertEqual(value_of(found, "conversions"), (1.0, 0.0, None))
		self.assertEqual(
			found["value"],
			[
				{"currency": "EUR", "value": 80.0, "previous": 0.0, "change": None},
				{"currency": "USD", "value": 120.5, "previous": 100.0, "change": 20.5},
			],
		)
		(campaign,) = found["campaigns"]["lines"]
		self.assertEqual(
			campaign,
			{"name": "Spring", "sessions": 1, "conversions": 0.25, "value": {"USD": 120.5}},
		)
		self.assertEqual(found["by_day"][1]["value"], {"EUR": 80.0, "USD": 120.5})
		self.assertEqual(
			overview(model="Linear")["figures"]["conversions"],
			{"value": 1.0, "previous": 0.0, "change": None},
		)

	def test_channels(self) -> None:
		for channel, at in (
			("Email", DAY),
			("Email", DAY),
			("Direct", DAY),
			("Direct", BEFORE),
			("SMS", BEFORE),
		):
			self.session(at, channel=channel)
		self.assertEqual(
			[(line["channel"], *line["touches"].values()) for line in overview()["by_channel"]],
			[("Email", 2, 0, None), ("Direct", 1, 1, 0.0), ("SMS", 0, 1, -100.0)],
		)

	def test_lists(self) -> None:
		flyer, letter = (factories.make_link(code).name for code in ("flyer", "letter"))
		for link, number in ((flyer, 2), (letter, 1)):
			for _each in range(number):
				self.click(link)
		for page in ("a?utm_source=x#top", "a#b", "a", "b?x=1"):
			self.event(page_url=f"https://{SITE}/{page}")
		self.event(event_type="CUSTOM")
		self.event(counted=0)
		for referrer in ("https://News.example:8080/a?b=c", "https://news.example/d", "http://x.example", ""):
			self.session(referrer=referrer)
		found = overview()
		self.assertEqual(
			[(line["short_code"], line["clicks"]) for line in found["links"]["lines"]],
			[("flyer", 2), ("letter", 1)],
		)
		self.assertEqual(
			found["pages"],
			{
				"lines": [
					{"name": f"https://{SITE}/a", "views": 3},
					{"name": f"https://{SITE}/b", "views": 1},
				],
				"others": None,
			},
		)
		self.assertEqual(
			found["referrers"]["lines"],
			[{"name": "news.example", "sessions": 2}, {"name": "x.example", "sessions": 1}],
		)

	def test_what_is_below_a_list(self) -> None:
		for number in range(sums.MOST + 5):
			self.event(page_url=f"https://{SITE}/{number:03d}")
			self.session(referrer=f"https://r{number:03d}.example/")
		found = overview()
		for name, figure in (("pages", "views"), ("referrers", "sessions")):
			self.assertEqual((len(found[name]["lines"]), found[name]["others"]), (sums.MOST, {figure: 5}))

	def test_statements_are_bounded(self) -> None:
		counts = []
		for number in (1, 20):
			for index in range(number):
				link = factories.make_link().name
				self.click(link, visitor_id=VISITOR.format(index))
				session = self.session(
					number=index, campaign=f"c{index}", referrer=f"https://r{index}.example"
				)
				self.event(page_url=f"https://{SITE}/{index}")
				self.credit(session, tracked_link=link)
			frappe.db.commit()
			overview()
			with counted_statements() as statements:
				overview()
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 18, statements)


class TestScopes(FiguresTestCase):
	"""RPT-2: per domain, and per project, which groups domains."""

	def setUp(self) -> None:
		super().setUp()
		make_domains()
		link = factories.make_link("flyer").name
		for domain, number in ((SITE, 1), (OTHER, 2), ("else.example.com", 3), (None, 4)):
			for _each in range(number):
				session = self.session(domain=domain)
				self.click(link, domain=domain)
				self.event(domain=domain)
				self.credit(session)
		self.credit()

	def figures(self, **arguments: Any) -> list[Any]:
		found = overview(**arguments)
		return [
			*(found["figures"][name]["value"] for name in ("sessions", "clicks", "conversions")),
			sum(line["views"] for line in found["pages"]["lines"]),
			sum(line["touches"]["value"] for line in found["by_channel"]),
		]

	def test_each(self) -> None:
		self.assertEqual(self.figures(), [10, 10, 11, 10, 10])
		self.assertEqual(self.figures(domain=OTHER), [2] * 5)
		self.assertEqual(self.figures(project="Shops"), [3] * 5)

	def test_parts(self) -> None:
		"""Each half as it stands in the whole, by its own statements alone."""
		whole, halves = overview(), [overview(part=part) for part in PARTS]
		self.assertEqual(whole, {**halves[0], **halves[1]})
		both = halves[0].keys() & halves[1].keys()
		self.assertEqual(both, {"from_date", "to_date", "previous", "domain", "project", "model"})
		with counted_statements() as of_lists:
			overview(part="lists")
		self.assertFalse([one for one in of_lists if "COUNT(DISTINCT" in one])

	def test_what_is_refused(self) -> None:
		for arguments, words in (
			({"part": "wheels"}, "part must be one of these: figures, lists"),
			({"domain": "nowhere.example.com"}, "no domain nowhere"),
			({"project": "Nothing"}, "No domain belongs"),
			({"domain": SITE, "project": "Shops"}, "not both"),
			({"model": "Guess"}, "no active attribution model"),
		):
			with self.subTest(arguments), self.assertRaisesRegex(frappe.ValidationError, words):
				overview(**arguments)
		with self.assertRaisesRegex(frappe.ValidationError, "before it begins"):
			get_overview("2026-03-02", "2026-03-01")


class TestAccess(PermissionTestCase):
	"""ROL-P: for managers and campaign managers; over HTTP."""

	def test_over_http(self) -> None:
		path = "/api/method/trackflow.api.analytics.get_overview"
		for user, status in ((CAMPAIGNER, 200), (MANAGER, 200), (NOBODY, 403), (None, 403)):
			answer = self.get(path, headers=self.authorization(user))
			self.assertEqual(answer.status_code, status, answer.text)
		answer = self.get(path, query_string={"from_date": "x"}, headers=self.authorization(CAMPAIGNER))
		self.assertEqual(answer.status_code, 417)
		answer = self.request("POST", path, headers=self.authorization(CAMPAIGNER))
		self.assertEqual(answer.status_code, 403)
