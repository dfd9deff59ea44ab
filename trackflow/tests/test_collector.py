"""The collector over HTTP: COL-1, COL-2, COL-6, COL-7, and what becomes of what it takes."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import frappe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackflow.stream import connection
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.tests.base import GOOGLEBOT, TrackFlowTestCase, counted_statements
from trackflow.tests.factories import SHOP, batch, event, make_domain, make_link, set_settings
from trackflow.tracking import events

PATH = "/api/method/trackflow.api.tracking.track_event"
ORIGIN = f"https://{SHOP}"


class CollectorTestCase(TrackFlowTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.key = make_domain(SHOP).public_key

	def send(
		self, body: bytes, status: int = 202, origin: str | None = ORIGIN, **options: Any
	) -> dict[str, Any]:
		headers = {
			"Content-Type": "text/plain",
			**({"Origin": origin} if origin else {}),
			**options.pop("headers", {}),
		}
		answer = self.request("POST", PATH, data=body, headers=headers, **options)
		self.assertEqual(answer.status_code, status, answer.get_data(as_text=True))
		self.assertEqual(answer.mimetype, "application/json")
		self.answer = answer
		return json.loads(answer.get_data())

	def track(self, *events: dict[str, Any], **options: Any) -> dict[str, Any]:
		verdict = self.send(batch(self.key, *events), **options)
		drain()
		return verdict


class TestVerdict(CollectorTestCase):
	"""COL-1: 202 with counts, or a clear 4xx; never a 500, never an Error Log."""

	def test_one_event(self) -> None:
		body = json.dumps({"publicKey": self.key, **event("e1")}).encode()
		self.assertEqual(self.send(body), {"accepted": 1, "duplicate": 0, "rejected": []})

	def test_a_batch_with_something_of_everything(self) -> None:
		self.track(event("e1"))
		verdict = self.track(event("e1"), event("e2"), event("e3", type="NONSENSE"), event("e4", url=7))
		self.assertEqual((verdict["accepted"], verdict["duplicate"]), (1, 1))
		self.assertEqual([one["index"] for one in verdict["rejected"]], [2, 3])
		self.assertIn("type", verdict["rejected"][0]["reason"])
		self.assertEqual(frappe.db.count("Visitor Event"), 2)

	def test_the_same_event_twice_in_one_batch(self) -> None:
		verdict = self.track(event("e1"), event("e1"))
		self.assertEqual((verdict["accepted"], verdict["duplicate"]), (1, 1))
		self.assertEqual(frappe.db.count("Visitor Event"), 1)

	def test_an_id_is_remembered_for_a_day_at_least(self) -> None:
		"""What came today or yesterday (UTC) is told; the database has the last word on what is older."""
		redis, day = queue_redis(), int(time.time() // 86_400)
		ids = [event(f"e{number}") for number in range(100)]
		self.assertEqual(self.send(batch(self.key, *ids))["accepted"], 100)
		for _of_day in range(2):
			self.assertEqual(self.send(batch(self.key, *ids))["duplicate"], 100)
			for name in self.seen_of(day):
				self.assertTrue(0 < redis.ttl(name) <= 48 * 60 * 60)
				redis.rename(name, name.replace(b"seen:%d" % day, b"seen:%d" % (day - 1)))
		for name in self.seen_of(day - 1):
			redis.rename(name, name.replace(b"seen:%d" % (day - 1), b"seen:%d" % (day - 2)))
		self.assertEqual(self.send(batch(self.key, *ids))["accepted"], 100)
		drain()
		self.assertEqual(frappe.db.count("Visitor Event"), 100)

	def seen_of(self, day: int) -> list[bytes]:
		pattern = connection.key(f"seen:{day}*").replace("{", "[{]").replace("}", "[}]")
		return list(queue_redis().scan_iter(pattern))

	def test_two_sites_may_have_events_of_one_id(self) -> None:
		other = make_domain("other.example.com").public_key
		self.track(event("e1"))
		self.send(
			batch(other, event("e1", url="https://other.example.com/")), origin="https://other.example.com"
		)
		drain()
		self.assertEqual(frappe.db.count("Visitor Event"), 2)

	def test_what_is_refused(self) -> None:
		errors = frappe.db.count("Error Log")
		cases = [
			(b"no json", 400, "not_json"),
			(b"[]", 400, "not_an_object"),
			(batch(self.key), 400, "number_of_events"),
			(batch(self.key, *[event(str(number)) for number in range(101)]), 400, "number_of_events"),
			(batch("pk_nobody", event("e1")), 401, "unknown_key"),
			(b"{" + b" " * 300_000, 413, "too_large"),
		]
		for body, status, code in cases:
			self.assertEqual(self.send(body, status)["error"], code)
		verdict = self.send(batch(self.key, event("e1", type=5)), 400)
		self.assertEqual((verdict["accepted"], len(verdict["rejected"])), (0, 1))
		drain()
		self.assertEqual((frappe.db.count("Visitor Event"), frappe.db.count("Error Log")), (0, errors))

	def test_what_no_database_keeps_is_cleaned_or_refused(self) -> None:
		"""SEC-4: a half character or a NUL in names or values, and what is nested deeper than MariaDB reads."""
		nested: dict[str, Any] = {}
		for _level in range(900):
			nested = {"a": nested}
		half = {"a\ud800": "b\ud800", "c": ["\x00d", {"e": "\udfff"}]}
		verdict = self.track(
			event("e1", properties=half),
			event("e2", type="FORM_SUBMIT", properties={"form_id": "\ud800", "fields": ["\ud800"]}),
			event("e3", properties=nested),
			event("e4", properties={"a": [[[["deep enough"]]]]}),
		)
		self.assertEqual((verdict["accepted"], [one["index"] for one in verdict["rejected"]]), (3, [2]))
		self.assertIn("nested", verdict["rejected"][0]["reason"])
		self.assertEqual(frappe.db.count("Click Queue"), 0)
		kept = frappe.db.get_value("Visitor Event", {"event_id": "e1"}, "event_data")
		self.assertEqual(json.loads(kept), {"a?": "b?", "c": ["d", {"e": "?"}]})
		self.assertEqual(frappe.db.count("Visitor Event"), 3)

	def test_a_disabled_key(self) -> None:
		domain = make_domain("off.example.com", enabled=0)
		self.assertEqual(self.send(batch(domain.public_key, event("e1")), 401)["error"], "unknown_key")

	def test_tracking_switched_off(self) -> None:
		set_settings(enable_tracking=0)
		self.assertEqual(self.send(batch(self.key, event("e1")), 403)["error"], "tracking_off")

	def test_only_post(self) -> None:
		self.assertEqual(self.get(PATH).status_code, 403)

	def test_no_query_once_the_settings_are_cached(self) -> None:
		self.send(batch(self.key, event("e1")))
		with counted_statements() as statements:
			self.send(batch(self.key, event("e2")))
		tables = [one for one in statements if ("tab" in one and "TrackFlow" in one) or "tabDomain" in one]
		self.assertEqual(tables, [])

	@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
	@given(st.binary(max_size=300))
	def test_no_bytes_break_it(self, body: bytes) -> None:
		"""SEC-4"""
		answer = self.request(
			"POST", PATH, data=body, headers={"Content-Type": "text/plain", "Origin": ORIGIN}
		)
		self.assertIn(answer.status_code, (400, 401))


class TestOrigin(CollectorTestCase):
	"""COL-2: who may use a key."""

	def test_the_domain_and_its_subdomains(self) -> None:
		for origin in (ORIGIN, f"https://www.{SHOP}", f"http://{SHOP}:8080"):
			self.send(batch(self.key, event(origin)), origin=origin)
			self.assertEqual(self.answer.headers["Access-Control-Allow-Origin"], origin)

	def test_nobody_else(self) -> None:
		for origin in (
			"https://evil.example.org",
			f"https://{SHOP}.evil.example.org",
			f"https://evil{SHOP}",
			"null",
			None,
		):
			self.assertEqual(self.send(batch(self.key, event("e1")), 403, origin=origin)["error"], "origin")
			self.assertEqual(self.answer.headers["Access-Control-Allow-Origin"], "*")

	def test_a_page_without_an_origin_to_speak_of(self) -> None:
		"""A frame in a sandbox, a file: the browser says "null", and nothing else stands in for it."""
		for headers in ({}, {"Referer": f"{ORIGIN}/a"}):
			self.assertEqual(
				self.send(batch(self.key, event("e1")), 403, origin="null", headers=headers)["error"],
				"origin",
			)
		answer = self.request("OPTIONS", PATH, headers={"Origin": "null"})
		self.assertEqual((answer.status_code, answer.headers.get("Access-Control-Allow-Origin")), (403, None))
		drain()
		self.assertEqual(frappe.db.count("Visitor Event"), 0)

	def test_international_domains(self) -> None:
		"""Configured as people write them or as browsers do; browsers name them in punycode, servers as they like."""
		for typed, other, spelled in (
			("müller.example", "xn--mller-kva.example", "xn--mller-kva.example"),
			("xn--bcher-kva.example", "Bücher.example", "xn--bcher-kva.example"),
			("straße.example", "xn--strae-oqa.example", "xn--strae-oqa.example"),
		):
			domain = make_domain(typed)
			self.assertEqual(domain.name, spelled)
			for number, host in enumerate((typed, other, f"www.{spelled}")):
				page = event(f"{typed}{number}", url=f"https://{host}/a")
				self.send(batch(domain.public_key, page), origin=f"https://{spelled}")
			evil = event("e9", url="https://xn--mller-kva.example.evil.example/")
			self.send(batch(domain.public_key, evil), 400, origin=f"https://{spelled}")
			self.send(batch(domain.public_key, page), 403, origin="https://muller.example")
		narrowed = make_domain("a.example", allowed_origins="https://www.müller.example").public_key
		page = event("e1", url="https://www.müller.example/")
		self.send(batch(narrowed, page), origin="https://www.xn--mller-kva.example")

	def test_narrowed_to_a_list(self) -> None:
		key = make_domain("b.example.com", allowed_origins="https://www.b.example.com").public_key
		page = event("e1", url="https://www.b.example.com/")
		self.send(batch(key, page), origin="https://www.b.example.com")
		self.send(batch(key, page), 403, origin="https://b.example.com")

	def test_no_cookie_of_the_host_is_left_behind(self) -> None:
		"""COL-2, RED-5: whatever the browser sends along, and whatever the verdict."""
		cookies = {"sid": "Guest", "trackflow_visitor": "v_00000000000000bb"}
		for body, status in ((batch(self.key, event("e1")), 202), (b"no json", 400)):
			for sent in ({}, cookies):
				self.send(body, status, cookies=sent)
				self.assertEqual(self.answer.headers.getlist("Set-Cookie"), [])

	def test_cookies_of_this_host_are_for_its_own_pages(self) -> None:
		"""RED-5: what was answered here, and the id of here, hold for no other website's page."""
		site = frappe.local.site
		own = make_domain(site, consent_required=1)
		other = make_domain("c.example.com", consent_required=1)
		kept = {"trackflow_visitor": "v_00000000000000bb", "trackflow_consent": "granted"}
		for domain, is_known in ((own, True), (other, False)):
			page = f"https://{domain.name}"
			for headers in ({"Origin": page}, {"Referer": f"{page}/a"}):
				said = event(f"e{len(headers)}{''.join(headers)}", url=f"{page}/a", visitorId=None)
				self.send(batch(domain.public_key, said), origin=None, headers=headers, cookies=kept)
			drain()
			visitors = frappe.get_all("Visitor Event", filters={"domain": domain.name}, pluck="visitor")
			self.assertEqual((len(visitors), {kept["trackflow_visitor"]} == set(visitors)), (2, is_known))
		# Nor does a refusal of here hold there.
		refused = {"trackflow_consent": "denied"}
		said = event("e9", url="https://c.example.com/", visitorId="v_00000000000000cc", consent=None)
		for key, origin, is_known in (
			(self.key, ORIGIN, True), (own.public_key, f"https://{site}", False),
		):  # fmt: skip
			self.send(batch(key, {**said, "url": f"{origin}/"}), origin=origin, cookies=refused)
			drain()
			found = frappe.get_all("Visitor Event", filters={"event_id": "e9"}, pluck="visitor")
			self.assertEqual("v_00000000000000cc" in found, is_known)
			frappe.db.delete("Visitor Event", {"event_id": "e9"})

	def test_the_referer_stands_in(self) -> None:
		self.send(batch(self.key, event("e1")), origin=None, headers={"Referer": f"{ORIGIN}/contact"})

	def test_pages_of_other_websites_are_rejected(self) -> None:
		verdict = self.send(batch(self.key, event("e1", url="https://evil.example.org/"), event("e2")))
		self.assertEqual([one["index"] for one in verdict["rejected"]], [0])


