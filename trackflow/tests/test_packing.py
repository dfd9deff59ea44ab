"""Batches between the door and the database: read at once or by value, packed, unpacked, in other spellings (COL-1, PRF-4)."""

import json
import random
import time
import unittest
from typing import Any

import frappe
from hypothesis import given
from hypothesis import strategies as st

from trackflow.stream import connection, spool, writer
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.stream.entries import encode
from trackflow.tests.factories import SHOP, event, make_domain
from trackflow.tests.test_collector import ORIGIN, CollectorTestCase
from trackflow.tests.test_events import FIELDS, RECEIVED, json_values
from trackflow.tracking import dialects, events, packing
from trackflow.tracking.events import BatchError, EventError, Raw, read_batch, read_event

texts = st.text(max_size=12) | st.sampled_from(
	["PAGE_VIEW", "custom", "CONVERSION", "FORM_SUBMIT", "IDENTIFY", f"https://{SHOP}/"]
)
well_typed = st.fixed_dictionaries(
	{"eventId": st.text(min_size=1, max_size=20), "type": st.sampled_from([*events.TYPES, "other"])},
	optional={
		**{name: texts for name in ("name", "url", "referrer", "title", "currency", "screen", "viewport")},
		"value": st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
		"timestamp": st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
		"consent": st.booleans() | texts,
		"policyVersion": json_values,
		"properties": st.dictionaries(texts, json_values, max_size=3),
		"fields": st.dictionaries(texts, json_values, max_size=3) | json_values,
	},
)


def verdict(raw: Any) -> tuple[str, Any]:
	try:
		return "event", read_event(raw, RECEIVED, None)
	except EventError as error:
		return "refused", str(error)


class TestTwoWaysOfReading(unittest.TestCase):
	"""COL-1: a body that is read at once and one that is read by value come to the same events."""

	@given(st.lists(well_typed, min_size=1, max_size=5))
	def test_they_agree(self, raws: list[dict[str, Any]]) -> None:
		try:
			body = json.dumps({"publicKey": "pk", "events": raws}, allow_nan=False).encode()
		except ValueError:
			return
		at_once = None if b"\\u0000" in body else events._read_at_once(body)
		if at_once is None:
			return
		_key, by_value, _sent = events._read_by_value(body, "", RECEIVED)
		self.assertTrue(all(type(one) is Raw for one in at_once[1]))
		self.assertEqual([verdict(one) for one in at_once[1]], [verdict(one) for one in by_value])

	@given(st.fixed_dictionaries({}, optional={name: json_values for name in FIELDS}))
	def test_wrong_types_are_read_by_value(self, values: dict[str, Any]) -> None:
		body = json.dumps({"publicKey": "pk", "events": [values]}).encode()
		try:
			[raw] = read_batch(body).events
		except BatchError as error:
			self.assertEqual(error.code, "not_json")
			return
		verdict(raw)

	def test_the_common_body_is_read_at_once(self) -> None:
		body = json.dumps({"publicKey": "pk", "events": [event("e1", timestamp=1)], "sentAt": 1}).encode()
		self.assertIs(type(read_batch(body).events[0]), Raw)

	def test_one_wrong_event_does_not_spoil_the_others(self) -> None:
		body = json.dumps(
			{"publicKey": "pk", "events": [event("e1"), event("e2", title=7), event("e3")]}
		).encode()
		self.assertEqual([verdict(one)[0] for one in read_batch(body).events], ["event", "refused", "event"])

	def test_the_policy_version_is_a_text_or_a_whole_number(self) -> None:
		"""EVT-5: whatever else it is costs its event alone."""
		for right, kept in (
			("2", "2"),
			(" 2026-1 ", "2026-1"),
			("x" * 200, "x" * 140),
			("\0", None),
			("", None),
			(0, 0),
		):
			raw = event("e1", type="CONSENT", consent="granted", policyVersion=right)
			self.assertEqual(read_event(raw, RECEIVED, None).policy_version, kept)
		for wrong in (True, 2.5, -1, 2**31, 10**30, [2], {}):
			raws = [event("e1", type="CONSENT", consent="granted", policyVersion=wrong), event("e2")]
			for first in (*raws, {"title": 7}), raws:
				body = json.dumps({"publicKey": "pk", "events": first}).encode()
				(kind, reason), (other, _event) = [verdict(one) for one in read_batch(body).events[:2]]
				self.assertEqual((kind, other), ("refused", "event"), wrong)
				self.assertEqual(reason, "policyVersion is no text and no whole number from 0 to 2147483647.")
		body = {"eventType": "consent", "consent": "granted", "policy_version": 3, "event_id": "e"}
		[raw] = read_batch(json.dumps(body).encode()).events
		self.assertEqual(read_event(raw, RECEIVED, None).policy_version, 3)

	def test_what_no_text_can_hold(self) -> None:
		for title in ('"a\\u0000b"', '"a\\ud800b"'):
			body = (
				b'{"publicKey": "pk", "events": [{"eventId": "e", "type": "CUSTOM", "title": %b}]}'
				% title.encode()
			)
			_kind, read = verdict(read_batch(body).events[0])
			self.assertIn(read.title, ("ab", "a?b"))


