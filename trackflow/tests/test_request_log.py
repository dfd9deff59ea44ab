"""The log of requests with a key, and how each key is used (KEY-2, SEC-2, SEC-3)."""

import base64
import json
import os
import time
import unittest
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, now_datetime
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from trackflow.access import api_keys, redacted, request_log, stored_keys
from trackflow.access.redacted import BLACK
from trackflow.access.request_log import LOG
from trackflow.exceptions import StreamUnavailable
from trackflow.health import measure
from trackflow.stream import connection, tally
from trackflow.tests.base import CHROME, counted_statements, fork, is_shared
from trackflow.tests.edge_process import wait_until
from trackflow.tests.factories import (
	SHOP,
	batch,
	event,
	make_campaign,
	make_domain,
	make_key,
	make_visitor,
	set_settings,
)
from trackflow.tests.test_edge_events import EdgeEventsTestCase
from trackflow.tests.test_keyed import CAMPAIGNS, LINKS, MANAGER, REALTIME, WHO, KeyedTestCase

ADA = "ada.lovelace@example.com"
FIELDS = ["*"]


class LogTestCase(KeyedTestCase):
	def logged(self) -> list[frappe._dict]:
		"""All rows, after what waits became rows."""
		request_log.store()
		return frappe.get_all(LOG, fields=FIELDS, order_by="request_time, name")

	def the_only_one(self) -> frappe._dict:
		(row,) = self.logged()
		return row


class TestEveryRequest(LogTestCase):
	"""KEY-2: each request with a key leaves a row, whatever became of it."""

	def test_one_that_is_answered(self) -> None:
		key = self.key_of(name="mine")
		before = now_datetime() - timedelta(seconds=1)
		self.ask(key, LINKS, query_string={"limit": 3, "filters": '{"title": "x"}'})
		row = self.the_only_one()
		self.assertEqual(
			(row.api_key, row.method, row.endpoint, row.response_code),
			("mine", "GET", "/api/resource/Tracked Link", 200),
		)
		self.assertTrue(before <= row.request_time <= now_datetime())
		self.assertTrue(0 <= row.duration_ms < 60_000)
		self.assertEqual(json.loads(row.request_data), {"limit": "3", "filters": BLACK})
		self.assertEqual(json.loads(row.response_data).keys(), {"bytes"})

	def test_those_that_are_not(self) -> None:
		past = now_datetime() - timedelta(minutes=1)
		self.ask(self.key_of(name="1"), "/api/resource/User", 403)
		self.ask(self.key_of(MANAGER, "costs:read", name="2"), REALTIME, 403)
		self.ask(self.key_of(name="3", expires_on=past), status=401)
		self.ask(self.key_of(name="4", addresses=["192.0.2.1"]), status=403)
		limited = self.key_of(name="5", limit_per_day=1)
		self.ask(limited)
		self.ask(limited, status=429)
		stored_keys.create("6", ["links:read"], None, MANAGER)
		stored_keys.revoke("6")
		self.ask(self.key_of(name="7"), f"{LINKS}/none", 404)
		self.ask(self.key_of(name="8"), LINKS, 400, query_string={"expand": "x"})
		self.ask(self.key_of(name="9"), LINKS, 417, method="POST", json={"target_url": "no address"})
		found = {
			(row.api_key, row.response_code, json.loads(row.response_data).get("error"))
			for row in self.logged()
		}
		self.assertEqual(
			found,
			{
				("1", 403, "closed"),
				("2", 403, "key_scope"),
				("3", 401, "key_expired"),
				("4", 403, "key_address"),
				("5", 200, None),
				("5", 429, "too_many"),
				("7", 404, "DoesNotExistError"),
				("8", 400, "argument"),
				("9", 417, "ValidationError"),
			},
		)

	def test_a_limit_of_the_method_itself(self) -> None:
		"""Answered by an exception that Frappe shows to no hook."""
		set_settings(limit_management_requests_per_address_hour=1)
		key = self.key_of()
		path = "/api/method/trackflow.api.privacy.preview"
		for status in (200, 429):
			self.ask(key, path, status, method="POST", json={"subject": ADA})
		last = self.logged()[-1]
		self.assertEqual((last.response_code, json.loads(last.response_data)), (429, {"error": "too_many"}))

	def test_a_key_that_there_is_not_leaves_none(self) -> None:
		"""Or anybody could fill the log. It is counted."""
		key = self.key_of()
		for shown in (f"{key}x", "tfk_0123456789abcdef_x"):
			self.ask(shown, status=401)
		self.assertEqual(self.logged(), [])
		self.assertEqual(measure.metrics()["refusals"]["api"], {"wrong_key": 2})

	def test_others_leave_none(self) -> None:
		self.get("/api/method/ping")
		self.get(LINKS.replace(" ", "%20"), headers=self.authorization(MANAGER))
		self.assertEqual(self.logged(), [])


