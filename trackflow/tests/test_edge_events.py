"""The collector on the edge as a process of its own, over real HTTP (COL-1 to COL-4, SEC-4, RED-8)."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import frappe

from trackflow.access import stored_keys
from trackflow.stream import connection, spool
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.tests.edge_process import Answer, Edge, wait_until
from trackflow.tests.factories import SHOP, batch, event, make_domain, make_key, make_link, set_settings
from trackflow.tests.test_collector import ORIGIN
from trackflow.tests.test_edge import EdgeTestCase
from trackflow.tests.test_packing import rubbish
from trackflow.tracking.script_options import OWN_POSTED_FORMS

HEADERS = {"Origin": ORIGIN, "Content-Type": "text/plain"}


class EdgeEventsTestCase(EdgeTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.key = make_domain(SHOP).public_key

	def send(self, edge: Edge, body: bytes, path: str = "/collect", **options: Any) -> Answer:
		return edge.request("POST", path, body=body, headers=options.pop("headers", HEADERS), **options)


class TestEndpoints(EdgeEventsTestCase):
	"""COL-1, COL-2: what is answered besides events."""

	def test_what_a_script_asks_for(self) -> None:
		options = '{"batch-size": 20, "forms": "all"}'
		make_domain(
			"asks.example.com", consent_required=1, consent_default="Opt-out", tracking_settings=options
		)
		make_domain("off.example.com", enabled=0)
		with self.edge() as edge:
			answer = edge.get(f"/api/v1/config/domain/{SHOP}")
			told = {
				"domain": SHOP,
				"publicKey": self.key,
				"consent": {"required": False, "default": "opt-in"},
				"options": {},
			}
			self.assertEqual((answer.status_code, json.loads(answer.body)), (200, told))
			asks = json.loads(edge.get("/api/v1/config/domain/asks.example.com").body)
			self.assertEqual(asks["consent"], {"required": True, "default": "opt-out"})
			self.assertEqual(asks["options"], {"batch-size": "20", "forms": OWN_POSTED_FORMS})
			for name in ("evil.example.org", "off.example.com", "", f"{SHOP}/x", "%00"):
				self.assertEqual(edge.get(f"/api/v1/config/domain/{name}").status_code, 404)
			self.assertEqual(edge.request("POST", f"/api/v1/config/domain/{SHOP}", body=b"").status_code, 405)

	def test_the_script(self) -> None:
		"""COL-5 under the other documents' address; its events come back to the edge."""
		with self.edge() as edge:
			path = f"/pixel/{self.key}/tracking.js"
			answer = edge.get(path)
			self.assertEqual(
				(answer.status_code, answer.headers.get_content_type()), (200, "text/javascript")
			)
			self.assertIn(f"http://{edge.site}/collect".encode(), answer.body)
			self.assertIn(self.key.encode(), answer.body)
			again = edge.get(path, headers={"If-None-Match": answer.headers["ETag"]})
			self.assertEqual((again.status_code, again.body), (304, b""))
			for unknown in (
				f"/pixel/pk_{'0' * 24}/tracking.js",
				"/pixel/x/tracking.js",
				f"/pixel/{self.key}/other.js",
			):
				answer = edge.get(unknown)
				self.assertEqual((answer.status_code, answer.headers["Cache-Control"]), (404, "no-store"))
			self.assertEqual(edge.request("POST", path, body=b"").status_code, 405)

	def test_who_asks_too_often_or_is_blocked(self) -> None:
		"""COL-3: the limit of scripts, and blocked addresses, hold here too."""
		paths = (f"/pixel/{self.key}/tracking.js", f"/api/v1/config/domain/{SHOP}")
		set_settings(limit_scripts_per_address_minute=2)
		with self.edge() as edge:
			answers = [edge.get(path) for path in (*paths, *paths)]
			self.assertEqual([one.status_code for one in answers], [200, 200, 429, 429])
			self.assertGreater(int(answers[-1].headers["Retry-After"]), 0)
		set_settings(blocked_addresses="203.0.113.0/28")
		with self.edge() as edge:
			self.assertEqual({edge.get(path).status_code for path in paths}, {403})

	def test_what_is_refused_before_it_is_read(self) -> None:
		"""COL-1: an error that the page can read, in every case."""
		with self.edge() as edge:
			answer = self.send(edge, b" " * 300_000)
			self.assertEqual(
				(
					answer.status_code,
					json.loads(answer.body)["error"],
					answer.headers["Access-Control-Allow-Origin"],
				),
				(413, "too_large", "*"),
			)
			answer = edge.get("/collect")
			self.assertEqual((answer.status_code, json.loads(answer.body)["error"]), (405, "method"))

	def test_preflight(self) -> None:
		with self.edge() as edge:
			answer = edge.request("OPTIONS", "/collect", headers={"Origin": ORIGIN})
			self.assertEqual(
				(answer.status_code, answer.headers["Access-Control-Allow-Origin"]), (204, ORIGIN)
			)
			answer = edge.request("OPTIONS", "/collect", headers={"Origin": "https://evil.example.org"})
			self.assertEqual((answer.status_code, answer.headers["Access-Control-Allow-Origin"]), (403, None))

	def test_a_servers_key(self) -> None:
		key = make_key()
		body = json.dumps({"events": [event("e1")]}).encode()
		with self.edge() as edge:
			self.assertEqual(
				self.send(edge, body, headers={"Authorization": f"Bearer {key}"}).status_code, 202
			)
			self.assertEqual(
				self.send(edge, body, headers={"Authorization": "Bearer nobody"}).status_code, 401
			)
			self.assertEqual(self.send(edge, body, headers={"X": "y"}).status_code, 400)

	def test_a_new_key_is_known_and_a_revoked_one_is_not(self) -> None:
		body = json.dumps({"events": [event("e1")]}).encode()
		with self.edge() as edge:
			self.assertEqual(edge.get(f"/api/v1/config/domain/{SHOP}").status_code, 200)
			key = make_key()
			frappe.db.commit()
			headers = {"Authorization": f"Bearer {key}"}
			wait_until(
				lambda: self.send(edge, body, headers=headers).status_code == 202, "The key is not known"
			)
			stored_keys.revoke("shop server")
			frappe.db.commit()
			wait_until(
				lambda: self.send(edge, body, headers=headers).status_code == 401, "The key still opens"
			)


