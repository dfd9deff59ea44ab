"""What the collector believes of a body, as a pure function (COL-1, COL-6, COL-7, SEC-4)."""

import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trackflow.tracking.events import (
	MAX_BYTES,
	BatchError,
	EventError,
	read_batch,
	read_event,
	without_values,
)

RECEIVED = 1_800_000_000.0
PAGE = {"eventId": "e1", "type": "PAGE_VIEW", "url": "https://shop.example.com/"}

json_values = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
	lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
	max_leaves=12,
)
FIELDS = (
	"eventId", "type", "name", "url", "referrer", "title", "timestamp", "visitorId", "sessionId", "value", "valueMicros",
	"currency", "properties", "fields", "consent", "policyVersion", "screen", "viewport",
)  # fmt: skip


def read(sent_at: float | None = None, **values: Any) -> Any:
	return read_event({**PAGE, **values}, RECEIVED, sent_at)


class TestValue(unittest.TestCase):
	"""COL-1: a number is what JSON and people write as one."""

	def test_texts_that_are_numbers(self) -> None:
		for text, value in (("5", "5"), (" -1.50 ", "-1.5"), ("1e3", "1000"), (".5", "0.5")):
			self.assertEqual(read(value=text).value, value)

	def test_texts_that_are_none(self) -> None:
		for text in ("1_000", "١٢", "1,5", "0x10", "", "nan"):
			with self.assertRaises(EventError):
				read(value=text)


class TestBatch(unittest.TestCase):
	"""COL-1: one event, or a batch of 1 to 100; everything else is refused as a whole."""

	def refused(self, body: Any, status: int, code: str) -> None:
		text = body if isinstance(body, bytes) else json.dumps(body).encode()
		with self.assertRaises(BatchError) as caught:
			read_batch(text)
		self.assertEqual((caught.exception.status, caught.exception.code), (status, code))

	def test_one_event_is_its_own_batch(self) -> None:
		batch = read_batch(json.dumps({"publicKey": "pk", **PAGE}).encode())
		self.assertEqual((batch.public_key, len(batch.events)), ("pk", 1))

	def test_what_is_refused(self) -> None:
		self.refused(b"", 400, "not_json")
		self.refused(b"\xff\xfe", 400, "not_json")
		self.refused(b"[" * 100_000, 400, "not_json")
		for number in (b"NaN", b"-Infinity", b"1e999"):
			self.refused(b'{"publicKey": "pk", "properties": {"a": %s}}' % number, 400, "not_json")
		self.refused([], 400, "not_an_object")
		self.refused({"publicKey": 7, **PAGE}, 400, "no_key")
		self.refused({"publicKey": "pk", "events": {}}, 400, "events_not_a_list")
		self.refused({"publicKey": "pk", "events": []}, 400, "number_of_events")
		self.refused({"publicKey": "pk", "events": [PAGE] * 101}, 400, "number_of_events")
		self.refused({"publicKey": "pk", "sentAt": "yesterday", **PAGE}, 400, "sent_at")
		self.refused(b" " * (MAX_BYTES + 1), 413, "too_large")

	def test_a_hundred_events_pass(self) -> None:
		self.assertEqual(
			len(read_batch(json.dumps({"publicKey": "pk", "events": [PAGE] * 100}).encode()).events), 100
		)

	@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
	def test_no_body_breaks_it(self, body: bytes) -> None:
		try:
			read_batch(body)
		except BatchError as error:
			self.assertIn(error.status, (400, 413))