class TestWhatIsKept(LogTestCase):
	"""KEY-2, SEC-3: neither a secret nor a person; an address as the privacy settings say."""

	def test_no_secret_and_no_person(self) -> None:
		key = self.key_of()
		make_visitor("v_00000000000000cc")
		secret = key[api_keys.PREFIX_LENGTH + 1 :]
		planted = (ADA, "v_00000000000000cc", "Lovelace", secret, "s3cr3t")
		privacy = "/api/method/trackflow.api.privacy.preview"
		self.ask(key, privacy, method="POST", json={"subject": ADA, "lovelace@x": "Lovelace", "limit": ADA})
		self.ask(key, "/api/resource/Visitor/v_00000000000000cc")
		self.ask(key, "/api/resource/Visitor", query_string={"filters": json.dumps({"contact_email": ADA})})
		self.ask(key, f"/api/resource/CRM Lead/{ADA}", 403)
		self.ask(key, f"/{ADA}/Lovelace", 403)
		self.ask(key, f"/api/method/{ADA}", 403)
		self.ask(key, f"{LINKS}/{ADA}", 404)
		body = {
			"target_url": f"https://shop.example.com/?mail={ADA}",
			"password": "s3cr3t",
			"title": "Lovelace",
		}
		self.ask(key, LINKS, method="POST", json=body)
		self.request("GET", WHO, headers={"X-TrackFlow-Key": key, "Cookie": f"a={ADA}", "Referer": ADA})
		rows = self.logged()
		self.assertEqual(len(rows), 9)
		for row in rows:
			text = frappe.as_json({**row, "owner": "", "modified_by": ""})
			for one in planted:
				self.assertNotIn(one.lower(), text.lower(), row.endpoint)

	def test_addresses(self) -> None:
		key = self.key_of()
		for settings, expected in (
			({"gdpr_compliance_enabled": 0}, "203.0.113.7"),
			({"anonymize_ip_addresses": 1}, "203.0.113.0"),
		):
			set_settings(**settings)
			frappe.db.delete(LOG)
			self.ask(key)
			self.assertEqual(self.the_only_one().ip_address, expected)
		set_settings(gdpr_compliance_enabled=1)
		frappe.db.delete(LOG)
		self.ask(key)
		self.assertRegex(self.the_only_one().ip_address, r"^[0-9a-f]{32}$")
		frappe.db.delete(LOG)
		self.ask(key, headers={"DNT": "1"})
		self.assertFalse(self.the_only_one().ip_address)

	def test_texts_of_callers_are_inert(self) -> None:
		"""SEC-2: whoever looks at the log looks at what programs sent."""
		key = self.key_of()
		hostile = "<img src=x onerror=alert(1)>"
		self.ask(key, f"{LINKS}/{hostile}", 404)
		self.ask(key, REALTIME, 417, query_string={"domain": hostile, hostile: "x", "format": hostile})
		for row in self.logged():
			self.assertNotIn("<", frappe.as_json([row.endpoint, row.request_data, row.response_data]))

	def test_names_of_configuration_stay(self) -> None:
		make_campaign("Spring Sale")
		self.ask(self.key_of(), f"{CAMPAIGNS}/Spring Sale")
		self.assertEqual(self.the_only_one().endpoint, "/api/resource/Link Campaign/Spring Sale")