class TestWhatIsKept(CollectorTestCase):
	"""COL-6, COL-7, RED-5: what is stored of an event, and of whom."""

	def test_a_page_view(self) -> None:
		url = f"{ORIGIN}/p?utm_source=google&utm_medium=cpc&gclid=abc"
		at = datetime.now(UTC) - timedelta(hours=3)
		self.track(event("e1", url=url, title="Products", timestamp=at.isoformat()))
		row = frappe.get_last_doc("Visitor Event")
		self.assertEqual((row.utm_source, row.page_title, row.counted), ("google", "Products", 1))
		self.assertEqual((row.browser, row.device_type), ("Chrome", "Desktop"))
		(touch,) = frappe.get_all("Touch Point", fields=["*"])
		self.assertEqual(
			(touch.channel, touch.platform, touch.click_id_type, touch.click_id),
			("Paid Search", "Google Ads", "gclid", "abc"),
		)

	def test_parameters_of_the_referrer_stand_in(self) -> None:
		self.track(event("e1", url=f"{ORIGIN}/b", referrer=f"{ORIGIN}/a?utm_source=x&utm_medium=email"))
		self.assertEqual(frappe.get_last_doc("Visitor Event").utm_source, "x")

	def test_a_purchase_becomes_a_conversion_once(self) -> None:
		purchase = event("e1", type="CONVERSION", name="Purchase", value="49.90", currency="EUR")
		self.track(purchase)
		self.track(purchase)
		(conversion,) = frappe.get_all("Conversion", fields=["*"])
		self.assertEqual(
			(conversion.conversion_type, conversion.value, conversion.currency), ("Purchase", 49.9, "EUR")
		)
		visitor = frappe.get_doc("Visitor", conversion.visitor)
		self.assertEqual((visitor.has_converted, visitor.conversion_count), (1, 1))

	def test_the_address_by_privacy_level(self) -> None:
		set_settings(gdpr_compliance_enabled=0)
		found = {}
		for level in ("Standard", "GDPR", "HIPAA"):
			domain = f"{level.lower()}.example.com"
			key = make_domain(domain, privacy_level=level).public_key
			self.send(batch(key, event("e1", url=f"https://{domain}/")), origin=f"https://{domain}")
			drain()
			found[level] = frappe.get_all(
				"Visitor Event", filters={"domain": domain}, fields=["ip_address", "user_agent"]
			)[0]
		self.assertEqual(found["Standard"].ip_address, "203.0.113.7")
		self.assertNotIn(found["GDPR"].ip_address, ("", None, "203.0.113.7"))
		self.assertEqual((found["HIPAA"].ip_address or "", found["HIPAA"].user_agent or ""), ("", ""))

	def test_an_address_joins_nobody_to_who_they_were_before_they_refused(self) -> None:
		"""COL-7, RED-5: neither the hash of what comes later nor what the withdrawal itself keeps."""
		key = make_domain("c.example.com", consent_required=1, privacy_level="GDPR").public_key
		for number, (kind, consent) in enumerate(
			[("PAGE_VIEW", "granted"), ("CONSENT", "denied"), ("PAGE_VIEW", "denied"), ("CUSTOM", None)]
		):
			said = event(f"e{number}", type=kind, url="https://c.example.com/", consent=consent)
			self.send(batch(key, said), origin="https://c.example.com")
			drain()
		rows = frappe.get_all(
			"Visitor Event", fields=["event_id", "visitor", "ip_address"], order_by="event_id"
		)
		before, withdrawal, *after = rows
		self.assertEqual((before.visitor, withdrawal.visitor), ("v_00000000000000aa",) * 2)
		self.assertRegex(before.ip_address, "^[0-9a-f]{32}$")
		self.assertFalse(withdrawal.ip_address)
		# Among each other the visits of a day are those of one visitor all the same.
		self.assertEqual(len({(row.visitor, row.ip_address) for row in after}), 1)
		self.assertRegex(after[0].ip_address, "^[0-9a-f]{32}$")
		self.assertNotIn(after[0].ip_address, (before.ip_address, ""))
		kept = frappe.get_all("Visitor", fields=["name", "ip_address"])
		addresses = {row.name: row.ip_address for row in kept}
		self.assertNotEqual(addresses["v_00000000000000aa"], addresses[after[0].visitor])

	def test_without_consent_the_scripts_id_is_not_taken(self) -> None:
		key = make_domain("c.example.com", consent_required=1).public_key
		page = {"url": "https://c.example.com/"}
		for number, said in enumerate(({}, {"consent": "none"}, {"consent": "granted"})):
			self.send(batch(key, event(f"e{number}", **said, **page)), origin="https://c.example.com")
		drain()
		visitors = {
			row.name: row.is_cookieless for row in frappe.get_all("Visitor", fields=["name", "is_cookieless"])
		}
		self.assertEqual(visitors.pop("v_00000000000000aa"), 0)
		self.assertEqual(list(visitors.values()), [1])

	def test_a_withdrawal_belongs_to_who_gave_the_consent(self) -> None:
		key = make_domain("c.example.com", consent_required=1).public_key
		for number, consent in enumerate(("granted", "denied")):
			said = event(f"e{number}", type="CONSENT", url="https://c.example.com/", consent=consent)
			self.send(batch(key, said), origin="https://c.example.com")
		drain()
		visitors = frappe.get_all(
			"Visitor", fields=["name", "consent_status", "consent_at", "consent_policy_version"]
		)
		self.assertEqual(
			[(one.name, one.consent_status) for one in visitors], [("v_00000000000000aa", "Denied")]
		)
		self.assertTrue(visitors[0].consent_at and visitors[0].consent_policy_version)

	def test_only_consent_events_change_the_record_of_consent(self) -> None:
		"""EVT-5, RED-5: what other events carry was said before; what was said stays as it was, with a history."""
		fields = ["consent_status", "consent_at", "consent_policy_version"]

		def record() -> tuple[Any, ...]:
			return frappe.db.get_value("Visitor", "v_00000000000000aa", fields)

		self.track(event("e0", consent="granted"))
		self.assertEqual(record(), ("Granted", None, None))
		self.track(event("e1", type="CONSENT", consent="granted", policyVersion="2026-1"))
		given = record()
		self.assertEqual((given[0], bool(given[1]), given[2]), ("Granted", True, "2026-1"))
		set_settings(consent_policy_version="2")
		for number, consent in enumerate(("granted", "denied", "granted")):
			self.track(event(f"f{number}", consent=consent, policyVersion=9))
			self.assertEqual(record(), given)
		self.track(event("e2", type="CONSENT", consent="denied"))
		self.assertEqual((record()[0], record()[2]), ("Denied", "2"))
		self.assertGreater(record()[1], given[1])
		self.track(event("e3", consent="granted"))
		self.assertEqual(record()[0], "Denied")
		history = frappe.get_all(
			"Visitor Event", filters={"event_type": "CONSENT"}, pluck="event_data", order_by="timestamp"
		)
		self.assertEqual(
			[json.loads(one) for one in history],
			[
				{"consent": "granted", "policy_version": "2026-1"},
				{"consent": "denied", "policy_version": "2"},
			],
		)

	def test_without_an_id_of_its_own_a_visitor_is_still_one(self) -> None:
		page = event("e1")
		for number in range(3):
			self.track({**page, "eventId": str(number), "visitorId": None})
		self.assertEqual(frappe.get_all("Visitor", pluck="is_cookieless"), [1])

	def test_nobody_is_named_without_consent(self) -> None:
		key = make_domain("c.example.com", consent_required=1).public_key
		said = event(
			"e1", type="IDENTIFY", url="https://c.example.com/", properties={"email": "ada@example.com"}
		)
		self.send(batch(key, said), origin="https://c.example.com")
		drain()
		self.assertFalse(frappe.get_all("Visitor", filters={"contact_email": ("is", "set")}))

	def test_who_somebody_is(self) -> None:
		self.track(event("e1", type="IDENTIFY", properties={"email": "Ada@Example.com", "name": "Ada"}))
		visitor = frappe.get_doc("Visitor", "v_00000000000000aa")
		self.assertEqual((visitor.contact_email, visitor.contact_name), ("ada@example.com", "Ada"))
		self.assertNotIn("ada@", frappe.get_last_doc("Visitor Event").as_json().lower())

	def test_fixed_fields_of_every_event(self) -> None:
		"""EVT-3, COL-7: stored of forms and identifications too, which keep nothing else of what was sent."""
		typed = {"form_id": "lead", "email": "ada@example.com", "name": "Ada"}
		for number, kind in enumerate(events.TYPES):
			self.track(
				event(f"e{number}", type=kind, fields={"plan": "pro"}, properties=typed, consent="granted")
			)
		rows = frappe.get_all("Visitor Event", fields=["event_type", "event_data", "form_data"])
		self.assertEqual(sorted(row.event_type for row in rows), sorted(events.TYPES))
		for row in rows:
			self.assertEqual(json.loads(row.event_data)["plan"], "pro", row.event_type)
			if row.event_type in ("FORM_SUBMIT", "IDENTIFY"):
				self.assertEqual(json.loads(row.event_data), {"plan": "pro"})
			self.assertNotIn("ada@", row.form_data or "")

	def test_robots_are_marked(self) -> None:
		self.track(event("e1"), agent=GOOGLEBOT)
		row = frappe.get_last_doc("Visitor Event")
		self.assertEqual((row.is_bot, row.counted, frappe.db.count("Visitor")), (1, 0, 0))

	def test_from_a_click_over_the_website(self) -> None:
		"""RED-6, TCH-1: the signed click id on the landing page joins click and visit."""
		link = make_link("spring")
		landing = self.get("/r/spring", address="198.51.100.1").headers["Location"]
		self.track(event("e1", url=landing), address="203.0.113.99")
		(session,) = frappe.get_all("Visitor Session", fields=["*"])
		self.assertEqual((session.visitor_id, session.tracked_link), ("v_00000000000000aa", link.name))
		self.assertEqual(frappe.db.count("Touch Point"), 1)


