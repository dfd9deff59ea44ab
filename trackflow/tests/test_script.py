"""The website script as the site serves it, the image, and the site's own pages: COL-5, and SEC-2 for what they show."""

import json
import re
import shutil
import subprocess
import unittest
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import frappe
from werkzeug.test import TestResponse

from trackflow.config import forget_config
from trackflow.stream.drain import drain
from trackflow.tests.base import GOOGLEBOT, TrackFlowTestCase
from trackflow.tests.factories import SHOP, make_domain, set_settings
from trackflow.tests.tags import Tags
from trackflow.tests.test_answer import CONFIG, DOMAIN
from trackflow.tests.users import make_user, remove_user
from trackflow.tracking import script
from trackflow.tracking.script_options import CAPTURES, OptionError, attributes, checked, dataset_name, usable

METHOD = "/api/method/trackflow.api.tracking."
HOSTILE = "\"><script>alert(1)</script>&\u2028'"


def defaults_of(text: str) -> dict[str, str]:
	"""What a served script sets where the page's tag says nothing."""
	found = re.match(r"try\{.*?\(document\.currentScript\.dataset,(\{.*?\})\)\}catch", text)
	return json.loads(found[1])


class TestOptions(unittest.TestCase):
	"""COL-5: a domain's script options are a small documented set."""

	def test_each(self) -> None:
		for options, expected in (
			({}, {}),
			({"endpoint": "/collect"}, {"endpoint": "/collect"}),
			({"endpoint": "https://e.example.com/collect"}, {"endpoint": "https://e.example.com/collect"}),
			({"batch-size": 20, "interval": 500}, {"batch-size": "20", "interval": "500"}),
			({"off": ["scroll", "outbound"]}, {"off": "scroll outbound"}),
			({"off": "scroll"}, {"off": "scroll"}),
			({"off": list(CAPTURES)}, {"off": " ".join(CAPTURES)}),
			({"forms": "all"}, {"forms": 'form[method=post i]:not([action*="//"])'}),
			({"fields": {"plan": "pro", "seats": 3}}, {"fields": '{"plan": "pro", "seats": 3}'}),
		):
			self.assertEqual(checked(options), expected)

	def test_what_cannot_be(self) -> None:
		for options in (
			{"scroll": False}, {"key": "pk"}, {"consent": "none"}, {"form-values": "1"}, {"batchSize": 20},
			{"endpoint": "//evil.example"}, {"endpoint": "javascript:alert(1)"}, {"endpoint": "collect"}, {"endpoint": 5},
			{"batch-size": 0}, {"batch-size": 101}, {"batch-size": "20"}, {"batch-size": True}, {"interval": 1.5},
			{"off": {"scroll": 1}}, {"off": ["<b>"]}, {"off": ["scrol"]}, {"off": "outbound scroll-depth"}, {"off": [{}]},
			{"off": [["scroll"]]},
			{"off": "scroll scroll"}, {"off": ["scroll", "scroll"]}, {"endpoint": "/a\ud800"}, {"endpoint": "https://a\ud800"},
			{"fields": {"a": float("nan")}}, {"fields": {"a": float("inf")}}, {"fields": {"a": -float("inf")}},
			{"fields": {"a": "\ud800"}}, {"fields": {"\ud800": "a"}}, {"fields": {"a": None}}, {"fields": {"": "a"}},
			{"forms": "some"}, {"forms": "marked"}, {"fields": []}, {"fields": {"a": {}}},
			{"fields": {"a": "x" * 141}}, {"fields": {str(number): 1 for number in range(21)}},
		):  # fmt: skip
			with self.subTest(options), self.assertRaises(OptionError):
				checked(options)

	def test_one_that_cannot_be_does_not_spoil_stored_others(self) -> None:
		self.assertEqual(usable({"scroll": False, "interval": 9}), {"interval": "9"})
		for off in (
			["outbound", "video", "scroll", 5, {}],
			"outbound video scroll",
			"scroll outbound scroll",
		):
			self.assertEqual(usable({"off": off}), {"off": "outbound scroll"})
		self.assertEqual(usable({"off": {"scroll": 1}, "fields": {"a": float("nan")}}), {})

	def test_names_in_scripts(self) -> None:
		self.assertEqual([dataset_name(name) for name in ("off", "batch-size")], ["off", "batchSize"])

	def test_privacy_is_no_option(self) -> None:
		"""RED-5, COL-7: consent follows from settings and domain; form values are no business of the script."""
		for settings, domain, expected in (
			({"consent_required": True}, {"consent_required": True}, {"consent": "required"}),
			(
				{"consent_required": True},
				{"consent_required": True, "consent_default": "Opt-out"},
				{"consent": "none"},
			),
			({"consent_required": False}, {"consent_required": True}, {"consent": "none"}),
			({"consent_required": True}, {"consent_required": False}, {"consent": "none"}),
			({"collect_form_values": True}, {"privacy_level": "GDPR"}, {"consent": "none"}),
		):
			told = attributes(replace(DOMAIN, **domain), replace(CONFIG, **settings))
			self.assertEqual(told, {"key": "pk", **expected})