class TestRedacted(unittest.TestCase):
	"""KEY-2, pure."""

	def test_addresses(self) -> None:
		for path, expected in (
			("/api/method/trackflow.api.links.create_links", "/api/method/trackflow.api.links.create_links"),
			("/api/v2/document/Tracked Link/abc", "/api/v2/document/Tracked Link/abc"),
			("/api/resource/Conversion/c1/", f"/api/resource/Conversion/{BLACK}"),
			("/api/resource/User/ann", f"/api/resource/{BLACK}/{BLACK}"),
			("/v1/track", "/v1/track"),
			("/collect", "/collect"),
			("/private/files/ann.pdf", f"/{BLACK}/{BLACK}/{BLACK}"),
			("/api/method/x y/ann", f"/api/method/{BLACK}/{BLACK}"),
			("", f"/{BLACK}"),
			("/" + "x/" * 500, "/" + "/".join([BLACK] * 6)),
		):
			self.assertEqual(redacted.endpoint(path), expected, path)

	def test_arguments(self) -> None:
		given_ = {
			"from_date": "2027-01-01",
			"limit": 5,
			"dry_run": True,
			"lead": "Ann",
			"links": [1],
			"model": ["x"],
		}
		kept = {**given_, "lead": BLACK, "links": BLACK, "model": BLACK}
		self.assertEqual(json.loads(redacted.arguments(given_)), kept)
		many = json.loads(redacted.arguments({f"a{number}": "x" for number in range(99)}))
		self.assertEqual(len(many), redacted.MOST_ARGUMENTS)

	@given(
		st.text(max_size=300), st.dictionaries(st.text(max_size=80), st.text(max_size=300) | st.integers())
	)
	def test_whatever_was_sent(self, path: str, arguments: dict[str, Any]) -> None:
		"""Short, readable again, and nothing that begins a tag."""
		endpoint, kept = redacted.endpoint(path), redacted.arguments(arguments)
		self.assertNotIn("<", endpoint + kept)
		self.assertLess(len(endpoint), 1000)
		self.assertTrue(all(len(name) <= 64 for name in json.loads(kept)))


class TestWriting(LogTestCase):
	"""KEY-2: no request is slower for it, and Redis may be away."""

	def test_only_once_the_answer_is_on_its_way(self) -> None:
		key = self.key_of()
		frappe.db.commit()
		found: list[bytes] = []

		def ask() -> None:
			import frappe.app

			headers = {"X-TrackFlow-Key": key, "X-Frappe-Site-Name": site, "User-Agent": CHROME}
			environ = EnvironBuilder(WHO, base_url=f"http://{site}", headers=headers).get_environ()
			parts, status, _headers = run_wsgi_app(frappe.app.application, environ)
			self.body, self.status = b"".join(parts), status
			parts.close()

		site = frappe.local.site
		with patch.object(request_log, "_add", side_effect=lambda line: found.append(self.body) or True):
			self._in_thread(ask)
		self.assertEqual((self.status[:3], len(found)), ("200", 1))
		self.assertIn(MANAGER.encode(), found[0])

	def _in_thread(self, work: Callable[[], None]) -> None:
		thread = Thread(target=work)
		thread.start()
		thread.join()
		frappe.db.rollback()

	def test_no_statement_of_the_request_is_for_it(self) -> None:
		key = self.key_of()
		self.ask(key)
		with counted_statements() as statements:
			self.ask(key)
		self.assertFalse([one for one in statements if LOG in one or "usage_count" in one])
		self.assertEqual(request_log.waiting(), 2)

	def test_without_redis_it_is_lost_and_counted(self) -> None:
		key = self.key_of()
		with patch.object(connection.Script, "run", side_effect=StreamUnavailable("away")):
			self.ask(key)
			self.ask(key, "/api/resource/User", 403)
		self.assertEqual(self.logged(), [])
		queue = measure.metrics()["queue"]
		self.assertEqual((queue["requests"], queue["lost_requests"]), (0, 2))

	def test_a_program_that_runs_wild(self) -> None:
		"""Beyond so many that wait they are lost, and counted."""
		key = self.key_of()
		with patch.object(request_log, "MOST_WAITING", 2):
			for _each in range(5):
				self.ask(key)
		self.assertEqual(request_log.waiting(), 2)
		self.assertEqual(measure.metrics()["queue"]["lost_requests"], 3)

	def test_whatever_goes_wrong(self) -> None:
		"""The answer has left: nothing may come of it."""
		key = self.key_of()
		with patch.object(redacted, "endpoint", side_effect=ValueError("x")):
			self.ask(key)
		self.assertEqual(self.logged(), [])
		self.assertEqual(measure.metrics()["queue"]["lost_requests"], 1)

	def test_health_counts_answers(self) -> None:
		key = self.key_of()
		self.ask(key)
		self.ask(key, "/api/resource/User", 403)
		found = measure.metrics()
		self.assertEqual(found["last_hour"]["answers"]["api"]["by_status"], {"200": 1, "403": 1})
		self.assertEqual(found["refusals"]["api"], {"closed": 1})
		self.assertTrue(found["response_times"]["api"])


