"""Segment's API (COL-4): its messages as events, its addresses on the site, and its official libraries against a real edge."""

import base64
import gzip
import json
import os
import shutil
import subprocess
import sys
import unittest
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import frappe
from hypothesis import given
from hypothesis import strategies as st

from trackflow.stream.drain import drain
from trackflow.tests.base import CHROME, is_shared
from trackflow.tests.edge_process import Edge
from trackflow.tests.factories import SHOP, make_domain, make_key, set_settings
from trackflow.tests.test_collector import CollectorTestCase
from trackflow.tests.test_events import json_values
from trackflow.tracking import segment
from trackflow.tracking.events import BatchError, EventError, read_event

NOW = "2027-01-15T08:00:00.000Z"
RECEIVED = datetime(2027, 1, 15, 8, 0, 1, tzinfo=UTC).timestamp()
NODE_MODULES = Path(__file__).parents[2] / "tracker" / "node_modules"
NODE_SCRIPT = Path(__file__).parent / "data" / "segment_node.cjs"
FIELDS = (
	"type", "messageId", "anonymousId", "userId", "timestamp", "originalTimestamp", "event", "name", "properties", "traits",
	"context", "previousId", "groupId",
)  # fmt: skip
CONTEXT = ("page", "campaign", "ip", "userAgent", "consent", "screen")


def mapped(call: str, **message: Any) -> Any:
	"""The event of one message."""
	message = {"messageId": "m1", "anonymousId": "ada", "timestamp": NOW, **message}
	batch = segment.read_batch(f"/v1/{call}", json.dumps({"sentAt": NOW, **message}).encode())
	return read_event(batch.events[0], RECEIVED, batch.sent_at)


