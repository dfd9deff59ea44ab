"""What platforms are told of conversions: who, which click, formats, read back as the platforms' rules say (ATT-8)."""

import csv
import json
import re
import string
import unittest
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from trackflow.offline import reasons
from trackflow.offline.decide import judge
from trackflow.offline.google import COLUMNS, GOOGLE
from trackflow.offline.hashing import email_hash, normalised
from trackflow.offline.linkedin import LINKEDIN
from trackflow.offline.meta import META
from trackflow.offline.platforms import PLATFORMS, named
from trackflow.offline.shapes import Browser, Click, Conversion, Event, elapsed, later
from trackflow.tests.properties import given, settings, st

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
PHONE, LAPTOP = "v_00000000000000aa", "v_00000000000000bb"
DAY = timedelta(days=1)
KIND = {"Google Ads": "gclid", "Meta": "fbclid", "LinkedIn": "li_fat_id"}
ACTION = {"Google Ads": "", "Meta": "", "LinkedIn": "104012"}

HEX = re.compile(r"[0-9a-f]{64}")


def at(days_ago: float) -> datetime:
	"""So many days of 24 hours before NOW; the clocks are changed in October."""
	return later(NOW, -timedelta(days=days_ago))


def browser(id: str = PHONE, **values: Any) -> Browser:
	return Browser(id, **{"consent": "Granted", "last_seen": NOW - DAY, **values})


def click(kind: str = "gclid", value: str = "Cj0KCQ_ab-1.x", ago: float = 3, **values: Any) -> Click:
	return Click(kind, value, at(ago), **{"visitor": PHONE, **values})


def conversion(*clicks: Click, **values: Any) -> Conversion:
	values = {
		"name": "c0ffee", "type": "Deal Won", "at": NOW - DAY, "value": Decimal("142.50"), "currency": "EUR",
		"visitor": PHONE, "browsers": (browser(),), **values,
	}  # fmt: skip
	return Conversion(clicks=clicks or tuple(click(kind) for kind in KIND.values()), **values)


def verdict(one: Conversion, platform: str, now: datetime = NOW, action: str | None = None) -> Event | str:
	return judge(one, PLATFORMS[platform], ACTION[platform] if action is None else action, now)


class TestWho(unittest.TestCase):
	"""ATT-8: only who consented, and nobody who is erased, a robot, internal, or was on a HIPAA domain."""

	def assert_all(self, expected: str, **values: Any) -> None:
		for platform in PLATFORMS:
			with self.subTest(platform):
				self.assertEqual(verdict(conversion(**values), platform), expected)

	def test_a_stored_consent_is_enough(self) -> None:
		for platform in PLATFORMS:
			self.assertIsInstance(verdict(conversion(), platform), Event)

	def test_who_is_not(self) -> None:
		for reason, values in (
			(reasons.NO_CONSENT, {"consent": ""}),
			(reasons.REFUSED, {"consent": "Denied"}),
			(reasons.ROBOT, {"is_robot": True}),
			(reasons.INTERNAL, {"is_internal": True}),
			(reasons.ERASED, {"is_erased": True}),
			(reasons.GUARDED, {"is_guarded": True}),
		):
			self.assert_all(reason, browsers=(browser(**values),))

	def test_of_another_browser_of_the_person(self) -> None:
		for reason, values in (
			(reasons.REFUSED, {"consent": "Denied"}),
			(reasons.GUARDED, {"is_guarded": True}),
			(reasons.ERASED, {"is_erased": True}),
		):
			self.assert_all(reason, browsers=(browser(), browser(LAPTOP, **values)))

	def test_the_browser_that_converted_consented_itself(self) -> None:
		self.assert_all(reasons.NO_CONSENT, browsers=(browser(consent=""), browser(LAPTOP)))

	def test_of_a_lead_without_a_browser_of_its_own_any_will_do(self) -> None:
		for platform in PLATFORMS:
			found = verdict(
				conversion(visitor="", browsers=(browser(LAPTOP, consent=""), browser())), platform
			)
			self.assertEqual(found.click.visitor, PHONE)

	def test_nobody_known(self) -> None:
		self.assert_all(reasons.NOBODY, visitor="", browsers=())
		self.assert_all(reasons.NOBODY, browsers=(browser(LAPTOP),))

	def test_once(self) -> None:
		self.assert_all(reasons.EXPORTED, is_exported=True)