class TestPacking(unittest.TestCase):
	"""PRF-4: what travels is unpacked to what is stored, and anything else passes as it is."""

	CALLER = {"visitor": "v_00000000000000aa", "cookieless": True, "counted": True}

	def unpacked(self, *read: events.Event) -> list[dict[str, Any]]:
		record = packing.packed([(0, one) for one in read], [self.CALLER], "pk", SHOP, RECEIVED, "2")
		return list(packing.unpacked(json.loads(encode(record)), lambda: b"secret"))

	def test_an_event_as_a_record(self) -> None:
		raw = {
			**event("e1", url=f"{ORIGIN}/?utm_source=x&gclid=g", value="5", currency="eur", consent=True),
			"visitorId": None,
		}
		[record] = self.unpacked(read_event(raw, RECEIVED, None))
		self.assertEqual((record["utm"], record["click_ids"]), ({"utm_source": "x"}, {"gclid": "g"}))
		self.assertEqual((record["visitor"], record["cookieless"]), ("v_00000000000000aa", True))
		self.assertEqual((record["value"], record["currency"], record["domain"]), ("5", "EUR", SHOP))
		self.assertEqual((record["person"], record["properties"]), ({"consent_status": "Granted"}, None))

	def test_consent_with_its_policy_version(self) -> None:
		"""EVT-5: the version that the event names, else that of the settings; the same text in its data and on the visitor."""
		for said, version in (
			({}, "2"), ({"policyVersion": 0}, "0"), ({"policyVersion": "7"}, "7"), ({"policyVersion": 2**31 - 1}, "2147483647"),
			({"policyVersion": "007"}, "007"), ({"policyVersion": "2026-1"}, "2026-1"), ({"policyVersion": "9" * 200}, "9" * 140),
		):  # fmt: skip
			raw = event("e1", type="CONSENT", consent="denied", properties={"banner": "b"}, **said)
			[record] = self.unpacked(read_event(raw, RECEIVED, None))
			self.assertEqual(
				record["person"], {"consent_status": "Denied", "consent_policy_version": version}
			)
			self.assertEqual(
				record["properties"], {"banner": "b", "consent": "denied", "policy_version": version}
			)
		[record] = self.unpacked(read_event(event("e1", type="CONSENT", consent="none"), RECEIVED, None))
		self.assertEqual((record["person"], record["properties"]), ({}, None))

	def test_an_event_of_another_than_the_caller(self) -> None:
		[record] = self.unpacked(read_event(event("e1", visitorId="v_00000000000000bb"), RECEIVED, None))
		self.assertEqual(record["visitor"], "v_00000000000000bb")

	@given(st.dictionaries(st.text(max_size=5).filter(lambda name: name != "kind"), json_values, max_size=3))
	def test_other_records_pass(self, record: dict[str, Any]) -> None:
		self.assertEqual(list(packing.unpacked(record, lambda: b"")), [record])

	@given(st.lists(well_typed, min_size=1, max_size=3))
	def test_every_event_that_is_taken_becomes_a_record(self, raws: list[dict[str, Any]]) -> None:
		read = [found for kind, found in map(verdict, raws) if kind == "event"]
		records = self.unpacked(*read)
		self.assertEqual([one["event_id"] for one in records], [one.event_id for one in read])