class TestMapping(unittest.TestCase):
	"""COL-4: each call of Segment's specification in our words."""

	def test_track(self) -> None:
		event = mapped("track", event="Clicked", properties={"a": 1}, userId="u1")
		self.assertEqual((event.type, event.name, event.event_id), ("CUSTOM", "Clicked", "m1"))
		self.assertEqual((event.properties, event.anonymous_id), ({"a": 1}, "ada"))

	def test_an_order_is_a_conversion(self) -> None:
		order = {"revenue": 19.9, "currency": "eur", "order_id": "7"}
		event = mapped("track", event="Order Completed", properties=order)
		self.assertEqual((event.type, event.name), ("CONVERSION", "Order Completed"))
		self.assertEqual((event.value, event.currency), ("19.9", "EUR"))
		self.assertEqual(mapped("track", event="Order Completed", properties={"total": "5"}).value, "5")
		self.assertEqual(mapped("track", event="Order Completed", properties={"revenue": "much"}).value, "0")
		self.assertEqual(mapped("track", event="Product Viewed", properties={"value": 3}).type, "CUSTOM")

	def test_page(self) -> None:
		page = {"url": f"https://{SHOP}/a", "title": "A", "referrer": "https://x.example/"}
		for message in ({"properties": {**page, "colour": "red"}}, {"context": {"page": page}}):
			event = mapped("page", **message)
			self.assertEqual((event.type, event.url, event.title), ("PAGE_VIEW", page["url"], "A"))
			self.assertEqual(event.referrer, page["referrer"])
		self.assertEqual(mapped("page", properties={**page, "colour": "red"}).properties, {"colour": "red"})
		self.assertEqual(mapped("page", name="Home").type, "CUSTOM")

	def test_screen_group_alias(self) -> None:
		self.assertEqual(mapped("screen", name="Main").name, "Viewed Main Screen")
		self.assertEqual(mapped("group", groupId="g", traits={"name": "Secret"}).name, "Group")
		alias = mapped("alias", previousId="ada@example.com", userId="u1")
		self.assertEqual((alias.name, alias.properties), ("Alias", None))

	def test_identify(self) -> None:
		event = mapped("identify", traits={"email": "Ada@Example.com", "firstName": "Ada", "lastName": "L"})
		self.assertEqual((event.type, event.email, event.full_name), ("IDENTIFY", "ada@example.com", "Ada L"))

	def test_whose(self) -> None:
		self.assertEqual(
			mapped("track", event="x", anonymousId="v_0123456789abcdef").visitor_id, "v_0123456789abcdef"
		)
		self.assertEqual(mapped("track", event="x", anonymousId=None, userId=42).anonymous_id, "42")

	def test_context(self) -> None:
		context = {
			"ip": "198.51.100.9", "userAgent": "UA", "screen": {"width": 10, "height": 20}, "consent": "granted",
			"page": {"url": f"https://{SHOP}/?a=1#top"}, "campaign": {"name": "spring", "source": "news"},
		}  # fmt: skip
		event = mapped("track", event="x", context=context)
		self.assertEqual((event.address, event.user_agent, event.screen), ("198.51.100.9", "UA", "10x20"))
		self.assertEqual(event.url, f"https://{SHOP}/?a=1&utm_campaign=spring&utm_source=news#top")
		own = {**context, "page": {"url": f"https://{SHOP}/?utm_source=own"}}
		self.assertEqual(mapped("track", event="x", context=own).url, f"https://{SHOP}/?utm_source=own")

	def test_consent(self) -> None:
		for preferences, said in (
			({"Analytics": True, "Advertising": False}, "granted"),
			({"Analytics": False, "Advertising": True}, "denied"),
			({"C0001": True, "C0002": True}, "granted"),
			({"C0001": True, "C0002": False}, "denied"),
			({}, ""),
		):
			context = {"consent": {"categoryPreferences": preferences}}
			self.assertEqual(mapped("track", event="x", context=context).consent, said)

	def test_a_wrong_clock_is_corrected(self) -> None:
		event = mapped("track", event="x", timestamp="2027-01-15T09:59:00Z", sentAt="2027-01-15T10:00:00Z")
		self.assertEqual(event.at, RECEIVED - 60)

	def test_a_batch_shares_its_context(self) -> None:
		body = {
			"batch": [{"type": "track", "event": "x", "messageId": "1", "context": {"ip": "1.2.3.4"}}],
			"context": {"userAgent": "UA"},
		}
		[raw] = segment.read_batch("/v1/batch", json.dumps(body).encode()).events
		self.assertEqual((raw["ip"], raw["userAgent"]), ("1.2.3.4", "UA"))

	def test_what_is_refused(self) -> None:
		for path, body, encoding, code in (
			("/v1/track", b"{", "", "not_json"),
			("/v1/track", b"[]", "", "not_an_object"),
			("/v1/batch", b"{}", "", "batch_not_a_list"),
			("/v1/batch", b'{"batch": []}', "", "number_of_messages"),
			("/v1/track", b"{}", "gzip", "not_gzip"),
			("/v1/track", b" " * (segment.MAX_BYTES + 1), "", "too_large"),
			("/v1/track", gzip.compress(b" " * (segment.MAX_BYTES + 1)), "gzip", "too_large"),
		):
			with self.assertRaises(BatchError) as caught:
				segment.read_batch(path, body, encoding)
			self.assertEqual(caught.exception.code, code)
		for event in (
			{"type": "dance"},
			{"type": None},
			{"type": ["track"]},
			{"type": "track", "messageId": None},
			7,
		):
			batch = segment.read_batch("/v1/batch", json.dumps({"batch": [event]}).encode())
			self.assertRaises(EventError, read_event, batch.events[0], RECEIVED, None)

	@given(
		st.sampled_from(sorted(segment.CALLS)),
		st.binary(max_size=100) | json_values.map(lambda value: json.dumps(value).encode()),
		st.sampled_from(["", "gzip", "br"]),
	)
	def test_no_body_breaks_it(self, path: str, body: bytes, encoding: str) -> None:
		"""SEC-4"""
		try:
			segment.read_batch(path, body, encoding)
		except BatchError as error:
			self.assertIn(error.status, (400, 413))

	@given(
		st.sampled_from([*segment._MAKERS, "dance"]),
		st.fixed_dictionaries({}, optional={name: json_values for name in FIELDS}),
		st.fixed_dictionaries({}, optional={name: json_values for name in CONTEXT}),
	)
	def test_no_message_breaks_it(self, kind: str, values: dict[str, Any], context: dict[str, Any]) -> None:
		"""SEC-4"""
		message = {"type": kind, "context": context, **values}
		body = json.dumps({"batch": [message]}).replace("NaN", "1").replace("Infinity", "1").encode()
		batch = segment.read_batch("/v1/batch", body)
		try:
			event = read_event(batch.events[0], RECEIVED, batch.sent_at)
		except EventError:
			return
		json.dumps([event.url, event.title, event.name, event.properties]).encode()