class TestWhen(unittest.TestCase):
	"""ATT-8: inside the platform's age limit at the time of the export, to the second."""

	def test_the_age_of_a_conversion(self) -> None:
		for platform, days in (("Google Ads", 90), ("Meta", 7), ("LinkedIn", 90)):
			edge = at(days)
			recent = Click(KIND[platform], "Cj0", edge, PHONE)
			with self.subTest(platform):
				self.assertIsInstance(verdict(conversion(recent, at=edge), platform), Event)
				late = conversion(recent, at=edge - timedelta(seconds=1))
				self.assertEqual(verdict(late, platform), reasons.TOO_OLD)

	def test_when_the_clocks_are_changed(self) -> None:
		"""Seven days by the clock are seven and an hour then, and Meta refuses a whole file for it."""
		zone = ZoneInfo("Europe/Berlin")
		now = datetime(2026, 10, 30, 12, tzinfo=zone)
		for hour, expected in ((12, reasons.TOO_OLD), (13, "")):
			clicked = Click("fbclid", "Cj0", datetime(2026, 10, 20, tzinfo=zone), PHONE)
			one = conversion(clicked, at=datetime(2026, 10, 23, hour, tzinfo=zone))
			found = verdict(one, "Meta", now)
			self.assertEqual(found if isinstance(found, str) else "", expected)
		self.assertEqual(META.until(found), now)

	def test_what_has_not_happened_yet(self) -> None:
		for platform in PLATFORMS:
			later = conversion(at=NOW + timedelta(seconds=1))
			self.assertEqual(verdict(later, platform), reasons.IN_THE_FUTURE)

	def test_googles_clicks(self) -> None:
		for ago, expected in (
			(90, ""),
			(90.0001, reasons.CLICK_TOO_OLD),
			(0.25, ""),
			(0.249, reasons.CLICK_TOO_RECENT),
		):
			one = conversion(click(ago=ago), at=NOW - timedelta(days=min(ago, 1)))
			found = verdict(one, "Google Ads")
			self.assertEqual(found if isinstance(found, str) else "", expected, ago)

	def test_until_when(self) -> None:
		one = conversion()
		self.assertEqual(GOOGLE.until(verdict(one, "Google Ads")), later(NOW, timedelta(days=87)))
		self.assertEqual(META.until(verdict(one, "Meta")), NOW + timedelta(days=6))
		self.assertEqual(LINKEDIN.until(verdict(one, "LinkedIn")), NOW + timedelta(days=89))


class TestWhichClick(unittest.TestCase):
	"""ATT-8: the newest of the platform's, within the window before the conversion, of browsers with consent."""

	def sent(self, *clicks: Click, **values: Any) -> str:
		found = verdict(conversion(*clicks, **values), "Google Ads")
		return found if isinstance(found, str) else f"{found.click.kind}:{found.click.value}"

	def test_the_newest_before_the_conversion(self) -> None:
		clicks = (click(value="old", ago=9), click(value="new", ago=2), click(value="after", ago=0.5))
		self.assertEqual(self.sent(*clicks), "gclid:new")
		self.assertEqual(self.sent(*reversed(clicks)), "gclid:new")

	def test_of_one_visit_one_id(self) -> None:
		both = (click("wbraid", "w"), click("gbraid", "b"), click("gclid", "g"))
		self.assertEqual(self.sent(*both), "gclid:g")
		self.assertEqual(self.sent(*both[:2]), "gbraid:b")

	def test_others_ids_and_others_clicks_are_none(self) -> None:
		self.assertEqual(self.sent(click("fbclid")), reasons.NO_CLICK)
		self.assertEqual(self.sent(click(visitor=LAPTOP)), reasons.NO_CLICK)
		self.assertEqual(self.sent(click(is_internal=True)), reasons.NO_CLICK)
		unasked = browser(LAPTOP, consent="")
		self.assertEqual(self.sent(click(visitor=LAPTOP), browsers=(browser(), unasked)), reasons.NO_CLICK)
		self.assertEqual(
			self.sent(click(visitor=LAPTOP), browsers=(browser(), browser(LAPTOP))), "gclid:Cj0KCQ_ab-1.x"
		)

	def test_what_can_be_no_id_is_passed_over(self) -> None:
		for wrong in ("=1+1", "-x", "a b", "a,b", "é", "a\n", "x" * 513, ""):
			with self.subTest(wrong):
				self.assertEqual(self.sent(click(value=wrong)), reasons.MALFORMED_CLICK)
				self.assertEqual(self.sent(click(value=wrong), click(value="good", ago=9)), "gclid:good")