class TestStoring(LogTestCase):
	"""KEY-2, DATA-2, DATA-3: rows in bulk; figures of keys by increments, each request once."""

	def wait(self, number: int, *keys: str) -> None:
		"""So many requests wait, of these keys in turn."""
		now = time.time()
		for index in range(number):
			key = keys[index % len(keys)]
			line = request_log._Line(f"r{index}-{now}", now, key, "GET", "/api", 200, 1, "", "{}", "{}")
			request_log._add(json.dumps(line))

	def test_the_same_statements_for_many(self) -> None:
		self.key_of(name="a")
		taken = []
		for number in (1, 400):
			self.wait(number, "a")
			with counted_statements() as statements:
				self.assertEqual(request_log.store(), number)
			taken.append(len(statements))
		self.assertEqual(*taken)
		self.assertEqual(frappe.db.count(LOG), 401)

	def test_more_than_a_transaction(self) -> None:
		self.key_of(name="a")
		with patch.object(request_log, "AT_ONCE", 10):
			self.wait(35, "a")
			self.assertEqual(request_log.store(), 35)
		self.assertEqual((request_log.waiting(), frappe.db.count(LOG)), (0, 35))

	def test_usage(self) -> None:
		self.key_of(name="a")
		self.key_of(name="b")
		modified = frappe.db.get_value("TrackFlow API Key", "a", "modified")
		self.wait(5, "a", "b")
		request_log.store()
		self.wait(1, "a")
		request_log.store()
		found = {
			row.name: row.usage_count
			for row in frappe.get_all("TrackFlow API Key", fields=["name", "usage_count"], order_by="name")
		}
		self.assertEqual(found, {"a": 4, "b": 2})
		row = frappe.db.get_value("TrackFlow API Key", "a", ["modified", "last_used"], as_dict=True)
		self.assertEqual(row.modified, modified)
		self.assertLess(abs(row.last_used - now_datetime()), timedelta(minutes=1))

	def test_a_form_that_was_open_changes_no_figure(self) -> None:
		self.key_of(name="a")
		doc = frappe.get_doc("TrackFlow API Key", "a")
		self.wait(3, "a")
		request_log.store()
		doc.update({"usage_count": 99, "last_used": None})
		doc.save()
		doc.reload()
		self.assertEqual((doc.usage_count, bool(doc.last_used)), (3, True))

	def test_last_used_never_goes_back(self) -> None:
		self.key_of(name="a")
		later = get_datetime("2099-01-01")
		frappe.db.set_value("TrackFlow API Key", "a", "last_used", later)
		self.wait(1, "a")
		request_log.store()
		self.assertEqual(frappe.db.get_value("TrackFlow API Key", "a", "last_used"), later)

	def test_twice_is_once(self) -> None:
		"""A job that died after it stored, and another that reads the same lines meanwhile."""
		self.key_of(name="a")
		self.wait(3, "a")
		lines = [request_log._Line(*json.loads(line)) for line in request_log._first()]
		self.assertEqual([request_log._store(lines), request_log._store(lines)], [3, 0])
		self.assertEqual(request_log.store(), 0)
		self.assertEqual((request_log.waiting(), frappe.db.count(LOG)), (0, 3))
		self.assertEqual(frappe.db.get_value("TrackFlow API Key", "a", "usage_count"), 3)

	@unittest.skipUnless(is_shared(), "needs processes that see each other's writes")
	def test_jobs_at_once(self) -> None:
		"""Three processes read the same lines while more come in: each is a row once, and counted once."""
		self.key_of(name="a")
		self.key_of(name="b")
		self.wait(300, "a", "b")

		def store() -> None:
			with patch.object(request_log, "AT_ONCE", 20):
				request_log.store()

		children = [fork(store) for _child in range(3)]
		self.wait(100, "a", "b")
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0, 0])
		request_log.store()
		self.assertEqual((request_log.waiting(), frappe.db.count(LOG)), (0, 400))
		counts = frappe.get_all("TrackFlow API Key", pluck="usage_count", order_by="name")
		self.assertEqual(counts, [200, 200])

	def test_who_was_overtaken_takes_nothing_away(self) -> None:
		self.key_of(name="a")
		self.wait(4, "a")
		name = connection.key(request_log.REQUESTS_KEY)
		lines = connection.connect().lrange(name, 0, -1)
		request_log._DROP.run([name], [lines[0], 2])
		request_log._DROP.run([name], [lines[0], 2])
		self.assertEqual(connection.connect().lrange(name, 0, -1), lines[2:])

	def test_a_key_that_is_gone(self) -> None:
		self.key_of(name="a")
		self.wait(2, "a", "gone")
		self.assertEqual(request_log.store(), 2)
		self.assertEqual(set(frappe.get_all(LOG, pluck="api_key", order_by="name")), {"a", "gone"})
		frappe.delete_doc("TrackFlow API Key", "a")
		self.assertEqual(frappe.db.count(LOG), 2)

	def test_figures_that_nobody_told_yet_travel_along(self) -> None:
		self.key_of(name="a")
		tally.forget()
		tally.add({"spooled": 7})
		self.wait(1, "a")
		self.assertEqual(measure.metrics()["last_hour"]["spooled"], 7)


