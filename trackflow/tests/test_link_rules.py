"""Rules and deep links of a link, from the form to the redirect (RED-3, COL-8, SEC-3)."""

from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlsplit

import frappe
from frappe.utils import add_to_date, get_url, now_datetime

from trackflow.incoming import CONSENT_COOKIE
from trackflow.redirect.decision import Link
from trackflow.stream.drain import drain
from trackflow.tests.base import CHROME, GOOGLEBOT, IPHONE, TrackFlowTestCase, counted_statements
from trackflow.tests.factories import SHOP, make_campaign, make_domain, make_link, set_settings
from trackflow.tracking import agents

ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"

# Deep links that no parser of web addresses reads, and how they are sent.
APP_ADDRESSES = {
	"spotify://track:6rqh": "spotify://track:6rqh",
	"shop://[x": "shop://[x",
	"myapp://[::1/x": "myapp://[::1/x",
	"shop://a:b/c": "shop://a:b/c",
	"Shop://Product|7?a=b&c": "Shop://Product|7?a=b&c",
	"shop://é/ß?ä": "shop://%C3%A9/%C3%9F?%C3%A4",
}


def rule(kind: str, value: str | None = None, to: str = "there", **more: Any) -> dict[str, Any]:
	return {
		"condition_type": kind,
		"condition_value": value,
		"destination_url": f"https://{SHOP}/{to}",
		**more,
	}


class RuleTestCase(TrackFlowTestCase):
	def path_of(self, path: str = "/r/spring", **options: Any) -> str:
		answer = self.get(path, **options)
		self.assertEqual(answer.status_code, 302)
		return urlsplit(answer.headers["Location"]).path