class TestAddresses(unittest.TestCase):
	"""ATT-8: e-mail addresses as Meta and LinkedIn compare them; Google's import of clicks gets none."""

	def test_metas_own_example(self) -> None:
		"""The one published with the parameter `em`."""
		expected = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
		self.assertEqual(email_hash("  John_Smith@gmail.com\t"), expected)

	def test_dots_and_pluses_stay(self) -> None:
		self.assertEqual(normalised("A.da+Shop@Gmail.com"), "a.da+shop@gmail.com")

	def test_what_is_none(self) -> None:
		for wrong in ("", " ", "ada", "@b.c", "a@b", "a b@c.d", "a@b@c.d"):
			self.assertEqual(email_hash(wrong), "", wrong)

	@given(st.emails(), st.sampled_from(["", " ", "\t", "\n "]))
	def test_spelling_does_not_matter(self, address: str, blank: str) -> None:
		found = email_hash(address)
		self.assertTrue(HEX.fullmatch(found))
		self.assertEqual(email_hash(f"{blank}{address.upper()}{blank}"), email_hash(address.upper()))
		self.assertEqual(found, sha256(address.lower().encode()).hexdigest())

	def test_whose(self) -> None:
		"""That of the click's browser, else of the one that converted; without a click, whichever said one."""
		phone, laptop = browser(email="phone@example.com"), browser(LAPTOP, email="laptop@example.com")
		silent = browser()
		for browsers, clicks, expected in (
			((phone, laptop), (click("fbclid", visitor=LAPTOP),), "laptop@example.com"),
			((phone, browser(LAPTOP)), (click("fbclid", visitor=LAPTOP),), "phone@example.com"),
			((silent, laptop), (click("fbclid"),), ""),
			((silent, laptop), (click("gclid"),), "laptop@example.com"),
			((phone, laptop), (click("gclid"),), "phone@example.com"),
			((phone, replace(laptop, consent="")), (click("fbclid", visitor=LAPTOP),), "phone@example.com"),
		):
			found = verdict(conversion(*clicks, browsers=browsers), "Meta")
			self.assertEqual(found.email_hash, email_hash(expected))

	def test_neither_click_nor_address(self) -> None:
		for platform in ("Meta", "LinkedIn"):
			self.assertEqual(verdict(conversion(click("gclid")), platform), reasons.NO_IDENTIFIER)
			told = conversion(click("gclid"), browsers=(browser(email="a@b.example"),))
			self.assertEqual(verdict(told, platform).visitor, PHONE)
		told = conversion(click("fbclid"), browsers=(browser(email="a@b.example"),))
		self.assertEqual(verdict(told, "Google Ads"), reasons.NO_CLICK)


class TestValues(unittest.TestCase):
	"""ATT-8: values, currencies and names that the platforms would refuse are not sent."""

	def test_money(self) -> None:
		for platform in PLATFORMS:
			with self.subTest(platform):
				for reason, values in (
					(reasons.BAD_VALUE, {"value": Decimal(-1)}),
					(reasons.NO_CURRENCY, {"currency": ""}),
					(reasons.NO_CURRENCY, {"currency": "EURO"}),
					(reasons.NO_CURRENCY, {"currency": "€"}),
				):
					self.assertEqual(verdict(conversion(**values), platform), reason)
				self.assertEqual(verdict(conversion(currency=" eur "), platform).currency, "EUR")
				free = verdict(conversion(value=Decimal(), currency=""), platform)
				self.assertEqual((free.value, free.currency), (None, ""))

	def test_names(self) -> None:
		self.assertEqual(verdict(conversion(type="=1+1"), "Google Ads"), reasons.BAD_NAME)
		self.assertEqual(verdict(conversion(type="a\nb"), "Google Ads"), reasons.BAD_NAME)
		self.assertEqual(verdict(conversion(type="x" * 51), "Meta"), reasons.BAD_NAME)
		self.assertEqual(verdict(conversion(), "LinkedIn", action="Deal Won"), reasons.BAD_NAME)
		self.assertEqual(verdict(conversion(), "Google Ads", action="Won there").called, "Won there")
		self.assertIsInstance(verdict(conversion(), "LinkedIn", action=""), Event)

	def test_metas_purchase_has_a_value(self) -> None:
		free = conversion(type="Purchase", value=Decimal())
		self.assertEqual(verdict(free, "Meta"), reasons.NO_VALUE)

	def test_metas_websites(self) -> None:
		for values in (
			{},
			{"page": "https://shop.example.com/"},
			{"agent": "Firefox"},
			{"page": "x", "agent": "y"},
		):
			one = conversion(is_website=True, **values)
			self.assertEqual(verdict(one, "Meta"), reasons.NO_PAGE)
			self.assertIsInstance(verdict(one, "LinkedIn"), Event)

	def test_every_reason_has_words(self) -> None:
		names = {value for name, value in vars(reasons).items() if name.isupper() and name != "WORDS"}
		self.assertEqual(names, set(reasons.WORDS))

	def test_platforms_by_any_spelling(self) -> None:
		for text in ("Google Ads", "google", "google-ads", "GOOGLE_ADS"):
			self.assertIs(named(text), GOOGLE)
		self.assertIs(named("linkedin"), LINKEDIN)
		self.assertIs(named("Meta"), META)
		for text in ("", "bing", "google adsx"):
			self.assertIsNone(named(text))


