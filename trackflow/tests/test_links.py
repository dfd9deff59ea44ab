"""Tracked Links and Link Campaigns as documents: codes, destinations, what is refused, what is rebuilt (LNK-1, LNK-2)."""

import unittest
from datetime import datetime
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from hypothesis import given
from hypothesis import strategies as st

from trackflow import bulk
from trackflow.links import codes, hosts, rebuild
from trackflow.links.addresses import short_url
from trackflow.redirect import links as snapshots
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.trackflow.doctype.figures import FIGURES
from trackflow.trackflow.doctype.link_campaign.link_campaign import slug_of
from trackflow.tracking import counters

LINK = "trackflow.trackflow.doctype.tracked_link.tracked_link"


class TestReferences(TrackFlowTestCase):
	"""What a link names must exist."""

	def test_a_campaign_that_does_not_exist(self) -> None:
		with self.assertRaises(frappe.LinkValidationError):
			factories.make_link(campaign="Nobody's")

	def test_a_domain_that_does_not_exist(self) -> None:
		with self.assertRaises(frappe.LinkValidationError):
			factories.make_link(domain="nowhere.example.com")


class TestShortCodes(TrackFlowTestCase):
	"""LNK-1: codes are made, or chosen; the unique index is the only judge of what is taken."""

	def test_a_code_is_made(self) -> None:
		link = factories.make_link()
		self.assertRegex(link.short_code, rf"^[{codes.ALPHABET}]{{6}}$")

	def test_its_length_is_a_setting(self) -> None:
		factories.set_settings(short_code_length=9)
		self.assertEqual(len(factories.make_link().short_code), 9)

	def test_it_must_be_typed_where_none_is_made(self) -> None:
		factories.set_settings(auto_generate_short_codes=0)
		with self.assertRaises(frappe.ValidationError):
			factories.make_link()
		self.assertEqual(factories.make_link("flyer").short_code, "flyer")

	def test_a_chosen_code_is_kept_in_lower_case(self) -> None:
		self.assertEqual(factories.make_link("  Spring-Sale_26 ").short_code, "spring-sale_26")

	def test_bad_codes_are_refused(self) -> None:
		for code in ("with space", "umläut", "a/b", "a?b", "admin", "API", "x" * 65, "<b>", "a.b"):
			with self.subTest(code), self.assertRaises(frappe.ValidationError):
				factories.make_link(code)

	def test_a_taken_code_is_named_in_the_message(self) -> None:
		factories.make_link("flyer")
		with self.assertRaisesRegex(frappe.DuplicateEntryError, "The short code flyer is already in use."):
			factories.make_link("FLYER")

	def test_a_code_cannot_be_taken_over_by_a_change(self) -> None:
		factories.make_link("flyer")
		other = factories.make_link("poster")
		other.short_code = "Flyer"
		with self.assertRaisesRegex(frappe.DuplicateEntryError, "flyer is already in use"):
			other.save()

	def test_a_made_code_that_is_taken_is_made_again(self) -> None:
		factories.make_link("abcdef")
		with patch(f"{LINK}.codes.make_code", side_effect=["abcdef", "abcdef", "ghjkmn"]):
			link = factories.make_link()
		self.assertEqual(link.short_code, "ghjkmn")
		self.assertIn("/r/ghjkmn?", frappe.db.get_value("Tracked Link", link.name, "qr_code"))

	def test_it_ends_where_all_codes_are_taken(self) -> None:
		factories.make_link("abcdef")
		with patch(f"{LINK}.codes.make_code", return_value="abcdef"):
			with self.assertRaises(frappe.DuplicateEntryError):
				factories.make_link()

	def test_nobody_looks_whether_a_code_is_free(self) -> None:
		with counted_statements() as statements:
			factories.make_link("flyer")
		self.assertTrue(any("INSERT INTO `tabTracked Link`" in statement for statement in statements))
		self.assertFalse(
			[one for one in statements if one.lower().startswith("select") and "`short_code`=" in one]
		)