class TestRules(RuleTestCase):
	"""RED-3: the first rule that fits decides; who fits none goes to the destination."""

	def test_devices_and_systems(self) -> None:
		make_link(
			"spring",
			rules=[
				rule("Device", "tablet", "t"),
				rule("OS", "Android, ios", "phone"),
				rule("Device", "Desktop", "d"),
			],
		)
		for agent, path in ((IPAD, "/t"), (IPHONE, "/phone"), (ANDROID, "/phone"), (CHROME, "/d")):
			self.assertEqual(self.path_of(agent=agent), path)

	def test_languages(self) -> None:
		make_link("spring", rules=[rule("Language", "de-CH", "ch"), rule("Language", "DE, fr", "d")])
		for header, path in (
			("de-CH", "/ch"),
			("de-AT,en;q=0.5", "/d"),
			("en;q=0.4,fr;q=0.9", "/d"),
			("en,de;q=0.9", "/products"),
			("", "/products"),
		):
			self.assertEqual(self.path_of(headers={"Accept-Language": header}), path, header)

	def test_parameters(self) -> None:
		make_link("spring", rules=[rule("Query", "Red, dark blue", "color", query_parameter="Color")])
		for query, path in (
			("color=red", "/color"),
			("Color=Dark%20Blue&x=1", "/color"),
			("color=green", "/products"),
		):
			self.assertEqual(self.path_of(f"/r/spring?{query}"), path)

	def test_dates(self) -> None:
		now = now_datetime()
		make_link(
			"spring",
			rules=[
				rule("Date", to="past", to_date=add_to_date(now, hours=-1)),
				rule(
					"Date", to="now", from_date=add_to_date(now, hours=-1), to_date=add_to_date(now, hours=1)
				),
			],
		)
		self.assertEqual(self.path_of(), "/now")

	def test_countries_as_a_trusted_proxy_says(self) -> None:
		make_link("spring", rules=[rule("Country", "AT, de", "dach")])
		for header in ("CF-IPCountry", "CloudFront-Viewer-Country", "X-Country-Code"):
			self.assertEqual(self.path_of(headers={header: "AT"}, address="127.0.0.1"), "/dach")
			self.assertEqual(self.path_of(headers={header: "AT"}), "/products", "anybody can say so")
		for value in ("US", "XX", "T1", "", "Austria", "AT, DE"):
			self.assertEqual(
				self.path_of(headers={"CF-IPCountry": value}, address="127.0.0.1"), "/products", value
			)
		set_settings(trusted_proxies="203.0.113.0/24")
		self.assertEqual(self.path_of(headers={"CF-IPCountry": "de"}), "/dach")

	def test_the_links_parameters_come_with_it(self) -> None:
		make_campaign("Spring Sale")
		make_link(
			"spring",
			campaign="Spring Sale",
			rules=[rule("Device", "Desktop", "there?utm_source=own#x")],
			forward_query=1,
		)
		answer = self.get("/r/spring?size=L&tracking_id=x")
		self.assertEqual(
			answer.headers["Location"],
			f"https://{SHOP}/there?utm_source=own&utm_medium=email&utm_campaign=spring-sale&size=L#x",
		)

	def test_they_count_and_go_before_variants(self) -> None:
		variants = [{"variant_name": "A", "destination_url": f"https://{SHOP}/a"}]
		link = make_link("spring", rules=[rule("OS", "iOS")], variants=variants)
		self.assertEqual((self.path_of(agent=IPHONE), self.path_of()), ("/there", "/a"))
		drain()
		link.reload()
		self.assertEqual((link.click_count, link.variants[0].clicks), (2, 1))
		by_rule = frappe.get_all("Click Event", {"variant": ("is", "not set")}, pluck="destination_url")
		self.assertEqual([urlsplit(url).path for url in by_rule], ["/there"])

	def test_robots_get_the_plain_destination(self) -> None:
		make_link(
			"spring",
			rules=[rule("Device", "Desktop, Mobile, Tablet"), rule("Language", "en")],
			ios_url="shop://x",
		)
		self.assertEqual(self.path_of(agent=GOOGLEBOT, headers={"Accept-Language": "en"}), "/products")

	def test_a_saved_rule_holds_at_once(self) -> None:
		link = make_link("spring", rules=[rule("Device", "Desktop")])
		self.assertEqual(self.path_of(), "/there")
		link.rules[0].condition_value = "Mobile"
		link.save()
		self.assertEqual(self.path_of(), "/products")

	def test_agents_are_described_only_where_a_link_asks(self) -> None:
		make_link("spring", rules=[rule("Language", "de")])
		with patch.object(agents, "describe", side_effect=AssertionError("described")):
			self.path_of()
		self.assertEqual(Link("l", "c", "Active", "x").looks_at, frozenset())

	def test_statements(self) -> None:
		"""RED-7: a cold link is read once, a cached one not at all."""
		make_domain(SHOP)
		make_link(
			"spring", rules=[rule("Device", "Mobile"), rule("Country", "AT")], password="x", max_clicks=5, ios_url="shop://x",
			variants=[{"variant_name": "A", "destination_url": f"https://{SHOP}/a"}],
		)  # fmt: skip
		self.get("/r/unknown")
		# Its name, its row, its three tables, its password; then the counter's beginning reads the row again.
		self.assertLessEqual(len(self.asked()), 7)
		self.assertEqual(self.asked(), [])

	def asked(self) -> list[str]:
		"""The statements that a visit to the link takes."""
		with counted_statements() as statements:
			self.assertEqual(self.get("/r/spring").status_code, 200)
		ends = ("rollback", "commit", "start transaction")
		return [one for one in statements if one.strip().lower() not in ends]