class TestLimits(EdgeEventsTestCase):
	"""COL-3 on the edge: events with everybody else, redirects by the process."""

	def test_events(self) -> None:
		set_settings(limit_events_per_address_minute=2)
		with self.edge() as edge:
			answers = [self.send(edge, batch(self.key, event(str(number)))) for number in range(3)]
			self.assertEqual([one.status_code for one in answers], [202, 202, 429])
			self.assertGreater(int(answers[2].headers["Retry-After"]), 0)
			other = self.send(edge, batch(self.key, event("3")), address="198.51.100.1")
			self.assertEqual(other.status_code, 202)

	def test_redirects(self) -> None:
		make_link("spring")
		set_settings(limit_redirects_per_address_minute=2)
		with self.edge() as edge:
			answers = [edge.get("/r/spring") for _ in range(3)]
			self.assertEqual([one.status_code for one in answers], [302, 302, 429])
			self.assertGreater(int(answers[2].headers["Retry-After"]), 0)
			self.assertEqual(edge.get("/r/spring", address="198.51.100.1").status_code, 302)

	def test_blocked_addresses(self) -> None:
		make_link("spring")
		set_settings(blocked_addresses="203.0.113.0/24")
		with self.edge() as edge:
			self.assertEqual(self.send(edge, batch(self.key, event("1"))).status_code, 403)
			self.assertEqual(edge.get("/r/spring").status_code, 403)
			self.assertEqual(edge.get("/r/spring", address="198.51.100.1").status_code, 302)