class TestEvent(unittest.TestCase):
	"""COL-1: wrong types are refused with a reason, one event at a time."""

	def refused(self, *words: str, **values: Any) -> None:
		with self.assertRaises(EventError) as caught:
			read(**values)
		for word in words:
			self.assertIn(word, str(caught.exception))

	def test_what_is_refused(self) -> None:
		self.refused("eventId", eventId=None)
		self.refused("eventId", eventId=7)
		self.refused("eventId", eventId="x" * 141)
		self.refused("type", type="PAGEVIEW")
		self.refused("url", url="")
		self.refused("url", url="javascript:alert(1)")
		self.refused("url", url="http://evil.example.org\\@shop.example.com/")
		self.refused("visitorId", visitorId="v_1234")
		self.refused("value", value="many")
		self.refused("value", value=True)
		self.refused("value", value=1e30)
		self.refused("value", value="1e999999999")
		self.refused("valueMicros", valueMicros=[1])
		for name in ("Deal Won", " LEAD ", "Deal\u00a0Won", "De\u200bal Won", "Ｄeal Won", "Léad"):
			self.refused("CRM", type="CONVERSION", name=name)
		self.refused("currency", currency="Euro")
		self.refused("properties", properties=[1])
		self.refused("properties", properties={"x": "y" * 9000})
		self.refused("consent", consent="maybe")
		self.refused("timestamp", timestamp="2027-01-15T08:00:00")
		self.refused("timestamp", timestamp=True)

	def test_values_are_exact(self) -> None:
		self.assertEqual(read(value="99.99").value, "99.99")
		self.assertEqual(read(value=99.99).value, "99.99")
		self.assertEqual(read(valueMicros=99_990_000).value, "99.99")
		self.assertEqual(read(value=5, valueMicros=1).value, "5")
		self.assertEqual(read(value="1e-9999999").value, "0")
		self.assertEqual(read(value=100).value, "100")

	def test_consent(self) -> None:
		"""EVT-5: "none" is what the script says where nobody is asked."""
		for said, consent in (("granted", "granted"), (False, "denied"), ("none", ""), (None, "")):
			self.assertEqual(read(consent=said).consent, consent)

	def test_an_empty_name_is_none(self) -> None:
		for kind in ("PAGE_VIEW", "FORM_SUBMIT", "IDENTIFY", "CONSENT"):
			self.assertEqual(read(type=kind, name="").name, "")

	def test_a_page_that_is_no_web_page_is_no_referrer(self) -> None:
		self.assertEqual(read(referrer="android-app://com.example").referrer, "")

	def test_long_texts_are_cropped(self) -> None:
		self.assertEqual(len(read(url="https://shop.example.com/" + "x" * 3000).url), 2048)
		self.assertEqual(len(read(title="x" * 3000).title), 140)

	@given(st.fixed_dictionaries({}, optional={name: json_values for name in FIELDS}))
	def test_no_event_breaks_it(self, values: dict[str, Any]) -> None:
		try:
			event = read(**values)
		except EventError:
			return
		json.dumps([event.url, event.title, event.name, event.properties]).encode()


class TestTime(unittest.TestCase):
	"""COL-6: client times are corrected by the sending time, and refused beyond 24 hours."""

	def test_a_wrong_clock_is_corrected(self) -> None:
		hour_fast = RECEIVED + 3600
		self.assertEqual(read(hour_fast, timestamp=(hour_fast - 60) * 1000).at, RECEIVED - 60)

	def test_without_a_time_it_is_now(self) -> None:
		self.assertEqual(read().at, RECEIVED)

	def test_nothing_happens_in_the_future(self) -> None:
		self.assertEqual(read(timestamp=(RECEIVED + 600) * 1000).at, RECEIVED)

	def test_a_day_is_the_limit(self) -> None:
		self.assertEqual(read(timestamp=(RECEIVED - 86_400) * 1000).at, RECEIVED - 86_400)
		with self.assertRaises(EventError):
			read(timestamp=(RECEIVED - 86_401) * 1000)
		with self.assertRaises(EventError):
			read(timestamp=(RECEIVED + 86_401) * 1000)