# What may stand in a conversion, good and bad.
moments = st.datetimes(
	datetime(2026, 8, 1), datetime(2026, 11, 30), timezones=st.just(ZoneInfo("Europe/Berlin"))
)
texts = st.text(st.sampled_from(string.printable + "é€=\u2028"), max_size=20)
ids = st.one_of(texts, st.from_regex(r"[A-Za-z0-9_-]{1,30}", fullmatch=True))
browsers = st.builds(
	Browser, st.sampled_from([PHONE, LAPTOP]), st.sampled_from(["Granted", "Granted", "Denied", ""]),
	st.one_of(st.emails(), texts), is_robot=st.booleans(), is_internal=st.booleans(),
)  # fmt: skip
clicks = st.builds(
	Click, st.sampled_from(["gclid", "gbraid", "wbraid", "fbclid", "li_fat_id", "msclkid"]), ids, moments,
	st.sampled_from([PHONE, LAPTOP]), st.booleans(),
)  # fmt: skip
conversions = st.builds(
	Conversion, st.from_regex(r"[0-9a-f]{32}", fullmatch=True), st.one_of(st.sampled_from(["Lead", "Purchase"]), texts), moments,
	st.decimals(-10, 10**9, places=2), st.one_of(st.sampled_from(["EUR", "usd"]), texts), st.sampled_from([PHONE, LAPTOP, ""]),
	st.lists(browsers, max_size=2, unique_by=lambda one: one.id).map(tuple), st.lists(clicks, max_size=6).map(tuple), st.booleans(),
	st.one_of(st.just("https://shop.example.com/thanks?email=ada@example.com"), texts), texts,
)  # fmt: skip