class SegmentTestCase(CollectorTestCase):
	def setUp(self) -> None:
		super().setUp()
		set_settings(gdpr_compliance_enabled=0)
		self.write_key = make_key()
		# The edge is another process.
		frappe.db.commit()

	def call(self, call: str, status: int, write_key: str | None = None, **message: Any) -> dict[str, Any]:
		"""A call to the site; the body declared as Segment's libraries declare it."""
		named = base64.b64encode(f"{write_key or self.write_key}:".encode()).decode()
		headers = {"Authorization": f"Basic {named}", "Content-Type": "application/json"}
		now = datetime.now(UTC).isoformat()
		body = {"messageId": "m1", "anonymousId": "ada", "timestamp": now, "sentAt": now, **message}
		answer = self.request("POST", f"/v1/{call}", data=json.dumps(body).encode(), headers=headers)
		self.assertEqual(answer.status_code, status, answer.get_data(as_text=True))
		return json.loads(answer.get_data())

	def rows(self) -> list[Any]:
		drain()
		frappe.db.rollback()
		return frappe.get_all("Visitor Event", fields=["*"], order_by="event_name, event_id")


class TestOnTheSite(SegmentTestCase):
	"""COL-4 by the earliest hook: exactly Segment's addresses, with Basic auth."""

	def test_taken(self) -> None:
		context = {
			"ip": "198.51.100.9",
			"userAgent": CHROME,
			"page": {"url": f"https://{SHOP}/?utm_source=news"},
		}
		answer = self.call("track", 200, event="Clicked", context=context)
		self.assertEqual((answer["success"], answer["accepted"]), (True, 1))
		drain()
		self.assertEqual(self.call("track", 200, event="Clicked")["duplicate"], 1)
		[row] = self.rows()
		self.assertEqual((row.domain, row.event_name, row.utm_source), (SHOP, "Clicked", "news"))
		self.assertEqual((row.ip_address, row.browser, row.counted), ("198.51.100.9", "Chrome", 1))

	def test_a_wrong_key(self) -> None:
		answer = self.call("track", 401, write_key="nobody", event="x")
		self.assertEqual((answer["success"], answer["code"]), (False, "wrong_key"))
		self.assertEqual(self.rows(), [])

	def test_no_key_at_all(self) -> None:
		for authorization in ("Basic !", "Basic Og=="):
			headers = {"Authorization": authorization}
			answer = self.request("POST", "/v1/track", headers=headers, data=b'{"event": "x"}')
			self.assertEqual((answer.status_code, answer.json["code"]), (401, "no_key"))

	def test_a_public_key_is_no_write_key(self) -> None:
		self.call("track", 401, write_key=self.key, event="x")

	def test_a_page_of_another_website(self) -> None:
		answer = self.call("page", 400, properties={"url": "https://evil.example.org/"})
		self.assertEqual(answer["rejected"][0]["index"], 0)

	def test_a_name_only_with_consent(self) -> None:
		"""COL-7, RED-5: traits.email is kept where consent allows it."""
		for site, consent in (("asks.example.com", None), ("asks.example.com", "granted")):
			if not frappe.db.exists("Domain Configuration", site):
				make_domain(site, consent_required=1)
				key = make_key("asks", domain=site)
			traits, context = {"email": "ada@example.com"}, {"consent": consent}
			self.call("identify", 200, key, messageId=str(consent), traits=traits, context=context)
			drain()
			known = frappe.get_all("Visitor", filters={"contact_email": "ada@example.com"})
			self.assertEqual(len(known), 1 if consent else 0)

	def test_everything_else_passes(self) -> None:
		for method, path, headers in (
			("POST", "/v1/track", {}),
			("GET", "/v1/track", {"Authorization": "Basic eDo="}),
			("POST", "/v1/other", {}),
			("POST", "/v2/track", {}),
			("POST", "/v1/track/more", {}),
		):
			answer = self.request(method, path, headers=headers, data=b"")
			self.assertNotIn(b"wrong_key", answer.get_data())