class TestDeepLinks(RuleTestCase):
	"""RED-3: phones go to the app, after rules and before variants."""

	def test_by_system(self) -> None:
		make_link("spring", ios_url="shop://product/7?a=b", android_url=f"https://{SHOP}/android")
		for agent in (IPHONE, IPAD):
			self.assertEqual(self.get("/r/spring", agent=agent).headers["Location"], "shop://product/7?a=b")
		android = self.get("/r/spring", agent=ANDROID).headers["Location"]
		self.assertEqual(android, f"https://{SHOP}/android?utm_source=newsletter&utm_medium=email")
		self.assertEqual(self.path_of(), "/products")

	def test_an_app_gets_no_click_id(self) -> None:
		make_domain(SHOP)
		make_link("spring", ios_url=f"shop://{SHOP}/7", android_url=f"https://{SHOP}/android")
		self.assertEqual(self.get("/r/spring", agent=IPHONE).headers["Location"], f"shop://{SHOP}/7")
		self.assertIn("tfclid=", self.get("/r/spring", agent=ANDROID).headers["Location"])

	def test_an_app_is_asked_for_exactly_what_was_entered(self) -> None:
		"""Werkzeug would look for host and port in them, and fail."""
		for address, sent in APP_ADDRESSES.items():
			link = make_link("spring", ios_url=address, forward_query=1)
			answer = self.get("/r/spring?x=1", agent=IPHONE)
			self.assertEqual((answer.status_code, answer.headers["Location"]), (302, sent))
			method = self.get(
				"/api/method/trackflow.www.redirect.handle_redirect?tracking_id=spring", agent=IPHONE
			)
			self.assertEqual((method.status_code, method.headers["Location"]), (302, sent))
			link.delete()

	def test_a_fallback_is_a_destination(self) -> None:
		for address in ("https://%s/r/x", "javascript:alert(1)", ""):
			fallback = quote(address % urlsplit(get_url()).netloc if "%s" in address else address, safe="")
			intent = f"intent://x#Intent;scheme=shop;S.browser_fallback_url={fallback};end"
			with self.subTest(intent), self.assertRaises(frappe.ValidationError):
				make_link(android_url=intent)
		with self.assertRaisesRegex(frappe.ValidationError, "circles"):
			make_link(android_url=f"intent://{urlsplit(get_url()).netloc}/r/x#Intent;scheme=http;end")
		make_link(android_url="intent://a.example/r/x#Intent;scheme=https;end")
		make_link(
			android_url="intent://x#Intent;scheme=shop;S.browser_fallback_url=https%3A%2F%2Fa.example;end"
		)

	def test_they_count(self) -> None:
		link = make_link("spring", ios_url="shop://x")
		answer = self.get("/r/spring", agent=IPHONE, cookies={CONSENT_COOKIE: "granted"})
		self.assertIn("trackflow_visitor", answer.headers["Set-Cookie"])
		drain()
		link.reload()
		self.assertEqual(link.click_count, 1)

	def test_what_came_in_behind_the_form_is_not_opened(self) -> None:
		link = make_link("spring")
		frappe.db.set_value("Tracked Link", link.name, "ios_url", "javascript:alert(1)")
		self.assertEqual(self.path_of(agent=IPHONE), "/products")


class TestForm(TrackFlowTestCase):
	"""RED-3: what could fit nobody is refused with the words that do; the fields can be seen."""

	def test_words(self) -> None:
		for kind, value, said in (
			("Device", "Phone", "Desktop, Mobile, Tablet"),
			("OS", "iOS, Symbian", "Symbian.*macOS"),
			("Country", "Austria", "two letters"),
			("Language", "german language", "such as de"),
			("Device", " , ", "say what"),
			("Query", "", "say what"),
		):
			with self.subTest(kind), self.assertRaisesRegex(frappe.ValidationError, f"Rule 1.*{said}"):
				make_link(rules=[rule(kind, value, query_parameter="x")])

	def test_words_are_tidied(self) -> None:
		link = make_link(
			rules=[rule("Device", "mobile ,Tablet,,"), rule("Query", "a", query_parameter=" x ")]
		)
		self.assertEqual(link.rules[0].condition_value, "mobile, Tablet")
		self.assertEqual(link.rules[1].query_parameter, "x")

	def test_destinations(self) -> None:
		for address in (
			"javascript:alert(1)",
			"shop://x",
			"//evil.example",
			get_url("/r/x"),
			"",
		):
			with self.subTest(address), self.assertRaises(frappe.ValidationError):
				make_link(rules=[{**rule("Device", "Mobile"), "destination_url": address}])

	def test_all_can_be_seen(self) -> None:
		meta = frappe.get_meta("Tracked Link")
		for field in ("password", "rules", "ios_url", "android_url", "max_clicks", "variants"):
			self.assertFalse(meta.get_field(field).hidden, field)
