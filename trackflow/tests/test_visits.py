"""Sessions and touch points as they are stored: COL-6, TCH-1, and the fourth rule (derived data can be thrown away)."""

import random
import time
import unittest
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackflow import bulk
from trackflow.stream import writer
from trackflow.stream.drain import drain
from trackflow.tests.base import TrackFlowTestCase, wipe
from trackflow.tests.factories import SHOP, click_record, event_record, make_campaign, make_domain, make_link
from trackflow.tracking import people, repair
from trackflow.tracking.channels import CHANNELS, classify
from trackflow.tracking.parameters import ads_of, external_ids_of, utm_of

PAGE = f"https://{SHOP}/"
SESSION_FIELDS = (
	"name", "visitor_id", "session_start", "session_end", "page_views", "event_count", "entry_page", "exit_page",
	"duration_seconds", "is_bounce", "source", "medium", "campaign", "channel", "platform", "tracked_link", "click_event",
	"link_campaign",
)  # fmt: skip


class TestAddresses(unittest.TestCase):
	"""EVT-2, COL-6: what an address says of advertisement and campaign; the page's own goes before the referrer's."""

	def test_ad_parameters(self) -> None:
		for query, expected in (
			("", {}), ("?utm_source=x", {}), ("?campaign_region=emea&ad_group=g1&ad_id=a1&search_query=red+shoes",
			{"campaign_region": "emea", "ad_group": "g1", "ad_id": "a1", "search_query": "red shoes"}),
			("?adgroupid=7&AdId=8", {"ad_group": "7", "ad_id": "8"}), ("?ad_group=&adgroup=g", {"ad_group": "g"}),
			("?search_query=" + "x" * 500, {"search_query": "x" * 140}),
		):  # fmt: skip
			self.assertEqual(ads_of(PAGE + query), expected)

	def test_the_referrer_stands_in(self) -> None:
		other = f"{PAGE}a?ad_id=2&utm_source=y&utm_id=9"
		self.assertEqual(ads_of(PAGE, other), {"ad_id": "2"})
		self.assertEqual(ads_of(f"{PAGE}?ad_id=1", other), {"ad_id": "1"})
		self.assertEqual(utm_of(PAGE, other), {"utm_source": "y"})
		self.assertEqual(external_ids_of(PAGE, other), ("9",))

	def test_external_ids(self) -> None:
		self.assertEqual(
			external_ids_of(f"{PAGE}?campaignid=3&utm_id=1&gad_campaignid=2&utm_id=4"), ("1", "2", "3")
		)

	@given(st.text(max_size=80))
	def test_any_text(self, text: str) -> None:
		"""SEC-4"""
		ads_of(text, "?" + text)
		external_ids_of(text, "?" + text)


class TestFirstRuleWins(unittest.TestCase):
	"""TCH-1: Google's published order, each rule before the next one that the same visit fits too."""

	def test_in_order(self) -> None:
		for expected, source, medium, campaign in (
			("Direct", "(direct)", "(none)", "cross-network"),
			("Cross-network", "amazon", "cpc", "cross-network"),
			("Paid Shopping", "amazon", "cpc", "shop"),
			("Paid Shopping", "google", "cpc", "shop"),
			("Paid Search", "google", "cpm", ""),
			("Paid Social", "facebook", "cpm", ""),
			("Paid Video", "youtube", "cpm", ""),
			("Display", "partner", "cpm", ""),
			("Paid Other", "email", "paid-video", ""),
			("AI Assistant", "chatgpt.com", "organic", ""),
			("Organic Shopping", "amazon", "social", ""),
			("Organic Social", "facebook", "video", ""),
			("Organic Video", "youtube", "organic", ""),
			("Organic Search", "google", "referral", ""),
			("Referral", "email", "referral", ""),
			("Email", "email", "affiliate", ""),
			("Affiliates", "sms", "affiliate", ""),
			("Audio", "sms", "audio", ""),
			("SMS", "sms", "push", ""),
			("Mobile Push Notifications", "firebase", "whatever", ""),
			("Unassigned", "partner", "whatever", ""),
		):
			with self.subTest(source=source, medium=medium, campaign=campaign):
				self.assertEqual(classify(source, medium, campaign, ""), expected)

	def test_the_table_names_them_all(self) -> None:
		self.assertEqual(len(CHANNELS), len(set(CHANNELS)))