class TestFiles(unittest.TestCase):
	"""ATT-8: whatever is stored, a file holds what the platform's rules allow, read as the platform reads it."""

	def events(self, some: list[Conversion], platform: str) -> list[Event]:
		found = (verdict(one, platform) for one in some)
		return [one for one in found if isinstance(one, Event)]

	def read(self, events: list[Event], platform: str) -> Any:
		text = PLATFORMS[platform].document([PLATFORMS[platform].line(one) for one in events])
		return list(csv.reader(StringIO(text))) if platform == "Google Ads" else json.loads(text)

	@settings(max_examples=300)
	@given(st.lists(conversions, max_size=5))
	def test_google(self, some: list[Conversion]) -> None:
		events = self.events(some, "Google Ads")
		header, *lines = self.read(events, "Google Ads")
		self.assertEqual(header, list(COLUMNS))
		self.assertEqual(len(lines), len(events))
		for line, event in zip(lines, events, strict=True):
			self.assertEqual(len(line), len(COLUMNS))
			*found, name, at, value, currency = line
			self.assertEqual([one for one in found if one], [event.click.value])
			self.assertEqual(name, event.called)
			self.assertFalse(any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in line), line)
			self.assertRegex(at, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}$")
			moment = datetime.strptime(at, "%Y-%m-%d %H:%M:%S%z")
			# By the second: Python calls no time equal to one that the clocks show twice.
			self.assertEqual(moment.timestamp(), int(event.at.timestamp()))
			self.assertLessEqual(moment, NOW)
			self.assertLessEqual(int(event.click.at.timestamp()), moment.timestamp())
			self.assertLessEqual(elapsed(event.click.at, NOW), timedelta(days=90))
			self.assertEqual(bool(value), bool(currency))
			if value:
				self.assertGreater(Decimal(value), 0)
				self.assertRegex(currency, "^[A-Z]{3}$")
		self.assertNotIn("@", str(lines))

	@settings(max_examples=300)
	@given(st.lists(conversions, max_size=5))
	def test_meta(self, some: list[Conversion]) -> None:
		events = self.events(some, "Meta")
		data = self.read(events, "Meta")["data"]
		self.assertEqual(len(data), len(events))
		for line, event in zip(data, events, strict=True):
			self.assertTrue(line["event_name"] and line["event_id"])
			self.assertIsInstance(line["event_time"], int)
			self.assertTrue(0 <= NOW.timestamp() - line["event_time"] <= 7 * 86400 + 1)
			user = line["user_data"]
			self.assertTrue(user.get("em") or user.get("fbc"))
			self.assertTrue(all(HEX.fullmatch(one) for one in user.get("em", ())))
			if "fbc" in user:
				prefix, index, created, fbclid = user["fbc"].split(".", 3)
				self.assertEqual((prefix, index, fbclid), ("fb", "1", event.click.value))
				self.assertEqual(int(created), int(event.click.at.timestamp() * 1000))
			self.assertIn(line["action_source"], ("website", "system_generated"))
			if line["action_source"] == "website":
				self.assertTrue(user["client_user_agent"])
				self.assertRegex(line["event_source_url"], r"^https?://[^?#]+$")
			if line["event_name"] == "Purchase":
				self.assertGreater(line["custom_data"]["value"], 0)
			if "custom_data" in line:
				self.assertRegex(line["custom_data"]["currency"], "^[A-Z]{3}$")
		self.assertNotIn("ada@", json.dumps(data))

	@settings(max_examples=300)
	@given(st.lists(conversions, max_size=5))
	def test_linkedin(self, some: list[Conversion]) -> None:
		events = self.events(some, "LinkedIn")
		elements = self.read(events, "LinkedIn")["elements"]
		self.assertEqual(len(elements), len(events))
		for line, event in zip(elements, events, strict=True):
			self.assertEqual(line["conversion"], "urn:lla:llaPartnerConversion:104012")
			self.assertEqual(line["conversionHappenedAt"], int(event.at.timestamp() * 1000))
			self.assertTrue(
				0 <= NOW.timestamp() * 1000 - line["conversionHappenedAt"] <= 90 * 86_400_000 + 1000
			)
			known = {one["idType"]: one["idValue"] for one in line["user"]["userIds"]}
			self.assertTrue(known)
			self.assertLessEqual(known.keys(), {"SHA256_EMAIL", "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID"})
			self.assertTrue(HEX.fullmatch(known.get("SHA256_EMAIL", "0" * 64)))
			if "conversionValue" in line:
				self.assertGreater(Decimal(line["conversionValue"]["amount"]), 0)
				self.assertRegex(line["conversionValue"]["currencyCode"], "^[A-Z]{3}$")
			self.assertEqual(line["eventId"], event.id)

	def test_a_line_of_each(self) -> None:
		"""Those of docs/offline-conversions.md."""
		one = conversion(browsers=(browser(email="John_Smith@gmail.com"),))
		self.assertEqual(
			GOOGLE.line(verdict(one, "Google Ads")),
			"Cj0KCQ_ab-1.x,,,Deal Won,2026-11-28 12:00:00+0100,142.5,EUR",
		)
		hashed = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
		self.assertEqual(
			json.loads(META.line(verdict(one, "Meta"))),
			{
				"event_name": "Deal Won",
				"event_time": 1795863600,
				"event_id": "c0ffee",
				"action_source": "system_generated",
				"user_data": {"em": [hashed], "fbc": "fb.1.1795690800000.Cj0KCQ_ab-1.x"},
				"custom_data": {"value": 142.5, "currency": "EUR"},
			},
		)
		self.assertEqual(
			json.loads(LINKEDIN.line(verdict(one, "LinkedIn"))),
			{
				"conversion": "urn:lla:llaPartnerConversion:104012",
				"conversionHappenedAt": 1795863600000,
				"conversionValue": {"currencyCode": "EUR", "amount": "142.5"},
				"user": {
					"userIds": [
						{"idType": "SHA256_EMAIL", "idValue": hashed},
						{"idType": "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID", "idValue": "Cj0KCQ_ab-1.x"},
					]
				},
				"eventId": "c0ffee",
			},
		)

	def test_the_clock_put_back(self) -> None:
		"""Of an hour that comes twice both have their own offset."""
		for at, expected in (
			(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30:00+0200"),
			(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 02:30:00+0100"),
		):
			local = at.astimezone(ZoneInfo("Europe/Berlin"))
			event = verdict(conversion(click(ago=60), at=local), "Google Ads")
			self.assertIn(expected, GOOGLE.line(event))