class TestConsent(TrackFlowTestCase):
	"""RED-5: consent given on the site itself."""

	PATH = "/api/method/trackflow.api.tracking.record_consent"

	def cookies(
		self, consent: str, status: int = 200, headers: dict[str, str] | None = None, **options: Any
	) -> str:
		"""The cookies of an answer to a page of this host, unless `headers` name another."""
		headers = {"Origin": f"http://{frappe.local.site}"} if headers is None else headers
		answer = self.request("POST", self.PATH, data={"consent": consent}, headers=headers, **options)
		self.assertEqual(answer.status_code, status)
		return " ".join(answer.headers.getlist("Set-Cookie"))

	def test_given_and_withdrawn(self) -> None:
		given = self.cookies("granted")
		self.assertRegex(given, "trackflow_consent=granted")
		self.assertRegex(given, "trackflow_visitor=v_[0-9a-f]{16}")
		withdrawn = self.cookies("denied", cookies={"trackflow_visitor": "v_0123456789abcdef"})
		self.assertRegex(withdrawn, "trackflow_visitor=;")

	def test_it_is_stored_with_time_and_policy_version(self) -> None:
		"""EVT-5"""
		make_domain(frappe.local.site, consent_required=1)
		set_settings(consent_policy_version="7")
		visitor = re.search("trackflow_visitor=(v_[0-9a-f]{16})", self.cookies("granted"))[1]
		drain()
		fields = ["consent_status", "consent_at", "consent_policy_version"]
		status, at, version = frappe.db.get_value("Visitor", visitor, fields)
		self.assertEqual((status, bool(at), version), ("Granted", True, "7"))
		self.cookies("denied", cookies={"trackflow_visitor": visitor, "trackflow_consent": "granted"})
		drain()
		self.assertEqual(frappe.db.get_value("Visitor", visitor, "consent_status"), "Denied")

	def test_whoever_asks_not_to_be_tracked_gets_no_id(self) -> None:
		headers = {"DNT": "1", "Sec-Fetch-Site": "same-origin"}
		self.assertNotIn("trackflow_visitor", self.cookies("granted", headers=headers))

	def test_pages_of_this_host_and_of_configured_websites(self) -> None:
		make_domain(SHOP)
		for headers in (
			{"Origin": f"https://{frappe.local.site}:8443"},
			{"Origin": f"https://www.{SHOP}", "Sec-Fetch-Site": "cross-site"},
			{"Referer": f"{ORIGIN}/consent"},
			{"Sec-Fetch-Site": "same-origin"},
			{"Sec-Fetch-Site": "none"},
		):
			self.assertIn("trackflow_consent=granted", self.cookies("granted", headers=headers))

	def test_no_other_website_can_forge_consent(self) -> None:
		"""RED-5: a form of another origin sets no cookie."""
		make_domain(SHOP)
		make_domain("off.example.com", enabled=0)
		own = f"http://{frappe.local.site}/"
		for headers in (
			{"Origin": "https://evil.example.org"},
			{"Origin": "https://evil.example.org", "Referer": own},
			{"Origin": "null", "Sec-Fetch-Site": "same-origin"},
			{"Origin": f"https://{SHOP}.evil.example.org"},
			{"Origin": "https://off.example.com"},
			{"Referer": f"https://evil.example.org/?{own}"},
			{"Sec-Fetch-Site": "cross-site"},
			{"Sec-Fetch-Site": "same-site"},
			{},
		):
			for consent in ("granted", "denied"):
				self.assertNotIn("trackflow_", self.cookies(consent, 403, headers=headers))

	def test_anything_else_is_refused(self) -> None:
		for consent in ("perhaps", ""):
			self.cookies(consent, 417)
		self.assertEqual(self.request("POST", self.PATH).status_code, 417)