@unittest.skipUnless(is_shared(), "an edge is another process, which sees this one's data only on servers")
class TestOfficialLibraries(SegmentTestCase):
	"""COL-4: unmodified, with nothing changed but the host, they send to a real edge, and what they sent is stored."""

	def test_python(self) -> None:
		with Edge("--any-host") as edge:
			script = (
				"import segment.analytics as analytics, sys\n"
				"analytics.write_key, analytics.host = sys.argv[1], sys.argv[2]\n"
				"analytics.gzip = sys.argv[3] == 'gzip'\n"
				"failed = []\n"
				"analytics.on_error = lambda error, items: failed.append(error)\n"
				"page = {'url': sys.argv[4], 'title': 'Products'}\n"
				"analytics.identify('u1', {'email': 'ada@example.com', 'name': 'Ada'}, anonymous_id='ada')\n"
				"analytics.page('u1', None, 'Products', page, anonymous_id='ada')\n"
				"analytics.track('u1', 'Order Completed', {'revenue': 19.9, 'currency': 'EUR'}, anonymous_id='ada')\n"
				"analytics.screen('u1', None, 'Main', {}, anonymous_id='ada')\n"
				"analytics.group('u1', 'g1', {'name': 'Works'}, anonymous_id='ada')\n"
				"analytics.alias('old', 'u1')\n"
				"analytics.flush()\n"
				"sys.exit(str(failed) if failed else 0)\n"
			)
			for packing in ("plain", "gzip"):
				arguments = [
					self.write_key,
					f"http://127.0.0.1:{edge.port}",
					packing,
					f"https://{SHOP}/products?utm_source=news",
				]
				done = subprocess.run(
					[sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60
				)
				self.assertEqual(done.returncode, 0, done.stderr)
		self.check(2)

	@unittest.skipUnless(
		shutil.which("node") and (NODE_MODULES / "@segment").exists(),
		"the Node library is not installed here",
	)
	def test_node(self) -> None:
		with Edge("--any-host") as edge:
			environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
			arguments = [
				self.write_key,
				f"http://127.0.0.1:{edge.port}",
				f"https://{SHOP}/products?utm_source=news",
			]
			done = subprocess.run(
				["node", str(NODE_SCRIPT), *arguments],
				capture_output=True,
				text=True,
				timeout=60,
				env=environment,
			)
			self.assertEqual(done.returncode, 0, done.stderr)
		self.check(1)

	def check(self, times: int) -> None:
		rows = self.rows()
		by_type = {row.event_type: row for row in rows}
		self.assertEqual(len(rows), 6 * times, [row.event_name for row in rows])
		self.assertEqual(by_type["PAGE_VIEW"].utm_source, "news")
		named = {row.event_name for row in rows if row.event_type == "CUSTOM"}
		self.assertEqual(named, {"Viewed Main Screen", "Group", "Alias"})
		self.assertTrue(all(row.counted for row in rows))
		[person] = frappe.get_all("Visitor", filters={"contact_email": "ada@example.com"}, fields=["*"])
		self.assertEqual((person.contact_name, by_type["PAGE_VIEW"].visitor), ("Ada", person.name))
		conversions = frappe.get_all("Conversion", fields=["visitor", "conversion_type", "value", "currency"])
		self.assertEqual(len(conversions), times)
		self.assertEqual(
			(
				conversions[0].visitor,
				conversions[0].conversion_type,
				conversions[0].value,
				conversions[0].currency,
			),
			(person.name, "Order Completed", 19.9, "EUR"),
		)
