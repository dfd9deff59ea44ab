"""The figures of one link in a range of days: humans and robots, by day and by what is known of them (RED-4, RPT-2)."""

from datetime import date, datetime, timedelta
from typing import Any

import frappe
from frappe.utils import getdate

from trackflow import bulk
from trackflow.analytics.link_figures import link_analytics
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.tests.factories import VISITOR, click_record
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase
from trackflow.tracking import store

DAY = datetime(2026, 3, 2, 12)


class AnalyticsTestCase(TrackFlowTestCase):
	def setUp(self) -> None:
		super().setUp()
		row = {"destination_url": "https://shop.example.com/", "weight": 1}
		variants = [{"variant_name": name, **row} for name in "AB"]
		self.link = factories.make_link("flyer", variants=variants)
		self.number = 0

	def click(self, at: datetime = DAY, event_type: str = "Click", **values: Any) -> None:
		self.number += 1
		human = event_type in ("Click", "QR Scan")
		row = {
			"name": f"click-{self.number}",
			"click_timestamp": at,
			"event_type": event_type,
			"tracked_link": self.link.name,
			"counted": int(human),
			"visitor_id": VISITOR.format(1),
			"device_type": "Desktop",
			"browser": "Chrome",
			"os": "Windows",
			**values,
		}
		bulk.insert("Click Event", [row])

	def figures(self, first: str = "2026-03-01", last: str = "2026-03-04") -> dict[str, Any]:
		return link_analytics(self.link.name, first, last)


class TestFigures(AnalyticsTestCase):
	"""What is counted, as what."""

	def test_humans_robots_and_the_rest(self) -> None:
		for number in (1, 1, 2):
			self.click(visitor_id=VISITOR.format(number))
		self.click(event_type="QR Scan", visitor_id=VISITOR.format(2))
		self.click(event_type="QR Scan", counted=0, is_internal=1, visitor_id=VISITOR.format(3))
		self.click(is_internal=1, visitor_id=VISITOR.format(1))
		for event_type, number in (("Bot", 3), ("Prefetch", 2), ("Blocked", 1), ("Expired", 4)):
			for _each in range(number):
				self.click(event_type=event_type)
		totals = self.figures()["totals"]
		self.assertEqual(
			totals,
			{
				"clicks": 4,
				"scans": 1,
				"bots": 3,
				"prefetches": 2,
				"blocked": 1,
				"expired": 4,
				"internal": 2,
				"unique_visitors": 2,
				"conversions": 0,
				"revenue": 0,
				"currency": self.link.currency,
			},
		)

	def test_every_day_of_the_range_and_no_other(self) -> None:
		for at in (
			datetime(2026, 2, 28, 23, 59, 59),
			datetime(2026, 3, 1),
			datetime(2026, 3, 3, 23, 59, 59, 999999),
			datetime(2026, 3, 5),
		):
			self.click(at)
		days = self.figures()["by_day"]
		self.assertEqual(
			[(day["day"], day["clicks"]) for day in days],
			[("2026-03-01", 1), ("2026-03-02", 0), ("2026-03-03", 1), ("2026-03-04", 0)],
		)

	def test_the_period_before(self) -> None:
		"""UI-1: as many days before the first one, which are in no other figure."""
		for days in (0, 1, 2, 5, 6):
			self.click(DAY - timedelta(days=days), country="DE" if days < 2 else "SE")
		at = DAY - timedelta(days=3)
		credit = {"conversion_type": "Lead", "weight": 1, "conversion_value": 10, "conversion_date": at}
		bulk.insert("Link Conversion", [{"name": "c1", "tracked_link": self.link.name, **credit}])
		found = self.figures()
		before = found["previous"]
		self.assertEqual((before["from_date"], before["to_date"]), ("2026-02-25", "2026-02-28"))
		totals = before["totals"]
		self.assertEqual((totals["clicks"], totals["unique_visitors"], totals["conversions"]), (2, 1, 1))
		self.assertEqual((found["totals"]["clicks"], found["totals"]["conversions"]), (2, 0))
		self.assertEqual([line["value"] for line in found["by_country"]], ["DE"])
		self.assertEqual(totals, link_analytics(self.link.name, "2026-02-25", "2026-02-28")["totals"])

	def test_breakdowns(self) -> None:
		self.click(country="DE", variant=self.link.variants[0].name)
		self.click(country="DE", referrer="https://News.example.com/a?b=c", browser="Firefox", os="Linux")
		self.click(
			country="FR", referrer="https://news.example.com/other", device_type="Mobile", variant="gone"
		)
		self.click(event_type="Bot", country="US", referrer="http://bots.example.com:8080/")
		self.click(event_type="Blocked", country="SE")
		found = self.figures()
		lines = {key: [tuple(line.values()) for line in found[key]] for key in found if key.startswith("by_")}
		self.assertEqual(lines["by_country"], [("DE", 2, 0), ("FR", 1, 0), ("US", 0, 1)])
		self.assertEqual(lines["by_device"], [("Desktop", 2, 1), ("Mobile", 1, 0)])
		self.assertEqual(lines["by_browser"], [("Chrome", 2, 1), ("Firefox", 1, 0)])
		self.assertEqual(lines["by_os"], [("Windows", 2, 1), ("Linux", 1, 0)])
		self.assertEqual(
			lines["by_referrer"], [("news.example.com", 2, 0), ("", 1, 0), ("bots.example.com", 0, 1)]
		)
		self.assertEqual(sorted(lines["by_variant"]), [("", 1, 1), ("A", 1, 0), ("gone", 1, 0)])

	def test_other_links_are_not_in_it(self) -> None:
		other = factories.make_link("other")
		self.click(tracked_link=other.name)
		self.assertEqual(self.figures()["totals"]["clicks"], 0)

	def test_figures_are_those_of_the_drain(self) -> None:
		"""What a drain stores is what is shown, in the figures of the link and here."""
		records = [click_record(self.link.name, number % 3) for number in range(6)]
		records += [click_record(self.link.name, 9, event_type="Bot", counted=False, is_bot=True)]
		store.store(records)
		self.link.reload()
		totals = link_analytics(self.link.name, None, None)["totals"]
		self.assertEqual((totals["clicks"], totals["bots"], totals["unique_visitors"]), (6, 1, 3))
		shown = (self.link.click_count, self.link.bot_count, self.link.unique_visitor_count)
		self.assertEqual(shown, (6, 1, 3))

	def test_conversions_of_the_range(self) -> None:
		for number, (kind, weight, value, at) in enumerate(
			(
				("Lead", 0.5, 10, DAY),
				("Lead", 1, 10, DAY),
				("Deal Won", 0.25, 250, DAY),
				("Lead", 1, 10, DAY + timedelta(days=9)),
			)
		):
			row = {
				"conversion_type": kind,
				"weight": weight,
				"conversion_value": value,
				"conversion_date": at,
			}
			bulk.insert("Link Conversion", [{"name": f"c{number}", "tracked_link": self.link.name, **row}])
		totals = self.figures()["totals"]
		self.assertEqual((totals["conversions"], totals["revenue"]), (1.5, 250))

	def test_statements_are_bounded(self) -> None:
		counts = []
		for number in (1, 30):
			for index in range(number):
				self.click(
					DAY + timedelta(hours=index), country=f"C{index}", referrer=f"https://r{index}.example/"
				)
			frappe.db.commit()
			link_analytics(self.link.name, "2026-03-01", "2026-03-04")
			with counted_statements() as statements:
				self.figures()
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 19, statements)


