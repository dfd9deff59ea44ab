"""What visitors send is a text wherever it is shown: SEC-2."""

import json
import re
import unittest
from typing import Any
from unittest.mock import patch

import frappe

from trackflow.inert import inert, inert_row, json_text
from trackflow.stream.drain import drain
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import SHOP, batch, event, make_domain, make_link, set_settings
from trackflow.tests.properties import given, st
from trackflow.tests.test_privacy_levels import tables
from trackflow.tracking import store

MARKUP = "<img src=x onerror=alert(1)>"
QUOTED = "%3Cimg%20src=x%20onerror=alert(1)%3E"
BEGINS_TAG = re.compile(r"<[A-Za-z/!?]")


class TestTexts(unittest.TestCase):
	"""SEC-2: nothing begins a tag, and nothing else changes."""

	def test_table(self) -> None:
		for text, expected in (
			("", ""), ("plain", "plain"), ("a < b, <3, 1<2", "a < b, <3, 1<2"), (MARKUP, "‹img src=x onerror=alert(1)>"),
			("</b><!-- x --><?php", "‹/b>‹!-- x -->‹?php"), ("<<b>", "<‹b>"),
		):  # fmt: skip
			self.assertEqual(inert(text), expected)
		self.assertEqual(inert_row({"a": MARKUP, "b": 5, "c": None}), {"a": inert(MARKUP), "b": 5, "c": None})

	@given(st.text(st.sampled_from("<>/!?aB \x00&;"), max_size=20))
	def test_any_text(self, text: str) -> None:
		self.assertIsNone(BEGINS_TAG.search(inert(text)))
		self.assertEqual(inert(inert(text)), inert(text))
		self.assertEqual(inert(text).replace("‹", "<"), text)

	@given(st.dictionaries(st.text(max_size=5), st.text(st.sampled_from("<>/ab"), max_size=10), max_size=3))
	def test_json(self, value: dict[str, str]) -> None:
		self.assertNotIn("<", json_text(value))
		self.assertEqual(json.loads(json_text(value)), value)


class TestPlanted(TrackFlowTestCase):
	"""SEC-2: markup in every text that a visitor controls, looked for in every table and page of ours."""

	def plant(self) -> None:
		key = make_domain(SHOP).public_key
		set_settings(collect_form_values=1)
		make_link("spring", domain=SHOP, forward_query=1)
		headers = {
			"Referer": f"https://{SHOP}/{MARKUP}", "CF-IPCountry": "AT", "CF-IPCity": MARKUP, "CF-Region": MARKUP,
		}  # fmt: skip
		options = {"agent": f"Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 {MARKUP}", "address": "127.0.0.1"}
		self.get(f"/r/spring?utm_term={QUOTED}&x={MARKUP}", host=SHOP, headers=headers, **options)
		url = (
			f"https://{SHOP}/{MARKUP}?utm_source={QUOTED}&utm_campaign={QUOTED}&gclid={QUOTED}&ad_id={QUOTED}"
		)
		texts = {
			"title": MARKUP,
			"referrer": f"https://{MARKUP}/{MARKUP}",
			"screen": MARKUP,
			"viewport": MARKUP,
		}
		values = dict.fromkeys(("first_name", "last_name", "email"), MARKUP)
		events = (
			event("p", url=url, **texts),
			event("c", type="CUSTOM", name=MARKUP, properties={MARKUP: [MARKUP]}, url=url),
			event("v", type="CONVERSION", name=MARKUP, value=5, currency="EUR", url=url),
			event(
				"f",
				type="FORM_SUBMIT",
				properties={"form_id": MARKUP, "fields": [MARKUP], "values": values},
				url=url,
			),
			event(
				"i", type="IDENTIFY", properties={"email": f"{MARKUP}@example.com", "name": MARKUP}, url=url
			),
			event(MARKUP, url=url),
		)
		headers = {**headers, "Content-Type": "text/plain", "Origin": f"https://{SHOP}"}
		path = "/api/method/trackflow.api.tracking.track_event"
		answer = self.request("POST", path, data=batch(key, *events), headers=headers, **options)
		self.assertEqual((answer.status_code, answer.json["accepted"]), (202, 6), answer.text)

	def alive(self) -> set[tuple[str, str]]:
		return {
			(doctype, field)
			for doctype, field, text in tables()
			if BEGINS_TAG.search(text) and "onerror" in text
		}

	def test_in_no_table(self) -> None:
		self.plant()
		drain()
		for doctype in ("Visitor Event", "Visitor Session", "Click Event", "Conversion", "Touch Point"):
			self.assertGreater(frappe.db.count(doctype), 0, doctype)
		planted = {doctype for doctype, _field, text in tables() if "onerror" in text}
		self.assertLessEqual(
			{"Visitor", "Visitor Event", "Visitor Session", "Conversion", "Touch Point"}, planted
		)
		self.assertEqual(self.alive(), set())

	def test_not_in_the_click_queue_either(self) -> None:
		self.plant()
		with patch.object(store, "_store_batch", side_effect=ValueError(MARKUP)):
			drain()
		self.assertGreater(frappe.db.count("Click Queue"), 0)
		self.assertEqual(self.alive(), set())

	def test_what_is_kept_comes_back_as_it_was(self) -> None:
		self.plant()
		drain()
		row = frappe.get_doc("Visitor Event", {"event_type": "CUSTOM"})
		self.assertEqual(frappe.parse_json(row.event_data), {MARKUP: [MARKUP]})
		self.assertEqual(row.event_name, inert(MARKUP))

	def test_pages_of_ours(self) -> None:
		make_link("locked", password="sesame")
		requests: tuple[tuple[str, dict[str, Any]], ...] = (
			(f"/r/{QUOTED}", {}),
			(f"/r/nothing?{QUOTED}={QUOTED}", {"headers": {"Referer": MARKUP, "Accept-Language": MARKUP}}),
			(f"/r/locked?{QUOTED}={MARKUP}", {"cookies": {"trackflow_visitor": QUOTED}}),
		)
		for path, options in requests:
			answer = self.get(path, **options)
			self.assertNotRegex(answer.text, r"<img")
			self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
		answer = self.request("POST", f"/r/locked?{QUOTED}={QUOTED}", data={"password": MARKUP})
		self.assertNotRegex(answer.text, r"<img")

	def test_answers_are_no_pages(self) -> None:
		"""What repeats a visitor's text says that it is JSON, and browsers may not guess otherwise."""
		self.plant()
		answer = self.request(
			"POST", "/api/method/trackflow.api.tracking.track_event", data=MARKUP, headers={"Content-Type": "text/plain"}
		)  # fmt: skip
		self.assertEqual(
			(answer.mimetype, answer.headers["X-Content-Type-Options"]), ("application/json", "nosniff")
		)