class TestDestinations(TrackFlowTestCase):
	"""LNK-2: what visitors get is the target with the parameters, and nothing dangerous is taken as a target."""

	def test_parameters_are_added(self) -> None:
		link = factories.make_link(content="hero", term="shoes", additional_parameters='{"ref": "a b"}')
		self.assertEqual(
			link.destination_url,
			"https://shop.example.com/products?utm_source=newsletter&utm_medium=email&utm_content=hero"
			"&utm_term=shoes&ref=a%20b",
		)

	def test_the_campaign_fills_in_what_the_link_leaves_empty(self) -> None:
		factories.make_campaign("Spring Sale", source="google", medium="cpc")
		link = factories.make_link(campaign="Spring Sale", source=None, medium="email")
		self.assertEqual(link.campaign_id, "spring-sale")
		self.assertTrue(
			link.destination_url.endswith("?utm_source=google&utm_medium=email&utm_campaign=spring-sale")
		)

	def test_what_the_target_has_is_kept(self) -> None:
		link = factories.make_link(target_url="https://shop.example.com/?utm_source=own&b=1#top")
		self.assertEqual(
			link.destination_url, "https://shop.example.com/?utm_source=own&b=1&utm_medium=email#top"
		)

	def test_bad_targets_are_refused(self) -> None:
		factories.make_domain(factories.SHORT_HOST)
		for target in (
			"javascript:alert(1)",
			"data:text/html,x",
			"ftp://example.com/",
			"//example.com/",
			"example.com",
			"https://",
			"https://user:secret@example.com/",
			"https://exam ple.com/",
			"https://example.com/\r\nSet-Cookie: a=b",
			f"https://{factories.SHORT_HOST}/r/abc",
			f"http://{factories.SHORT_HOST.upper()}:80/r//abc",
			f"https://example.com/{'x' * 2048}",
		):
			for field in ("target_url", "expired_url"):
				with self.subTest(field, target=target), self.assertRaises(frappe.ValidationError):
					factories.make_link(**{field: target})
			with self.subTest("variant", target=target), self.assertRaises(frappe.ValidationError):
				factories.make_link(variants=[{"variant_name": "A", "destination_url": target}])

	def test_what_is_no_text_is_refused(self) -> None:
		"""SEC-4: over REST a field may be anything that JSON can say."""
		row = {"destination_url": "https://shop.example.com/"}
		for field, values in (
			("target_url", (5, ["x"], {"a": 1})),
			("short_code", (5, ["a"])),
			("ios_url", (5,)),
			("expired_url", ([1],)),
			("password", (5,)),
			("variants", ([{**row, "variant_name": "A", "destination_url": 5}],)),
			("rules", ([{**row, "condition_type": "Query", "condition_value": "x", "query_parameter": 7}],)),
			("rules", ([{**row, "condition_type": "Country", "condition_value": ["DE"]}],)),
		):
			for value in values:
				with (
					self.subTest(field, value=value),
					self.assertRaisesRegex(frappe.ValidationError, "must be a text"),
				):
					factories.make_link(**{field: value})

	def test_a_target_of_2048_characters_is_taken(self) -> None:
		target = f"https://example.com/{'x' * 2028}"
		link = factories.make_link(target_url=target)
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "target_url"), target)

	def test_bad_parameters_are_refused(self) -> None:
		for parameters in ("[1]", "no json", '"text"', "7"):
			with self.subTest(parameters), self.assertRaises(frappe.ValidationError):
				factories.make_link(additional_parameters=parameters)

	def test_no_parameters_are_stored_as_nothing(self) -> None:
		"""A JSON column refuses an empty text."""
		for parameters in ("", "  ", "{}", None):
			link = factories.make_link(additional_parameters=parameters)
			self.assertIsNone(frappe.db.get_value("Tracked Link", link.name, "additional_parameters"))

	def test_apps_may_be_opened_and_scripts_may_not(self) -> None:
		factories.make_link(ios_url="shop://product/7", android_url="https://play.example.com/app")
		for address in (
			"javascript:alert(1)",
			"data:text/html,x",
			"javascript://%0aalert(1)",
			"shop",
			"file:///x",
		):
			with self.subTest(address), self.assertRaises(frappe.ValidationError):
				factories.make_link(ios_url=address)


