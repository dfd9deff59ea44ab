"""What webhooks are told, how it is signed and when it is tried again: pure (WHK-1)."""

import json
import re
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import trackflow
from trackflow.tests.properties import given, settings, st
from trackflow.webhooks import messages, retrying, signing
from trackflow.webhooks.retrying import NOTICE_AT, PAUSE_AT, Standing

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SECRET = b"0123456789abcdef0123456789abcdef"


def sample() -> dict[str, Any]:
	"""What docs/webhooks.md shows to receivers, run."""
	text = (Path(trackflow.__file__).parent.parent / "docs" / "webhooks.md").read_text()
	found: dict[str, Any] = {}
	exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], found)
	return found


class TestSignature(unittest.TestCase):
	"""Receivers check it by the code of the docs."""

	def setUp(self) -> None:
		self.is_genuine = sample()["is_genuine"]
		self.body = b'{"id":"msg"}'
		self.headers = signing.headers("deal.won", "msg", int(NOW.timestamp()), self.body, SECRET)

	def genuine(
		self, headers: dict[str, str], body: bytes, secret: bytes = SECRET, at: datetime = NOW
	) -> bool:
		return self.is_genuine(headers, body, signing.shown(secret), at.timestamp())

	def test_ours(self) -> None:
		self.assertTrue(self.genuine(self.headers, self.body))
		self.assertTrue(
			self.genuine(
				{**self.headers, "webhook-signature": f"v1,eA== {self.headers['webhook-signature']}"},
				self.body,
			)
		)

	def test_anything_else(self) -> None:
		for changed in (
			{"webhook-id": "other"},
			{"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
			{"webhook-signature": "v1,"},
			{"webhook-signature": ""},
		):
			with self.subTest(changed):
				self.assertFalse(self.genuine({**self.headers, **changed}, self.body))
		self.assertFalse(self.genuine(self.headers, self.body + b" "))
		self.assertFalse(self.genuine(self.headers, self.body, b"x" * 32))
		self.assertFalse(self.genuine(self.headers, self.body, at=NOW + timedelta(minutes=6)))
		self.assertFalse(self.genuine({}, self.body))

	def test_as_the_standard_says(self) -> None:
		"""The example of the specification of Standard Webhooks, worked out by its own reference libraries."""
		secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		import base64

		key = base64.b64decode(secret.removeprefix(signing.PREFIX))
		found = signing.headers("x", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', key)
		self.assertEqual(found["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
		self.assertEqual(signing.shown(key), secret)


class TestRetrying(unittest.TestCase):
	"""Again and again for about a day, and never sooner than the target wants."""

	def test_a_day(self) -> None:
		for chance, least, most in ((0, 18, 19), (0.5, 24, 25), (1, 30, 31)):
			pauses = [retrying.pause_after(attempts, chance) for attempts in range(1, 14)]
			self.assertEqual(pauses, sorted(pauses))
			total = sum(pauses, timedelta())
			self.assertTrue(timedelta(hours=least) <= total <= timedelta(hours=most), total)
		self.assertIsNone(retrying.pause_after(14, 0.5))
		self.assertIsNone(retrying.pause_after(14, 0.5, timedelta(hours=1)))

	@given(st.integers(1, 13), st.floats(0, 1), st.integers(0, 10**7))
	def test_what_is_asked_for(self, attempts: int, chance: float, seconds: int) -> None:
		own = retrying.pause_after(attempts, chance)
		pause = retrying.pause_after(attempts, chance, timedelta(seconds=seconds))
		self.assertGreaterEqual(pause, own)
		self.assertGreaterEqual(pause, min(timedelta(seconds=seconds), timedelta(days=1)))
		self.assertLessEqual(pause, max(own, timedelta(days=1)))

	def test_retry_after(self) -> None:
		for text, seconds in (
			("120", 120), (" 5 ", 5), ("Tue, 31 Mar 2026 13:00:00 GMT", 3600), ("Tue, 31 Mar 2026 14:00:00 +0200", None),
			("Tue, 31 Mar 2026 11:00:00 GMT", None), ("", None), ("0", None), ("soon", None), ("-5", None), ("1e9", None), ("9" * 50, 864000),
			("٣", None), ("Mon, 31 Feb 2026 99:00:00 GMT", None),
		):  # fmt: skip
			with self.subTest(text):
				expected = timedelta(seconds=seconds) if seconds else None
				self.assertEqual(retrying.asked_for(text, NOW), expected)

	@given(st.text(max_size=60))
	def test_any_header_at_all(self, text: str) -> None:
		found = retrying.asked_for(text, NOW)
		self.assertTrue(found is None or found > timedelta(0))


class TestStanding(unittest.TestCase):
	"""Deliveries count, not attempts."""

	def test_in_a_row(self) -> None:
		standing, notices = Standing(), []
		for number in range(1, PAUSE_AT + 3):
			before, standing = standing, standing.failed(0)
			if standing.is_worth_a_notice(before):
				notices.append(number)
			self.assertEqual(standing, Standing(number, number >= PAUSE_AT))
		self.assertEqual(notices, [NOTICE_AT, PAUSE_AT])

	def test_attempts_do_not_count(self) -> None:
		standing = Standing(19)
		for attempts in range(1, 14):
			standing = standing.failed(attempts)
		self.assertEqual(standing, Standing(19))

	def test_one_that_arrives_ends_the_row(self) -> None:
		self.assertEqual(Standing(19).delivered(), Standing(0))
		self.assertEqual(Standing(20, True).delivered(), Standing(0, True))


class TestMessages(unittest.TestCase):
	"""Items of one event, in a bounded number and size, none lost and none twice."""

	def made(self, items: list[dict[str, Any]]) -> list[messages.Message]:
		names = iter(range(10**6))
		return list(messages.messages("link.clicked", items, "2026", lambda: f"m{next(names)}"))

	@settings(max_examples=50)
	@given(st.lists(st.integers(0, 3000), max_size=1500))
	def test_all_of_them_in_order(self, sizes: list[int]) -> None:
		items = [{"n": number, "text": "x" * size} for number, size in enumerate(sizes)]
		made = self.made(items)
		read = [json.loads(one.text) for one in made]
		self.assertEqual([item for one in read for item in one["items"]], items)
		self.assertEqual([one.items for one in made], [len(one["items"]) for one in read])
		self.assertEqual([one.id for one in made], [one["id"] for one in read])
		for one in made:
			self.assertLessEqual(one.items, messages.MOST_ITEMS)
			self.assertLess(len(one.text.encode()), messages.MOST_BYTES + 200)

	def test_none(self) -> None:
		(only,) = self.made([])
		self.assertEqual((only.items, json.loads(only.text)["items"]), (0, []))

	def test_without_somebody(self) -> None:
		(one,) = self.made([{"visitor": "v_1"}, {"visitor": "v_2"}])
		text, left = messages.narrowed(one.text, lambda item: "v_1" not in item)
		self.assertEqual((json.loads(text)["items"], left), ([{"visitor": "v_2"}], 1))
		self.assertEqual((json.loads(text)["id"], messages.is_message(text)), ("m0", True))
		for other in (None, "", "x", "[]", "{}", '{"items": 1}', '{"email": "a"}'):
			self.assertFalse(messages.is_message(other), other)

	def test_the_docs_name_all_events(self) -> None:
		text = (Path(trackflow.__file__).parent.parent / "docs" / "webhooks.md").read_text()
		for name, event in messages.EVENTS.items():
			self.assertRegex(text, rf"\| `{name}` \|.*`{event.scope}` \| {event.doctype} \|")

	def test_a_click_tells_of_nobody(self) -> None:
		row = dict.fromkeys(
			("name", "tracked_link", "short_code", "variant", "campaign", "domain", "event_type", "country", "device_type", "browser", "os"), "x"
		)  # fmt: skip
		row |= {
			"referrer": "https://ann@news.example/a?mail=ann@example.com", "is_unique": 1, "visitor_id": "v_secret",
			"ip_address": "198.51.100.7", "user_agent": "agent", "click_timestamp": datetime(2026, 3, 31, 14),
		}  # fmt: skip
		item = messages.click(row, BERLIN)
		self.assertEqual(
			(item["referrer_host"], item["clicked_at"]), ("news.example", "2026-03-31T14:00:00+02:00")
		)
		for secret in ("v_secret", "198.51", "agent", "ann@"):
			self.assertNotIn(secret, str(item))