class TestWhatASessionSays(TrackFlowTestCase):
	"""COL-6, TCH-1: advertisement, domain, screen, whose traffic; the campaign by link, external id or utm_campaign."""

	def session(self, *records: dict[str, Any]) -> dict[str, Any]:
		writer.write(list(records))
		drain()
		(row,) = frappe.get_all("Visitor Session", fields=["*"])
		(touch,) = frappe.get_all("Touch Point", fields=["link_campaign", "channel"])
		self.assertEqual(touch.link_campaign or "", row.link_campaign or "")
		return row

	def test_of_the_landing_page(self) -> None:
		domain = make_domain(SHOP).name
		page = event_record(
			url=f"{PAGE}?ad_group=g1&search_query=shoes&gclid=x", screen="1920x1080", viewport="800x600", domain=domain,
			is_internal=True, click_ids={"gclid": "x"}, at=time.time() - 60,
		)  # fmt: skip
		row = self.session(page, event_record(url=f"{PAGE}?ad_group=other"))
		self.assertEqual((row.ad_group, row.search_query, row.ad_id or ""), ("g1", "shoes", ""))
		self.assertEqual(
			(row.screen, row.viewport, row.domain, row.is_internal), ("1920x1080", "800x600", domain, 1)
		)
		self.assertEqual((row.platform, row.channel), ("Google Ads", "Paid Search"))

	def test_what_the_website_says_of_the_ad(self) -> None:
		row = self.session(event_record(url=f"{PAGE}?ad_id=1&ad_group=g", properties={"ad_id": "2"}))
		self.assertEqual((row.ad_id, row.ad_group), ("2", "g"))

	def test_the_campaign_by_link(self) -> None:
		make_campaign("Spring")
		make_campaign("Other", campaign_id="other")
		link = make_link("spring", campaign="Spring").name
		row = self.session(
			click_record(link, campaign="Spring", utm={"utm_source": "n", "utm_campaign": "other"})
		)
		self.assertEqual(row.link_campaign, "Spring")

	def test_the_campaign_by_a_platforms_id(self) -> None:
		make_campaign("Spring", external_campaign_id="2187")
		make_campaign("Other", campaign_id="other")
		for query in ("utm_id=2187&utm_campaign=other", "gad_campaignid=2187", "campaignid=2187"):
			row = self.session(event_record(url=f"{PAGE}?{query}", utm=utm_of(f"{PAGE}?{query}")))
			self.assertEqual(row.link_campaign, "Spring", query)
			for doctype in ("Touch Point", "Visitor Session", "Visitor Event", "Visitor"):
				frappe.db.delete(doctype)
		row = self.session(event_record(utm={"utm_source": "google", "utm_campaign": "2187"}))
		self.assertEqual(row.link_campaign, "Spring")

	def test_the_campaign_by_its_name(self) -> None:
		make_campaign("Spring Sale")
		row = self.session(event_record(utm={"utm_source": "news", "utm_campaign": "Spring-Sale"}))
		self.assertEqual((row.link_campaign, row.campaign), ("Spring Sale", "Spring-Sale"))

	def test_no_campaign(self) -> None:
		make_campaign("Spring Sale")
		row = self.session(event_record(utm={"utm_source": "news", "utm_campaign": "unknown"}))
		self.assertFalse(row.link_campaign)


hits = st.lists(
	st.tuples(
		st.integers(0, 200), st.sampled_from([1, 2]), st.sampled_from(["", "", "a", "b"]), st.booleans()
	),
	min_size=1,
	max_size=10,
	unique_by=lambda hit: hit[0],
)


class TestHoweverTheyCome(TrackFlowTestCase):
	"""COL-6, RED-8: late, out of order, twice, across midnight, of two visitors who turn out to be one person."""

	def setUp(self) -> None:
		super().setUp()
		# Two hours around the site's midnight.
		now = datetime.now(ZoneInfo(get_system_timezone()))
		self.evening = now.replace(hour=22, minute=30, second=0, microsecond=0) - timedelta(days=1)

	def records(self, some: list[tuple[int, int, str, bool]]) -> list[dict[str, Any]]:
		link = make_link("spring").name
		records = []
		for minute, visitor, campaign, is_click in some:
			at = (self.evening + timedelta(minutes=minute)).timestamp()
			utm = {"utm_source": campaign, "utm_medium": "email"} if campaign else {}
			if is_click and campaign:
				records.append(click_record(link, visitor, at, id=f"{minute:020x}", utm=utm))
			else:
				records.append(event_record(visitor, at, id=f"{minute:032x}", utm=utm, url=f"{PAGE}{minute}"))
		return records

	def stored(self) -> list[Any]:
		sessions = frappe.get_all("Visitor Session", fields=list(SESSION_FIELDS), order_by="name")
		touches = frappe.get_all(
			"Touch Point", fields=["name", "session", "occurred_at", "channel"], order_by="name"
		)
		# Not by get_all: Frappe v15 drops fields whose names hold "_seen".
		visitors = bulk.load("Visitor", {}, ("first_seen", "last_seen", "page_views")).values()
		return [[dict(row) for row in rows] for rows in (sessions, touches, visitors)]

	@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
	@given(hits, st.randoms(use_true_random=False))
	def test_in_any_order_and_portions(
		self, some: list[tuple[int, int, str, bool]], chance: random.Random
	) -> None:
		wipe()
		records = self.records(some)
		writer.write(records)
		drain()
		at_once = self.stored()
		for doctype in ("Touch Point", "Visitor Session", "Visitor Event", "Click Event", "Visitor"):
			frappe.db.delete(doctype)
		again = [*records, *chance.sample(records, len(records) // 2)]
		chance.shuffle(again)
		for record in again:
			writer.write([record])
			if chance.random() < 0.5:
				drain()
		drain()
		self.assertEqual(self.stored(), at_once)
		self.assertEqual(repair.rebuild_all(), 0)
		self.assertEqual(self.stored(), at_once)

	def test_a_visit_across_midnight_is_one(self) -> None:
		writer.write(self.records([(minute, 1, "", False) for minute in range(60, 121, 20)]))
		drain()
		(session,) = frappe.get_all("Visitor Session", fields=["session_start", "session_end", "page_views"])
		self.assertNotEqual(session.session_start.date(), session.session_end.date())
		self.assertEqual(session.page_views, 4)

	def test_two_visitors_who_turn_out_to_be_one_person(self) -> None:
		"""Sessions stay each browser's own; the person has them all."""
		ada = {"contact_email": "ada@example.com"}
		phone, laptop = self.records([(0, 1, "a", False), (5, 2, "b", False)])
		writer.write([phone, laptop])
		drain()
		before = self.stored()[0]
		writer.write([{**one, "id": f"{index:032x}", "event_type": "IDENTIFY", "person": ada}
			for index, one in enumerate((phone, laptop), 1000)])  # fmt: skip
		drain()
		self.assertEqual([one["name"] for one in self.stored()[0]], [one["name"] for one in before])
		first, second = phone["visitor"], laptop["visitor"]
		self.assertEqual(people.of_visitors([first]), {first: {first, second}})
		self.assertEqual(repair.rebuild_all(), 0)