class TestPrivacyAtTheDoor(unittest.TestCase):
	"""COL-7: of a form only its name and the names of its fields are kept."""

	def test_form_values_are_dropped(self) -> None:
		typed = {
			"form_id": "contact",
			"fields": ["email"],
			"values": {"email": "ada@example.com"},
			"card": "4111",
		}
		event = read(type="FORM_SUBMIT", properties=typed)
		self.assertEqual(without_values(event.form), {"form_id": "contact", "fields": ["email"]})
		self.assertEqual(event.form["values"], {"email": "ada@example.com"})
		self.assertIsNone(event.properties)

	def test_what_was_typed_is_in_no_property(self) -> None:
		"""A sender of one's own may send an object of names and values, or a whole query."""
		secret = "ada@example.com"
		for fields, names in (
			({"email": secret, "diagnosis": {"text": secret}}, ["email", "diagnosis"]),
			(["email", {"email": secret}, [secret]], ["email"]),
			(f"email={secret}", None), (4111, None), (True, None),
		):  # fmt: skip
			with self.subTest(fields=fields):
				event = read(type="FORM_SUBMIT", properties={"form_id": "contact", "fields": fields})
				self.assertEqual(event.form, {"form_id": "contact"} | ({"fields": names} if names else {}))
		for name in ({"email": secret}, [secret], True, 1.5):
			self.assertFalse(read(type="FORM_SUBMIT", properties={"form_id": name, "form_name": name}).form)

	def test_a_form_without_a_name(self) -> None:
		event = read(type="FORM_SUBMIT", properties={"form_id": None, "fields": ["email"]})
		self.assertEqual(event.form, {"fields": ["email"]})

	def test_three_form_values_may_go_on(self) -> None:
		for typed, expected in (
			({"first_name": " Ada ", "last_name": "Lovelace", "email": "a@b.c", "card": "4111"}, ["Ada", "Lovelace", "a@b.c"]),
			({"first_name": "x" * 500, "password": "secret"}, ["x" * 140]),
			({"first_name": ["4111"], "last_name": 4111, "email": {"card": "4111"}}, None),
			("4111", None), (["4111"], None), ({"email": " "}, None),
		):  # fmt: skip
			form = read(type="FORM_SUBMIT", properties={"values": typed}).form
			self.assertEqual(list(form["values"].values()) if "values" in form else None, expected)

	def test_who_somebody_is_stays_out_of_the_properties(self) -> None:
		event = read(type="IDENTIFY", properties={"email": " Ada@Example.COM ", "name": "Ada"})
		self.assertEqual((event.email, event.full_name, event.properties), ("ada@example.com", "Ada", None))

	def test_fixed_fields_are_kept_of_every_event(self) -> None:
		"""EVT-3: the website's own, beside what was typed or said; the event's own properties win where both are kept."""
		fields, own = {"plan": "pro", "email": "x"}, {"email": "ada@example.com", "card": "4111"}
		for kind in ("PAGE_VIEW", "CUSTOM", "CONVERSION", "CONSENT"):
			self.assertEqual(
				read(type=kind, fields=fields, properties=own).properties, {"plan": "pro", **own}
			)
			self.assertEqual(read(type=kind, fields=fields).properties, fields)
		for kind in ("FORM_SUBMIT", "IDENTIFY"):
			self.assertEqual(read(type=kind, fields=fields, properties=own).properties, fields)
			self.assertEqual(read(type=kind, fields=fields).properties, fields)
			self.assertIsNone(read(type=kind, fields={}, properties=own).properties)

	def test_fixed_fields_are_counted_into_the_properties(self) -> None:
		"""COL-1: 8 KiB for both, of every type; either alone may fill them."""
		half, more = {"a": "x" * 4000}, {"b": "x" * 4200}
		for kind in ("PAGE_VIEW", "CUSTOM", "CONSENT", "FORM_SUBMIT", "IDENTIFY"):
			for fields, properties in (({}, more), (more, {}), (half, {"b": "x"})):
				read(type=kind, fields=fields, properties=properties)
			with (
				self.subTest(kind),
				self.assertRaisesRegex(EventError, "properties are larger than 8192 bytes"),
			):
				read(type=kind, fields=half, properties=more)

	def test_fixed_fields_that_are_no_object_add_nothing(self) -> None:
		for fields in ("x", 5, ["email"], None, True):
			self.assertEqual(read(fields=fields, properties={"a": 1}).properties, {"a": 1})
		with self.assertRaisesRegex(EventError, "properties are larger"):
			read(type="FORM_SUBMIT", fields={"a": "x" * 9000})