class TestRubbish(EdgeEventsTestCase):
	"""SEC-4, COL-2: whatever comes, no 5xx; of what may not come, nothing is stored."""

	def test_a_million_bytes(self) -> None:
		set_settings(limit_events_per_address_minute=0)
		errors = frappe.db.count("Error Log")
		paths = ("/collect", "/api/track", "/v1/batch", "/v1/track")
		with self.edge() as edge:
			statuses = {
				self.send(edge, body, paths[number % 4]).status_code
				for number, body in enumerate(rubbish(self.key))
			}
			self.assertEqual(edge.health()["ok"], True)
		self.assertLessEqual(statuses, {400, 401})
		self.assert_nothing(errors)

	def test_an_origin_that_may_not_send(self) -> None:
		errors = frappe.db.count("Error Log")
		body = batch(self.key, event("e1", title="marker-of-a-stranger"))
		with self.edge() as edge:
			for headers in (
				{"Origin": "https://evil.example.org"},
				{"Referer": "https://evil.example.org/"},
				{"X": "y"},
			):
				self.assertEqual(self.send(edge, body, headers=headers).status_code, 403)
		redis = queue_redis()
		self.assertNotIn(b"marker", b" ".join(redis.dump(one) or b"" for one in redis.scan_iter("*")))
		self.assertFalse(list(redis.scan_iter("*seen*")))
		self.assert_nothing(errors)

	def assert_nothing(self, errors: int) -> None:
		self.assertEqual((queue_redis().xlen(connection.key("stream")), spool.size()), (0, 0))
		drain()
		frappe.db.rollback()
		for doctype in ("Visitor Event", "Visitor", "Visitor Session", "Click Queue"):
			self.assertEqual(frappe.db.count(doctype), 0)
		self.assertEqual(frappe.db.count("Error Log"), errors)


class TestFlood(EdgeEventsTestCase):
	"""COL-1, RED-8: many clients at once that send again what was answered: each event is stored once, sessions are right.
	`python -m benchmarks.flood` does it with a hundred thousand."""

	CLIENTS, BATCHES, SIZE = 10, 10, 20

	def test_each_event_once(self) -> None:
		set_settings(limit_events_per_address_minute=0, limit_events_per_site_minute=0)
		with self.edge() as edge, ThreadPoolExecutor(self.CLIENTS) as clients:
			verdicts = list(clients.map(lambda number: self.client(edge, number), range(self.CLIENTS)))
		sent = self.CLIENTS * self.BATCHES * self.SIZE
		self.assertEqual(sum(one["accepted"] for one in verdicts), sent)
		self.assertGreater(sum(one["duplicate"] for one in verdicts), 0)
		drain()
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("Visitor Event"), sent)
		sessions = frappe.get_all("Visitor Session", fields=["visitor_id", "event_count", "page_views"])
		self.assertEqual(len({one.visitor_id for one in sessions}), self.CLIENTS)
		self.assertEqual([one.event_count for one in sessions], [self.BATCHES * self.SIZE] * self.CLIENTS)

	def client(self, edge: Edge, number: int) -> dict[str, int]:
		"""One visitor's browser: every batch once, some twice, and now and then an event of an earlier one again."""
		chance = random.Random(number)
		counts = {"accepted": 0, "duplicate": 0}
		for portion in range(self.BATCHES):
			ids = [f"{number}-{portion}-{index}" for index in range(self.SIZE)]
			again = [f"{number}-{portion - 1}-0"] if portion and chance.random() < 0.5 else []
			events = [event(one, visitorId=f"v_{number:016x}") for one in ids + again]
			for _time in range(chance.choice((1, 1, 2))):
				answer = json.loads(self.send(edge, batch(self.key, *events)).body)
				for name in counts:
					counts[name] += answer[name]
		return counts