class TestOnItsWay(CollectorTestCase):
	"""RED-7, RED-8: a batch that travels packed gets lost no more than a click."""

	def test_what_is_not_ours_is_dropped(self) -> None:
		for bad in (
			{"kind": "events"},
			{"kind": "events", "events": [[3, {}]], "callers": []},
			{"kind": "events", "events": 7},
		):
			queue_redis().xadd(connection.key("stream"), {"records": json.dumps([bad])})
		self.track(event("e1"))
		self.assertEqual(frappe.db.count("Visitor Event"), 1)
		self.assertEqual(queue_redis().xlen(connection.key("stream")), 0)

	def test_by_the_spool(self) -> None:
		read = read_event(event("e1", properties={"x": "y"}), RECEIVED, None)
		record = packing.packed([(0, read)], [TestPacking.CALLER | SHAPE], self.key, SHOP, RECEIVED, "1")
		before = writer.spooled()
		writer.put_aside([record, record], "a test")
		self.assertEqual(writer.spooled() - before, 2)
		self.assertGreater(spool.size(), 0)
		drain()
		self.assertEqual(frappe.get_all("Visitor Event", pluck="event_id"), ["e1"])


SHAPE = {"address": "", "user_agent": "", "is_bot": False, "bot_reason": "", "is_internal": False}