class TestText(unittest.TestCase):
	"""COL-5: the built script, with the site's configuration before it."""

	def test_it_is_the_built_script_with_defaults(self) -> None:
		domain = replace(DOMAIN, script_options=(("batch-size", "20"),))
		text = script.script_of(domain, CONFIG, "https://edge.example", "/collect")
		self.assertTrue(text.endswith(script.text_of(script.SCRIPT)))
		self.assertEqual(
			defaults_of(text),
			{"endpoint": "https://edge.example/collect", "key": "pk", "consent": "none", "batchSize": "20"},
		)
		self.assertEqual(defaults_of(script.script_of(DOMAIN, CONFIG))["endpoint"], script.COLLECTOR)

	def test_a_domains_own_endpoint_goes_first(self) -> None:
		domain = replace(DOMAIN, script_options=(("endpoint", "/e"),))
		self.assertEqual(defaults_of(script.script_of(domain, CONFIG, "https://a.example"))["endpoint"], "/e")

	def test_hostile_options_stay_texts(self) -> None:
		"""SEC-2"""
		domain = replace(DOMAIN, script_options=(("fields", json.dumps({"a": HOSTILE})),))
		text = script.script_of(domain, CONFIG).removesuffix(script.text_of(script.SCRIPT))
		self.assertNotIn("<", text)
		self.assertEqual(json.loads(defaults_of(text)["fields"]), {"a": HOSTILE})

	@unittest.skipUnless(shutil.which("node"), "Node is not on PATH")
	def test_what_the_page_says_goes_first(self) -> None:
		"""Run by a JavaScript engine: with a tag, and without one (where nothing may be thrown)."""
		domain = replace(DOMAIN, script_options=(("interval", "9"),))
		prelude = script.script_of(domain, CONFIG).removesuffix(script.text_of(script.SCRIPT))
		page = "const document={currentScript:{dataset:{interval:'1'}}};"
		for before, expected in (
			(page, {"interval": "1", "key": "pk", "consent": "none", "endpoint": script.COLLECTOR}),
			("const document={currentScript:null};", None),
		):
			after = "console.log(JSON.stringify(document.currentScript&&document.currentScript.dataset))"
			ran = subprocess.run(
				["node", "-e", f"{before}{prelude}{after}"], capture_output=True, check=True, timeout=60
			)
			self.assertEqual(json.loads(ran.stdout), expected)

	def test_the_static_file_has_its_hash_in_its_address(self) -> None:
		address = script.address_of(script.SCRIPT)
		self.assertRegex(address, r"^/assets/trackflow/js/trackflow\.js\?v=[0-9a-f]{16}$")
		with patch.object(script, "text_of", lambda name: "other"):
			self.assertNotEqual(script.address_of(script.SCRIPT), address)