class TestVariantsAndRules(TrackFlowTestCase):
	"""What divides visitors must add up before it is used."""

	def make(self, *weights: int, active: int = 1) -> None:
		rows = [
			{
				"variant_name": f"V{number}",
				"destination_url": "https://example.com",
				"weight": weight,
				"active": active,
			}
			for number, weight in enumerate(weights)
		]
		factories.make_link(variants=rows)

	def test_weights(self) -> None:
		self.make(0, 10)
		self.make(0, 0, active=0)
		for weights in ((-1, 10), (0, 0)):
			with self.subTest(weights), self.assertRaises(frappe.ValidationError):
				self.make(*weights)

	def test_a_variant_keeps_the_address_as_entered(self) -> None:
		rows = [{"variant_name": "A", "destination_url": " https://example.com/ä "}]
		link = factories.make_link(variants=rows)
		self.assertEqual(link.variants[0].destination_url, "https://example.com/ä")
		self.assertEqual((link.variants[0].weight, link.variants[0].active), (50, 1))

	def test_names_differ(self) -> None:
		rows = [{"variant_name": "A", "destination_url": "https://example.com"}] * 2
		with self.assertRaises(frappe.ValidationError):
			factories.make_link(variants=[dict(row) for row in rows])

	def test_rules_are_complete(self) -> None:
		there = {"destination_url": "https://example.com"}
		factories.make_link(rules=[{"condition_type": "Device", "condition_value": "Mobile", **there}])
		for rule in (
			{"condition_type": "Device"},
			{"condition_type": "Query", "condition_value": "x"},
			{"condition_type": "Date"},
			{"condition_type": "Date", "from_date": "2026-02-01 00:00:00", "to_date": "2026-01-01 00:00:00"},
		):
			with self.subTest(rule), self.assertRaises(frappe.ValidationError):
				factories.make_link(rules=[{**rule, **there}])

	def test_the_end_comes_after_the_start(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			factories.make_link(starts_on="2026-03-02 00:00:00", expiry_date="2026-03-01 00:00:00")
		with self.assertRaises(frappe.NonNegativeError):
			factories.make_link(max_clicks=-1)


class TestWhatALinkKnows(TrackFlowTestCase):
	"""What a link derives, and that redirects hear of every change."""

	def test_title_maker_and_addresses(self) -> None:
		factories.make_domain(factories.SHORT_HOST, is_primary=1)
		link = factories.make_link("flyer")
		self.assertEqual(link.title, "shop.example.com/products")
		self.assertEqual(link.created_by, "Administrator")
		self.assertEqual(short_url("flyer"), "https://go.example.com/r/flyer")
		self.assertEqual(link.qr_code, "https://go.example.com/r/flyer?qr=1")

	def test_the_domain_of_the_link_decides(self) -> None:
		factories.make_domain(factories.SHORT_HOST)
		factories.make_domain("second.example.com:8080", ssl_enabled=0)
		link = factories.make_link("flyer", domain="second.example.com:8080")
		self.assertEqual(link.qr_code, "http://second.example.com:8080/r/flyer?qr=1")

	def test_changes_are_told_to_redirects(self) -> None:
		link = factories.make_link("flyer")
		self.assertEqual(snapshots.find("flyer").destination, link.destination_url)
		link.target_url = "https://shop.example.com/other"
		link.save()
		self.assertIn("/other", snapshots.find("flyer").destination)
		link.short_code = "poster"
		link.save()
		self.assertIsNone(snapshots.find("flyer"))
		self.assertIsNotNone(snapshots.find("poster"))
		link.delete()
		self.assertIsNone(snapshots.find("poster"))


class TestFigures(TrackFlowTestCase):
	"""DATA-3: a drain counts without touching `modified`, and no save takes that back."""

	rows = ({"variant_name": "A", "destination_url": "https://example.com/a"},)

	def stored(self, doctype: str, name: str) -> dict:
		return frappe.db.get_value(doctype, name, FIGURES[doctype], as_dict=True)

	def click(self, link: Document, variant: str = "", **values: Any) -> dict:
		values = {"event_type": "Click", "counted": 1, "is_unique": 1, **values}
		at = datetime(2026, 3, 1, 10)
		return {"tracked_link": link.name, "variant": variant, "click_timestamp": at, **values}

	def test_an_open_form_is_saved_after_clicks(self) -> None:
		link = factories.make_link("flyer", variants=[dict(row) for row in self.rows])
		opened = frappe.get_doc("Tracked Link", link.name)
		variant = opened.variants[0]
		counters.add_clicks(
			[
				self.click(link, variant.name),
				self.click(link, variant.name, event_type="QR Scan", is_unique=0),
				self.click(link, event_type="Bot", counted=0),
			]
		)
		bulk.update("Tracked Link", {link.name: {"conversion_count": 1.5, "revenue": 30}})
		bulk.update("Campaign Link Variant", {variant.name: {"conversions": 0.5}})
		opened.title = "Flyer"
		opened.append("variants", {**self.rows[0], "variant_name": "B"})
		opened.save()
		expected = {
			"click_count": 1,
			"scan_count": 1,
			"bot_count": 1,
			"unique_visitor_count": 1,
			"last_click": datetime(2026, 3, 1, 10),
			"conversion_count": 1.5,
			"revenue": 30,
		}
		self.assertEqual(self.stored("Tracked Link", link.name), expected)
		self.assertEqual({field: opened.get(field) for field in expected}, expected)
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "title"), "Flyer")
		found = [self.stored("Campaign Link Variant", row.name) for row in opened.variants]
		self.assertEqual(found, [{"clicks": 2, "conversions": 0.5}, {"clicks": 0, "conversions": 0}])

	def test_an_open_campaign_is_saved_after_its_figures_changed(self) -> None:
		opened = factories.make_campaign()
		bulk.update("Link Campaign", {opened.name: {"total_clicks": 7, "spend": 12.5}})
		opened.description = "New"
		opened.save()
		stored = self.stored("Link Campaign", opened.name)
		self.assertEqual((stored.total_clicks, stored.spend), (7, 12.5))

	def test_new_ones_begin_without(self) -> None:
		link_figures = {**dict.fromkeys(FIGURES["Tracked Link"], 9), "last_click": "2026-03-01 10:00:00"}
		row_figures = dict.fromkeys(FIGURES["Campaign Link Variant"], 9)
		link = factories.make_link(variants=[{**self.rows[0], **row_figures}], **link_figures)
		campaign = factories.make_campaign(**dict.fromkeys(FIGURES["Link Campaign"], 9))
		for doc in (link, link.variants[0], campaign):
			with self.subTest(doc.doctype):
				self.assertFalse(any(self.stored(doc.doctype, doc.name).values()))
		self.assertIsNone(frappe.db.get_value("Tracked Link", link.name, "last_click"))

	def test_every_figure_is_read_only_and_not_copied(self) -> None:
		for doctype, fields in FIGURES.items():
			for field in fields:
				with self.subTest(doctype, field=field):
					df = frappe.get_meta(doctype).get_field(field)
					self.assertEqual((df.read_only, df.no_copy), (1, 1))