class TestRanges(AnalyticsTestCase):
	"""Ranges are the site's days; what is none is refused in words."""

	def test_the_last_thirty_days_by_default(self) -> None:
		found = link_analytics(self.link.name, None, None)
		self.assertEqual((len(found["by_day"]), found["to_date"]), (30, str(getdate())))
		self.assertEqual(link_analytics(self.link.name, None, "2026-03-30")["from_date"], "2026-03-01")
		self.assertEqual(link_analytics(self.link.name, "2026-03-01", None)["to_date"], "2026-03-30")

	def test_what_is_refused(self) -> None:
		for first, last, words in (
			("2026-03-02", "2026-03-01", "before it begins"),
			("2020-01-01", "2026-01-01", "at most 1100 days"),
			("yesterday", None, "no day such as"),
			("2026-02-30", None, "no day such as"),
			(None, "2026-13-01", "no day such as"),
			(None, "0001-01-05", "no day such as"),
			("9999-12-31", None, "no day such as"),
		):
			with self.subTest(first, last=last), self.assertRaisesRegex(frappe.ValidationError, words):
				link_analytics(self.link.name, first, last)
		link_analytics(self.link.name, "2023-01-01", str(date(2023, 1, 1) + timedelta(days=1099)))


class TestAccess(PermissionTestCase):
	"""For those who may read the link."""

	def test_over_http(self) -> None:
		link = factories.make_link("flyer")
		path = "/api/method/trackflow.api.links.get_link_analytics"
		for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			headers = self.authorization(user)
			answer = self.get(path, query_string={"link_name": link.name}, headers=headers)
			self.assertEqual(answer.status_code, status, answer.text)
		headers = self.authorization(CAMPAIGNER)
		answer = self.get(path, query_string={"link_name": link.name, "from_date": "x"}, headers=headers)
		self.assertEqual(answer.status_code, 417)
		# Who may read none is not told which there are.
		nobody = self.authorization(NOBODY)
		self.assertEqual(self.get(path, query_string={"link_name": "x"}, headers=nobody).status_code, 403)
		self.assertEqual(self.get(path, query_string={"link_name": "x"}, headers=headers).status_code, 404)