class TestOtherSpellings(CollectorTestCase):
	"""COL-1: what the other documents' scripts send."""

	def rows(self) -> list[Any]:
		drain()
		return frappe.get_all("Visitor Event", fields=["*"], order_by="event_type, event_name")

	def test_a_batch(self) -> None:
		body = {
			"eventType": "batch", "sessionId": "s", "siteId": self.key, "anonId": "a1",
			"events": [
				{"eventType": "pageview", "page_data": {"url": f"{ORIGIN}/p?utm_source=x", "title": "P"}},
				{"eventType": "click", "eventData": {"element": "test1"}, "path": "/products"},
				{"eventType": "form_submit", "eventData": {"form_id": "f", "fields": ["email"], "email": "x@example.com"}},
				{"eventType": "purchase", "eventData": {"order_id": "1", "value": 299.99, "currency": "USD"}},
			],
		}  # fmt: skip
		self.assertEqual(self.send(json.dumps(body).encode())["accepted"], 4)
		conversion, custom, form, page = self.rows()
		self.assertEqual(
			(conversion.event_name, conversion.value, conversion.currency), ("purchase", 299.99, "USD")
		)
		self.assertEqual((custom.event_name, custom.page_url), ("click", f"{ORIGIN}/products"))
		self.assertEqual(json.loads(form.form_data), {"form_id": "f", "fields": ["email"]})
		self.assertEqual((page.page_title, page.utm_source), ("P", "x"))
		self.assertEqual(len({one.visitor for one in (conversion, custom, form, page)}), 1)

	def test_a_single_event(self) -> None:
		body = {"eventType": "test_single", "sessionId": "s", "siteId": SHOP, "timestamp": None}
		for _time in range(2):
			self.send(json.dumps(body).encode())
		self.assertEqual([row.event_name for row in self.rows()], ["test_single"] * 2)

	def test_sent_again_it_is_stored_once(self) -> None:
		"""Without an id, what it says and when it happened are its identity."""
		body = {
			"eventType": "click",
			"siteId": self.key,
			"visitor_id": "theirs",
			"timestamp": int(time.time() * 1000),
		}
		self.assertEqual(self.send(json.dumps(body).encode())["accepted"], 1)
		self.assertEqual(self.send(json.dumps(body).encode())["duplicate"], 1)
		later = {**body, "timestamp": body["timestamp"] - 1}
		self.assertEqual(self.send(json.dumps(later).encode())["accepted"], 1)

	def test_what_is_wrong_is_said(self) -> None:
		for body, code in (
			({"eventType": "batch", "siteId": self.key, "events": 7}, "events_not_a_list"),
			({"eventType": "batch", "siteId": self.key}, "events_not_a_list"),
			({"eventType": "batch", "siteId": self.key, "events": []}, "number_of_events"),
			({"eventType": "click"}, "no_key"),
			({"eventType": "click", "siteId": 7}, "no_key"),
			({"eventType": "click", "siteId": "nobody"}, "unknown_key"),
		):
			self.assertEqual(
				self.send(json.dumps(body).encode(), 401 if code == "unknown_key" else 400)["error"], code
			)

	def test_the_domains_name_is_no_way_around_its_origin(self) -> None:
		make_domain("other.example.com")
		body = json.dumps({"eventType": "click", "siteId": "other.example.com"}).encode()
		self.assertEqual(self.send(body, 403)["error"], "origin")

	@given(st.dictionaries(st.sampled_from(
		["eventType", "event_type", "events", "siteId", "eventData", "page_data", "path", "anonId", "timestamp", "value"]
	), json_values | st.just("batch"), max_size=6))  # fmt: skip
	def test_no_body_breaks_it(self, data: dict[str, Any]) -> None:
		"""SEC-4"""
		told = dialects.translated(data, ORIGIN, RECEIVED)
		found = told.get("events")
		for raw in found if isinstance(found, list) else [told]:
			verdict(raw)


class TestFuzz(CollectorTestCase):
	"""SEC-4: rubbish is answered, leaves no row, and nothing in the Error Log."""

	def test_a_million_bytes_on_the_site(self) -> None:
		errors = frappe.db.count("Error Log")
		statuses = {self.rubbish(body) for body in rubbish(self.key)}
		self.assertLessEqual(statuses, {400, 401, 413, 429})
		drain()
		self.assertEqual((frappe.db.count("Visitor Event"), frappe.db.count("Error Log")), (0, errors))
		self.assertEqual((frappe.db.count("Click Queue"), frappe.db.count("Visitor")), (0, 0))

	def rubbish(self, body: bytes) -> int:
		headers = {"Content-Type": "text/plain", "Origin": ORIGIN}
		answer = self.request(
			"POST", "/api/method/trackflow.api.tracking.track_event", data=body, headers=headers
		)
		self.assertIn("error" if answer.status_code != 400 else "", answer.get_data(as_text=True))
		return answer.status_code


def rubbish(public_key: str, requests: int = 1000, size: int = 1000) -> list[bytes]:
	"""So many bodies of a thousand bytes: random ones, and a right one with bytes changed or cut off; none can be taken."""
	chance = random.Random(7)
	right = json.dumps({"publicKey": public_key, "events": [event("e1", title="x" * (size - 200))]}).encode()[
		:size
	]
	bodies = [chance.randbytes(size) for _ in range(requests // 2)]
	for number in range(requests - len(bodies)):
		body = bytearray(right)
		# Without its first brace it is no JSON, whatever else is in it.
		body[0] = chance.choice(b"[]x\x00\xff,")
		for _change in range(number % 50):
			body[chance.randrange(1, len(body))] = chance.randrange(256)
		bodies.append(bytes(body))
	return bodies