class TestCampaigns(TrackFlowTestCase):
	"""A campaign names its links' parameters; its status and its end stop none of them."""

	def test_the_id_is_made_from_the_name(self) -> None:
		self.assertEqual(factories.make_campaign("Frühling 2026!").campaign_id, "fruhling-2026")
		self.assertEqual(factories.make_campaign("Frühling: 2026").campaign_id, "fruhling-2026-2")
		self.assertRegex(factories.make_campaign("春").campaign_id, r"^campaign-[0-9a-z]{6}$")

	def test_a_typed_id_is_lower_case_and_plain(self) -> None:
		self.assertEqual(factories.make_campaign(campaign_id=" Spring_26 ").campaign_id, "spring_26")
		for number, campaign_id in enumerate(("two words", "ä", "a/b", "x" * 141)):
			with self.subTest(campaign_id), self.assertRaises(frappe.ValidationError):
				factories.make_campaign(f"Campaign {number}", campaign_id=campaign_id)

	def test_an_id_belongs_to_one_campaign(self) -> None:
		factories.make_campaign("One", campaign_id="same")
		with self.assertRaises(frappe.UniqueValidationError):
			factories.make_campaign("Two", campaign_id="same")

	def test_dates_and_money(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			factories.make_campaign(start_date="2026-03-02", end_date="2026-03-01")
		with self.assertRaises(frappe.NonNegativeError):
			factories.make_campaign(budget=-1)
		campaign = factories.make_campaign(start_date="2026-03-01", end_date="2026-03-01", budget=10)
		self.assertEqual(
			campaign.currency, frappe.db.get_single_value("TrackFlow Settings", "reporting_currency")
		)

	def test_a_changed_campaign_asks_for_its_links(self) -> None:
		campaign = factories.make_campaign()
		for field, value in (("source", "google"), ("medium", "cpc"), ("campaign_id", "other")):
			with patch("trackflow.links.rebuild.jobs.enqueue") as enqueue:
				campaign.set(field, value)
				campaign.save()
			enqueue.assert_called_once()
		with patch("trackflow.links.rebuild.jobs.enqueue") as enqueue:
			campaign.budget = 5
			campaign.save()
		enqueue.assert_not_called()

	def test_links_are_rebuilt_and_only_those_that_differ(self) -> None:
		campaign = factories.make_campaign("Spring Sale", source="google")
		links = [
			factories.make_link(f"flyer-{number}", campaign=campaign.name, source=None) for number in range(3)
		]
		own = factories.make_link("own", campaign=campaign.name, source="own")
		other = factories.make_link("other")
		campaign.source = "bing"
		campaign.save()
		with patch.object(rebuild, "PIECE", 2):
			self.assertEqual(rebuild.rebuild("campaign", campaign.name), 3)
			self.assertEqual(rebuild.rebuild("campaign", campaign.name), 0)
		for link in links:
			stored = frappe.db.get_value("Tracked Link", link.name, "destination_url")
			self.assertIn("utm_source=bing", stored)
		for link in (own, other):
			stored = frappe.db.get_value("Tracked Link", link.name, "destination_url")
			self.assertEqual(stored, link.destination_url)

	def test_redirects_see_a_rebuilt_link(self) -> None:
		campaign = factories.make_campaign("Spring Sale", source="google")
		factories.make_link("flyer", campaign=campaign.name, source=None)
		self.assertIn("utm_source=google", snapshots.find("flyer").destination)
		frappe.db.set_value("Link Campaign", campaign.name, "source", "bing")
		rebuild.rebuild("campaign", campaign.name)
		self.assertIn("utm_source=bing", snapshots.find("flyer").destination)

	def test_links_without_a_domain_follow_the_primary_one(self) -> None:
		link = factories.make_link("flyer")
		factories.make_domain(factories.SHOP)
		self.assertNotIn(factories.SHOP, short_url("flyer"))
		factories.make_domain(factories.SHORT_HOST, is_primary=1)
		rebuild.rebuild("domain", factories.SHORT_HOST)
		stored = frappe.db.get_value("Tracked Link", link.name, "qr_code")
		self.assertEqual(stored, "https://go.example.com/r/flyer?qr=1")


class TestPureNames(unittest.TestCase):
	"""Slugs and hosts, for whatever people type."""

	@given(st.text(max_size=200))
	def test_a_slug_is_plain(self, name: str) -> None:
		self.assertRegex(slug_of(name), r"^[a-z0-9_-]*$")
		self.assertEqual(slug_of(slug_of(name)), slug_of(name))

	def test_hosts_are_normalised(self) -> None:
		for typed, stored in (
			(" Go.Example.COM. ", "go.example.com"),
			("müller.example", "xn--mller-kva.example"),
			("MÜLLER。example", "xn--mller-kva.example"),
			("straße.example", "xn--strae-oqa.example"),
			("example.com:443", "example.com"),
			("example.com:8000", "example.com:8000"),
			("127.0.0.1:8000", "127.0.0.1:8000"),
			("[2001:DB8::0:1]:8443", "[2001:db8::1]:8443"),
			("localhost", "localhost"),
		):
			self.assertEqual(hosts.normalise(typed), stored)
		self.assertEqual(hosts.of_origin("https://Shop.example.com/"), "shop.example.com")

	def test_what_is_no_host_is_refused(self) -> None:
		for text in (
			"",
			None,
			"https://example.com",
			"example.com/path",
			"a b",
			"user@example.com",
			"example.com:0",
			"example.com:99999",
			"example.com:",
			"exa<mple.com",
			"-a.example",
			"a..b",
			"[::1",
			"[no]",
			"x" * 200,
		):
			with self.subTest(text), self.assertRaises(hosts.HostError):
				hosts.normalise(text)

	@given(st.text(max_size=40))
	def test_a_host_is_normal_or_refused(self, text: str) -> None:
		try:
			host = hosts.normalise(text)
		except hosts.HostError:
			return
		self.assertEqual(hosts.normalise(host), host)
		self.assertTrue(host.isascii())