class TestEvents(LogTestCase):
	"""KEY-2: requests of servers that send events are requests with a key, too."""

	def send(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> int:
		return self.request("POST", path, headers=headers, json=body).status_code

	def test_on_the_site(self) -> None:
		make_domain(SHOP)
		key = make_key()
		collector = "/api/method/trackflow.api.tracking.track_event"
		body = {"events": [event("e1"), event("e2")]}
		for headers in ({"Authorization": f"Bearer {key}"}, {"X-TrackFlow-Key": key}):
			self.assertEqual(self.send(collector, headers, body), 202)
		basic = base64.b64encode(f"{key}:".encode()).decode()
		track = {"event": "Clicked", "anonymousId": "ada", "messageId": "m1"}
		self.assertEqual(self.send("/v1/track", {"Authorization": f"Basic {basic}"}, track), 200)
		self.assertEqual(self.send(collector, {"X-TrackFlow-Key": key}, {"events": []}), 400)
		self.assertEqual(self.send(collector, {"X-TrackFlow-Key": f"{key}x"}, body), 401)
		rows = self.logged()
		self.assertEqual({row.api_key for row in rows}, {"shop server"})
		self.assertEqual(
			[(row.endpoint, row.response_code, json.loads(row.response_data)) for row in rows],
			[
				(collector, 202, {"accepted": 2, "duplicate": 0}),
				(collector, 202, {"accepted": 0, "duplicate": 2}),
				("/v1/track", 200, {"accepted": 1, "duplicate": 0}),
				(collector, 400, {"error": "number_of_events"}),
			],
		)
		self.assertEqual(frappe.db.get_value("TrackFlow API Key", "shop server", "usage_count"), 4)

	def test_a_website_leaves_none(self) -> None:
		"""No round trip more for who shows no key: an answer that leaves nothing to be done."""
		key = make_domain(SHOP).public_key
		with patch.object(request_log, "write") as write:
			headers = {"Origin": f"https://{SHOP}", "Content-Type": "text/plain"}
			path = "/api/method/trackflow.api.tracking.track_event"
			answer = self.request("POST", path, headers=headers, data=batch(key, event("e1")))
		self.assertEqual((answer.status_code, write.called), (202, False))


class TestEventsOnTheEdge(EdgeEventsTestCase):
	"""KEY-2 on the edge, by its own threads."""

	def test_logged(self) -> None:
		key = make_key()
		body = json.dumps({"events": [event("e1")]}).encode()
		with self.edge() as edge:
			answer = self.send(edge, body, headers={"Authorization": f"Bearer {key}"})
			self.assertEqual(answer.status_code, 202)
			self.send(edge, body, headers={"Authorization": "Bearer nobody"})
			wait_until(lambda: request_log.waiting() == 1, "The request is not logged")
		self.assertEqual(request_log.store(), 1)
		row = frappe.get_last_doc(LOG)
		self.assertEqual((row.api_key, row.endpoint, row.response_code), ("shop server", "/collect", 202))