class TestServed(TrackFlowTestCase):
	"""COL-5: JavaScript with the right type, cache headers, and an ETag."""

	def fetch(self, query: str = "", **options: Any) -> TestResponse:
		return self.get(f"{METHOD}get_tracking_script{query}", **options)

	def test_by_key(self) -> None:
		key = make_domain(SHOP, tracking_settings='{"off": ["scroll"]}').public_key
		answer = self.fetch(f"?key={key}")
		self.assertEqual((answer.status_code, answer.mimetype), (200, "text/javascript"))
		self.assertIn("max-age", answer.headers["Cache-Control"])
		self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
		self.assertNotIn("Set-Cookie", answer.headers)
		told = defaults_of(answer.text)
		self.assertEqual((told["key"], told["off"]), (key, "scroll"))
		self.assertEqual(told["endpoint"], f"http://{frappe.local.site}{script.COLLECTOR}")

	def test_not_sent_again(self) -> None:
		key = make_domain(SHOP).public_key
		etag = self.fetch(f"?key={key}").headers["ETag"]
		again = self.fetch(f"?key={key}", headers={"If-None-Match": etag})
		self.assertEqual((again.status_code, again.data), (304, b""))
		frappe.get_doc("Domain Configuration", SHOP).update({"consent_required": 1}).save()
		self.assertEqual(self.fetch(f"?key={key}", headers={"If-None-Match": etag}).status_code, 200)

	def test_by_the_page_and_by_the_host(self) -> None:
		shop, site = make_domain(SHOP).public_key, make_domain(frappe.local.site).public_key
		by_page = self.fetch(headers={"Referer": f"https://www.{SHOP}/a"})
		self.assertEqual((defaults_of(by_page.text)["key"], by_page.headers["Vary"]), (shop, "Referer"))
		self.assertEqual(defaults_of(self.fetch().text)["key"], site)

	def test_nobody_learns_anything_else(self) -> None:
		off = make_domain("off.example.com", enabled=0).public_key
		for query in ("", "?key=pk_nobody", f"?key={off}", "?key=%00", "?key=<script>"):
			answer = self.fetch(query)
			self.assertEqual(
				(answer.status_code, answer.text, answer.mimetype), (404, script.MISSING, "text/javascript")
			)
			# What is configured now works at once.
			self.assertEqual(answer.headers["Cache-Control"], "no-store")

	def test_tracking_switched_off(self) -> None:
		key = make_domain(SHOP).public_key
		set_settings(enable_tracking=0)
		answer = self.fetch(f"?key={key}")
		self.assertEqual((answer.status_code, answer.text), (200, script.SWITCHED_OFF))
		self.assertEqual(answer.headers["Cache-Control"], "no-store")

	def test_only_get(self) -> None:
		self.assertEqual(self.request("POST", f"{METHOD}get_tracking_script").status_code, 403)

	def test_options_are_checked_when_they_are_saved(self) -> None:
		for stored, told in (
			('{"scroll": false}', "scroll is no option"),
			('{"off": ["downlaods"]}', "off does not know downlaods. Known are pages, outbound"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, told):
				make_domain(SHOP, tracking_settings=stored)

	def test_options_of_an_older_app_do_not_stop_the_site(self) -> None:
		make_domain(SHOP)
		frappe.db.set_value("Domain Configuration", SHOP, "tracking_settings", '{"scroll": false}')
		frappe.db.commit()
		self.assertEqual(self.get("/r/nothing").status_code, 404)


class TestImage(TrackFlowTestCase):
	"""COL-5, COL-2: a page view by an image, judged by its Referer."""

	def setUp(self) -> None:
		super().setUp()
		self.key = make_domain(SHOP).public_key

	def fetch(
		self, status: int = 200, page: str | None = f"https://{SHOP}/a?utm_source=x", **options: Any
	) -> None:
		query = {"key": self.key, **options.pop("query", {})}
		headers = {"Referer": page} if page else {}
		answer = self.get(f"{METHOD}pixel", query_string=query, headers=headers, **options)
		self.assertEqual((answer.status_code, answer.mimetype), (status, "image/gif"))
		self.assertEqual(answer.data[:6], b"GIF89a")
		self.assertEqual(answer.headers["Cache-Control"], "no-store")
		self.assertNotIn("Set-Cookie", answer.headers)
		drain()

	def rows(self) -> list[dict[str, Any]]:
		return frappe.get_all("Visitor Event", fields=["*"], order_by="timestamp, name")

	def test_a_page_view(self) -> None:
		self.fetch()
		self.fetch()
		self.assertEqual([row.event_type for row in self.rows()], ["PAGE_VIEW"] * 2)
		row = self.rows()[0]
		self.assertEqual((row.page_url, row.utm_source), (f"https://{SHOP}/a?utm_source=x", "x"))

	def test_what_the_page_says_of_itself(self) -> None:
		url = f"https://{SHOP}/a?b=1&utm_source=a%26b"
		self.fetch(
			page=f"https://{SHOP}/",
			query={"url": url, "title": "A & B < C", "referrer": "https://x.example/"},
		)
		(row,) = self.rows()
		self.assertEqual(
			(row.page_url, row.page_title, row.referrer), (url, "A & B < C", "https://x.example/")
		)

	def test_other_websites(self) -> None:
		self.fetch(403, page="https://evil.example.org/")
		self.fetch(403, page=None)
		self.fetch(400, query={"url": "https://evil.example.org/"})
		self.fetch(401, query={"key": "pk_nobody"})
		self.assertEqual(self.rows(), [])

	def test_robots_are_marked(self) -> None:
		self.fetch(agent=GOOGLEBOT)
		self.assertEqual([(row.is_bot, row.counted) for row in self.rows()], [(1, 0)])

	def test_tracking_switched_off(self) -> None:
		set_settings(enable_tracking=0)
		self.fetch(403)


class TestOwnPages(TrackFlowTestCase):
	"""COL-5: a setting puts the tag into the site's own web pages."""

	def setUp(self) -> None:
		super().setUp()
		self.key = make_domain(frappe.local.site).public_key
		set_settings(track_own_pages=1)

	def tags(self, path: str = "/404-is-a-page-too", **options: Any) -> list[dict[str, str | None]]:
		return Tags(self.get(path, **options).text).found

	def test_a_guests_page(self) -> None:
		path = "/index"
		(tag,) = self.tags(path)
		self.assertEqual((tag["data-key"], tag["data-consent"]), (self.key, "none"))
		self.assertEqual(tag["src"], script.address_of(script.SCRIPT))
		self.assertEqual(self.tags(path), [tag], "the page that is kept has it once")
		set_settings(track_own_pages=0)
		self.assertEqual(self.tags(path), [])

	def test_the_banner_with_the_settings_texts(self) -> None:
		"""EVT-5, SEC-2"""
		domain = frappe.get_doc("Domain Configuration", frappe.local.site)
		domain.update({"consent_required": 1}).save()
		set_settings(privacy_policy_link="/privacy", consent_policy_version="7")
		# Past the form's own cleaning.
		frappe.db.set_single_value("TrackFlow Settings", "cookie_consent_text", HOSTILE)
		forget_config()
		with (
			patch.object(script, "is_built", lambda name: True),
			patch.object(script, "text_of", lambda name: ""),
		):
			tag, banner = self.tags("/index")
		self.assertEqual(tag["data-consent"], "required")
		self.assertEqual(banner["data-text"], HOSTILE)
		self.assertEqual((banner["data-privacy-url"], banner["data-policy-version"]), ("/privacy", "7"))
		self.assertNotIn("data-cookie-url", banner)

	def test_nothing_else(self) -> None:
		for path in ("/login", "/update-password?key=x", "/r/nothing", "/api/method/ping"):
			self.assertEqual(self.tags(path), [], path)
		self.assertEqual(self.tags("/index", host="other.example.com"), [])
		set_settings(enable_tracking=0)
		self.assertEqual(self.tags("/index"), [])

	def test_nobody_who_is_logged_in(self) -> None:

		make_user("website@example.com")
		self.addCleanup(remove_user, "website@example.com")
		frappe.utils.password.update_password("website@example.com", "Pass-word-1")
		login = {"usr": "website@example.com", "pwd": "Pass-word-1"}
		answer = self.request("POST", "/api/method/login", data=login)
		sid = answer.headers.get_all("Set-Cookie")
		sid = next(re.match("sid=([^;]+)", one)[1] for one in sid if one.startswith("sid="))
		self.assertEqual(len(self.tags("/index")), 1)
		self.assertEqual(self.tags("/index", cookies={"sid": sid}), [])

	def test_a_page_survives_what_goes_wrong(self) -> None:
		with patch("trackflow.tracking.own_pages.get_config", side_effect=RuntimeError):
			answer = self.get("/index")
		self.assertEqual(answer.status_code, 200)
