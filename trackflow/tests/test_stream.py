"""From the stream into the database, exactly once, whatever happens on the way (RED-7, RED-8, DATA-3)."""

import json
import os
import signal
import socket
import time
import unittest
from collections.abc import Callable
from itertools import count, permutations
from multiprocessing import get_context
from typing import Any
from unittest.mock import patch
from uuid import uuid4
from zoneinfo import ZoneInfo

import frappe
import redis
from frappe.utils import get_system_timezone
from redis.client import Pipeline

from trackflow.config import get_config
from trackflow.exceptions import StreamUnavailable
from trackflow.stream import click_queue, connection, drain, spool, writer
from trackflow.stream.drain import retry_kept
from trackflow.tests.base import TrackFlowTestCase, counted_statements, wipe, work
from trackflow.tests.factories import (
	SHOP,
	VISITOR,
	click_record,
	consent,
	event_record,
	make_domain,
	make_link,
)
from trackflow.times import site_time
from trackflow.tracking import counters, joins, repair, store
from trackflow.tracking.rows import event_name


def dead_redis() -> redis.Redis:
	"""A client of a port where nobody listens."""
	with socket.socket() as free:
		free.bind(("127.0.0.1", 0))
		return redis.Redis(port=free.getsockname()[1], retry=None)


class TestOnce(TrackFlowTestCase):
	"""RED-8: a record is stored once, however often it comes."""

	def test_the_same_record_twice_and_again(self) -> None:
		link = make_link("spring")
		record = click_record(link.name)
		for _again in range(3):
			writer.write([record, record])
			drain.drain()
		link.reload()
		self.assertEqual((link.click_count, frappe.db.count("Click Event")), (1, 1))

	def test_a_worker_comes_by_itself(self) -> None:
		"""RED-7: what was clicked is stored without anybody asking for it."""
		link = make_link("spring")
		for _click in range(3):
			self.get("/r/spring", queues_drain=True)
		work()
		link.reload()
		self.assertEqual((link.click_count, drain.waiting()), (3, 0))

	def test_what_a_drain_says_it_did(self) -> None:
		link = make_link("spring")
		records = [click_record(link.name), event_record()]
		writer.write(records)
		done = drain.drain()
		self.assertEqual((done.records, done.stored, done.failed), (2, 2, 0))
		writer.write(records)
		done = drain.drain()
		self.assertEqual((done.records, done.stored, done.failed), (2, 0, 0))
		self.assertEqual(drain.waiting(), 0)

	def test_an_entry_that_a_dead_drain_holds_is_claimed(self) -> None:
		link = make_link("spring")
		writer.write([click_record(link.name)])
		client, key = connection.connect(), connection.key("stream")
		client.xgroup_create(key, drain.GROUP, id="0", mkstream=True)
		client.xreadgroup(drain.GROUP, "dead", {key: ">"})
		self.assertEqual(drain.drain().records, 0)
		self.assertEqual(drain.drain(claim_after_seconds=0).stored, 1)

	def test_the_collector_is_told_what_is_new(self) -> None:
		records = [event_record(), event_record()]
		keys = [record["id"] for record in records]
		self.assertEqual(writer.write(records[:1], keys[:1]).new, (True,))
		self.assertEqual(writer.write(records, keys).new, (False, True))
		drain.drain()
		self.assertEqual(frappe.db.count("Visitor Event"), 2)


class TestCounters(TrackFlowTestCase):
	"""DATA-3: counters are incremented, and counting again from the rows gives the same figures."""

	def test_counting_again(self) -> None:
		arms = [
			{"variant_name": name, "destination_url": f"https://{SHOP}/{name}", "weight": 1} for name in "ab"
		]
		link, other = make_link("spring", variants=arms), make_link("other")
		arm = link.variants[0].name
		for number in range(4):
			writer.write(
				[
					click_record(link.name, number % 2, variant=arm),
					click_record(link.name, 1, event_type="QR Scan"),
				]
			)
			writer.write(
				[click_record(link.name, counted=False, event_type="Bot"), click_record(other.name, number)]
			)
			drain.drain()
		fields = ("click_count", "scan_count", "bot_count", "unique_visitor_count")
		before = [frappe.db.get_value("Tracked Link", one.name, fields) for one in (link, other)]
		self.assertEqual(before, [(4, 4, 4, 2), (4, 0, 0, 4)])
		self.assertEqual(counters.rebuild(), 0)
		frappe.db.set_value("Tracked Link", link.name, {"click_count": 99, "unique_visitor_count": 0})
		frappe.db.set_value("Campaign Link Variant", arm, "clicks", 7)
		frappe.db.commit()
		self.assertEqual(counters.rebuild(), 2)
		never = make_link("never")
		frappe.db.set_value("Tracked Link", never.name, "click_count", 5)
		frappe.db.commit()
		self.assertEqual(counters.rebuild(), 1)
		self.assertEqual(
			[frappe.db.get_value("Tracked Link", one.name, fields) for one in (link, other)], before
		)
		self.assertEqual(frappe.db.get_value("Campaign Link Variant", arm, "clicks"), 4)


class TestNothingIsLost(TrackFlowTestCase):
	"""RED-7: without Redis a local spool, without a place in the tables the Click Queue."""

	def test_without_redis_the_spool_takes_over(self) -> None:
		link = make_link("spring")
		with patch.object(connection, "connect", dead_redis):
			self.assertEqual(self.get("/r/spring").status_code, 302)
			self.assertGreater(spool.size(), 0)
		drain.drain()
		link.reload()
		self.assertEqual((link.click_count, spool.size()), (1, 0))

	def test_the_spool_is_drained_while_redis_is_away(self) -> None:
		link = make_link("spring")
		spool.append([click_record(link.name)])
		with patch.object(connection, "connect", dead_redis), self.assertRaises(StreamUnavailable):
			drain.drain()
		self.assertEqual(frappe.db.count("Click Event"), 1)

	def test_redis_that_goes_away_while_a_drain_is_under_way(self) -> None:
		link = make_link("spring")
		writer.write([click_record(link.name)])
		gone = redis.exceptions.ConnectionError("gone")
		with patch.object(drain, "_read", side_effect=gone):
			with self.assertRaises(StreamUnavailable):
				drain.drain()
			drain.drain_if_waiting()
		self.assertEqual(drain.drain().stored, 1)

	def test_a_line_cut_off_by_a_crash(self) -> None:
		link = make_link("spring")
		spool.append([click_record(link.name)])
		with (spool.folder() / "open.jsonl").open("a") as file:
			file.write('{"kind": "cli')
		self.assertEqual(drain.drain().stored, 1)

	def test_a_torn_line_takes_no_other_along_and_is_kept(self) -> None:
		link = make_link("spring")
		spool.append([click_record(link.name)])
		with (spool.folder() / "open.jsonl").open("ab") as file:
			file.write(b'{"kind": "cli\xff')
		spool.append([click_record(link.name), click_record(link.name)])
		self.assertEqual((drain.drain().stored, spool.size()), (3, 0))
		(bad,) = spool.folder().glob("*")
		self.assertEqual((bad.suffix, bad.read_bytes()), (".bad", b'{"kind": "cli\xff\n'))

	def test_if_the_spool_fails_too_the_redirect_still_happens(self) -> None:
		make_link("spring")
		before = writer.losses()
		with (
			patch.object(connection, "connect", dead_redis),
			patch.object(spool, "append", side_effect=OSError("full")),
		):
			self.assertEqual(self.get("/r/spring").status_code, 302)
		self.assertEqual(writer.losses(), before + 1)

	def test_a_record_that_cannot_be_stored_is_kept_and_the_others_are_stored(self) -> None:
		link = make_link("spring")
		broken = click_record(link.name, variant=["not", "a", "text"], utm=None)
		writer.write([click_record(link.name, 1), broken, click_record(link.name, 2)])
		done = drain.drain()
		self.assertEqual((done.stored, done.failed), (2, 1))
		(kept,) = frappe.get_all("Click Queue", fields=["*"], order_by="creation")
		self.assertEqual((kept.status, kept.attempts, kept.reference), ("Pending", 1, broken["id"]))
		self.assertTrue(kept.error_message)
		self.assertEqual(json.loads(kept.payload)["id"], broken["id"])

	def test_a_record_that_cannot_even_be_kept_holds_up_nothing(self) -> None:
		link = make_link("spring")
		broken = event_record(properties={"a": float("nan")}, at=float("nan"))
		writer.write([click_record(link.name, 1), broken, click_record(link.name, 2)])
		done = drain.drain()
		self.assertEqual((done.stored, done.failed, drain.waiting()), (2, 1, 0))
		self.assertEqual(frappe.db.get_value("Click Queue", {}, "status"), "Failed")

	def test_an_entry_that_is_not_ours_holds_up_nothing(self) -> None:
		for fields in ({"other": "x"}, {"records": "no json"}, {"records": "[5]"}):
			connection.connect().xadd(connection.key("stream"), fields)
		self.assertEqual((drain.drain().records, drain.waiting()), (0, 0))

	def test_it_is_tried_again_and_then_kept_as_failed(self) -> None:
		link = make_link("spring")
		writer.write([click_record(link.name, utm=None)])
		drain.drain()
		for _attempt in range(click_queue.MAX_ATTEMPTS):
			frappe.db.set_value("Click Queue", {"status": "Pending"}, "next_attempt_at", None)
			retry_kept()
		self.assertEqual(frappe.db.get_value("Click Queue", {}, ["status", "attempts"]), ("Failed", 5))

	def test_what_can_be_stored_later_is(self) -> None:
		link = make_link("spring")
		click_queue.keep(click_record(link.name), ValueError("for a test"))
		frappe.db.set_value("Click Queue", {}, "next_attempt_at", None)
		retry_kept()
		self.assertEqual(frappe.db.get_value("Click Queue", {}, "status"), "Processed")
		self.assertEqual(frappe.db.count("Click Event"), 1)

	def test_losing_the_cache_loses_no_click(self) -> None:
		link = make_link("spring")
		self.get("/r/spring")
		frappe.clear_cache()
		drain.drain()
		link.reload()
		self.assertEqual(link.click_count, 1)


class TestVisits(TrackFlowTestCase):
	"""COL-6, TCH-1: sessions and touches of what comes late, in pieces, and from two domains."""

	def figures(self) -> list[tuple]:
		return frappe.get_all(
			"Visitor Session",
			fields=["visitor_id", "session_start", "session_end", "page_views", "channel", "source"],
			order_by="visitor_id, session_start",
			as_list=True,
		)

	def send(self, *records: dict[str, Any]) -> None:
		writer.write(list(records))
		drain.drain()

	def test_in_pieces_and_out_of_order_as_at_once(self) -> None:
		link = make_link("spring")
		now = time.time()
		minutes = [0, 10, 25, 50, 81, 120, 125, 140]
		records = [event_record(at=now - 60 * minute) for minute in minutes]
		records.append(click_record(link.name, at=now - 60 * 65))
		self.send(*records)
		at_once = self.figures()
		for doctype in ("Visitor Session", "Touch Point", "Visitor Event", "Click Event", "Visitor"):
			frappe.db.delete(doctype)
		frappe.db.commit()
		for position in (3, 0, 8, 5, 1, 7, 2, 6, 4):
			self.send(records[position])
		self.assertEqual(self.figures(), at_once)
		self.assertEqual(frappe.db.count("Touch Point"), len(at_once))
		self.assertEqual(frappe.db.count("Visitor Event", {"session": ("is", "not set")}), 0)

	def test_a_click_and_its_visit_under_two_ids_are_one_session_and_one_touch(self) -> None:
		link = make_link("spring")
		click = click_record(link.name, 1, cookieless=True)
		landing = event_record(2, click_ref=click["id"], at=click["at"] + 2)
		for order in ((click, landing), (landing, click)):
			for record in order:
				self.send(record)
			self.assertEqual(frappe.db.count("Visitor Session"), 1)
			(touch,) = frappe.get_all("Touch Point", fields=["*"])
			self.assertEqual((touch.visitor_id, touch.tracked_link), (VISITOR.format(2), link.name))
			self.assertEqual(frappe.get_all("Visitor", pluck="name"), [VISITOR.format(2)])
			for doctype in ("Visitor Session", "Touch Point", "Visitor Event", "Click Event", "Visitor"):
				frappe.db.delete(doctype)
			frappe.db.commit()

	def test_an_address_passed_on_does_not_take_the_click_along(self) -> None:
		link = make_link("spring")
		click = click_record(link.name, 1, cookieless=True)
		self.send(click, event_record(2, click_ref=click["id"], at=click["at"] + 2))
		self.send(event_record(3, click_ref=click["id"], at=click["at"] + 60))
		self.assertEqual(frappe.db.get_value("Click Event", click["id"], "visitor_id"), VISITOR.format(2))

	def test_the_earliest_landing_has_the_click_in_any_order(self) -> None:
		link, now = make_link("spring"), time.time()
		click = click_record(link.name, 1, now - 100, cookieless=True)
		first = event_record(2, now - 98, click_ref=click["id"])
		second = event_record(3, now - 60, click_ref=click["id"])
		other = event_record(2, now - 100 - 29 * 60)
		figures = set()
		for order in permutations((click, first, second, other)):
			for record in order:
				self.send(record)
			owner = frappe.db.get_value("Click Event", click["id"], ["visitor_id", "landing_event"])
			visitor = frappe.db.get_value("Visitor", VISITOR.format(2), ["first_seen", "page_views"])
			touches = frappe.get_all("Touch Point", pluck="name", order_by="name")
			figures.add((*owner, *visitor, *self.figures(), *touches))
			for doctype in ("Visitor Session", "Touch Point", "Visitor Event", "Click Event", "Visitor"):
				frappe.db.delete(doctype)
			frappe.db.commit()
		self.assertEqual(len(figures), 1)
		self.assertEqual(figures.pop()[:2], (VISITOR.format(2), first["id"]))

	def test_nobody_lands_before_the_click(self) -> None:
		"""TCH-1: a landing that says to be earlier than its click takes no click away; clocks may differ by a little."""
		now = time.time()
		for number, (early, owner) in enumerate(((25 * 60, 2), (20, 3))):
			click = click_record(make_link(f"spring{number}").name, 1, now - 100, cookieless=True)
			self.send(click, event_record(2, click["at"] + 2, click_ref=click["id"]))
			self.send(event_record(3, click["at"] - early, click_ref=click["id"]))
			self.assertEqual(
				frappe.db.get_value("Click Event", click["id"], "visitor_id"), VISITOR.format(owner)
			)

	def test_a_join_that_the_batch_could_not_see_is_made_after_it(self) -> None:
		click, landing = self.click_and_landing()
		store.store([click])
		blind = [[], *([joins.find] * store.LOOKS)]
		with patch.object(joins, "find", lambda *args: (see := blind.pop(0)) and see(*args)):
			store.store([landing])
		self.check_joined(click)

	def test_the_repair_joins_what_was_left(self) -> None:
		click, landing = self.click_and_landing()
		with patch.object(joins, "find", return_value=[]):
			store.store([click])
			store.store([landing])
		self.assertEqual(frappe.db.count("Touch Point"), 2)
		self.assertGreater(repair.repair(), 0)
		self.check_joined(click)
		self.assertEqual(repair.repair(), 0)

	def click_and_landing(self) -> tuple[dict[str, Any], dict[str, Any]]:
		click = click_record(make_link("spring").name, 1, time.time() - 60, cookieless=True)
		return click, event_record(2, click["at"] + 2, click_ref=click["id"])

	def check_joined(self, click: dict[str, Any]) -> None:
		self.assertEqual(frappe.db.get_value("Click Event", click["id"], "visitor_id"), VISITOR.format(2))
		self.assertEqual(
			frappe.get_all("Touch Point", pluck="tracked_link"), [frappe.get_last_doc("Tracked Link").name]
		)
		self.assertEqual(frappe.get_all("Visitor", pluck="name"), [VISITOR.format(2)])

	def test_first_and_last_touch_and_engagement(self) -> None:
		now = time.time()
		self.send(event_record(at=now, utm={"utm_source": "b", "utm_medium": "email"}))
		self.send(event_record(at=now - 7200, utm={"utm_source": "a", "utm_medium": "email"}))
		self.send(
			event_record(at=now + 1, event_type="FORM_SUBMIT"), event_record(at=now + 1, event_type="CUSTOM")
		)
		visitor = frappe.get_doc("Visitor", VISITOR.format(1))
		self.assertEqual((visitor.source, visitor.last_source, visitor.page_views), ("a", "b", 2))
		self.assertAlmostEqual(visitor.engagement_score, 1 + 1 + 5 + 2, delta=0.01)

	def test_looking_at_a_page_is_no_visit_and_earns_nothing(self) -> None:
		"""EVT-2, COL-6: an engagement event makes the session longer, and neither the score higher nor the bounce a visit."""
		now = time.time()
		looked = {
			"event_type": "CUSTOM",
			"event_name": "engagement",
			"properties": {"seconds": 60, "scroll": 40},
		}
		self.send(event_record(at=now - 60), event_record(at=now, **looked))
		visitor = frappe.get_doc("Visitor", VISITOR.format(1))
		self.assertAlmostEqual(visitor.engagement_score, 1, delta=0.01)
		session = frappe.get_last_doc("Visitor Session")
		self.assertEqual((session.is_bounce, session.event_count, session.duration_seconds), (1, 1, 60))
		(stored,) = frappe.get_all(
			"Visitor Event", filters={"event_name": "engagement"}, fields=["event_data"]
		)
		self.assertEqual(json.loads(stored.event_data), looked["properties"])
		self.assertEqual(repair.rebuild_figures([VISITOR.format(1)]), 0)

	def test_what_comes_late_does_not_undo_what_was_said_later(self) -> None:
		"""RED-5, COL-7: consent, name and device are those of the latest hit, in whatever order hits come."""
		now = time.time()
		said = [
			event_record(at=now - 90, person=consent("Granted", "1"), address="192.0.2.1", user_agent="old"),
			event_record(at=now - 60, person=consent("Denied", "2"), address="192.0.2.2", user_agent="mid"),
			event_record(at=now - 60, person=consent("Granted", "2"), address="192.0.2.2", user_agent="mid"),
			event_record(at=now - 30, address="192.0.2.3", user_agent="new"),
		]
		fields = ["consent_status", "consent_policy_version", "consent_at", "ip_address", "user_agent"]
		found = set()
		for order in permutations(said):
			for record in order:
				self.send(record)
			found.add(frappe.db.get_value("Visitor", VISITOR.format(1), fields))
			for doctype in ("Visitor Session", "Touch Point", "Visitor Event", "Visitor"):
				frappe.db.delete(doctype)
			frappe.db.commit()
		((status, version, at, *device),) = found
		self.assertEqual((status, version, *device), ("Denied", "2", "192.0.2.3", "new"))
		self.assertEqual(at, site_time(now - 60, ZoneInfo(get_system_timezone())))

	def test_a_late_name_does_not_replace_a_later_one(self) -> None:
		now = time.time()
		for seconds, name in ((50, "ada"), (10, "eve"), (30, "old")):
			person = {"contact_email": f"{name}@example.com", "contact_name": name}
			self.send(event_record(at=now - seconds, person=person))
		names = ["contact_email", "contact_name"]
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR.format(1), names), ("eve@example.com", "eve"))
		self.send(event_record(2, at=now))
		self.send(event_record(2, at=now - 20, person={"contact_email": "a@example.com", "contact_name": ""}))
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR.format(2), names[0]), "a@example.com")

	def test_deriving_again_changes_nothing_and_mends_what_is_missing(self) -> None:
		"""TCH-1: the repair; rule 4: what is derived can be thrown away."""
		link, now = make_link("spring"), time.time()
		self.send(
			*(event_record(number % 3, at=now - 900 * number) for number in range(12)),
			click_record(link.name, 1),
		)
		visitors = frappe.get_all("Visitor", pluck="name")
		before = [
			frappe.get_all(one, fields=["*"], order_by="name")
			for one in ("Visitor Session", "Touch Point", "Visitor")
		]
		self.assertEqual((repair.rebuild(visitors), repair.repair()), (0, 0))
		after = [
			frappe.get_all(one, fields=["*"], order_by="name")
			for one in ("Visitor Session", "Touch Point", "Visitor")
		]
		self.assertEqual(after, before)
		touches = frappe.get_all(
			"Touch Point", fields=["name", "session", "occurred_at", "channel"], order_by="name"
		)
		frappe.db.delete("Touch Point")
		frappe.db.delete("Visitor Session", {"visitor_id": VISITOR.format(1)})
		frappe.db.set_value(
			"Visitor Event", {"visitor": VISITOR.format(1)}, "session", None, update_modified=False
		)
		self.assertGreater(repair.repair(), 0)
		again = frappe.get_all(
			"Touch Point", fields=["name", "session", "occurred_at", "channel"], order_by="name"
		)
		self.assertEqual(again, touches)

	def test_robots_have_no_visitor_and_no_visit(self) -> None:
		self.send(event_record(is_bot=True, bot_reason="crawler", counted=False))
		self.assertEqual((frappe.db.count("Visitor Event"), frappe.db.count("Visitor")), (1, 0))


class TestStatements(TrackFlowTestCase):
	"""PRF-3: a batch takes a few statements, however many visitors it is about."""

	NUMBER = 200

	def setUp(self) -> None:
		super().setUp()
		# What is read once per process, the settings and the shape of tables, is not counted.
		store.store([click_record(make_link("warm").name, 255)])
		for seconds in (0, 60, -60):
			store.store([event_record(255, time.time() + seconds)])
		wipe()

	def statements(self, *records: dict[str, Any]) -> int:
		"""What storing these as one batch takes."""
		frappe.db.commit()
		get_config()
		with counted_statements() as statements:
			self.assertEqual(store.store(list(records)), (len(records), 0))
		return len(statements)

	def test_clicks_of_new_visitors(self) -> None:
		link, now = make_link("spring"), time.time()
		clicks = [click_record(link.name, number, now + number) for number in range(self.NUMBER)]
		self.assertLess(self.statements(*clicks), 35)
		self.assertEqual(frappe.db.count("Visitor"), self.NUMBER)

	def test_clicks_of_many_links_with_robots_and_joins(self) -> None:
		"""Neither a link nor a robot takes a statement of its own."""
		links, now = [make_link(f"link-{number}").name for number in range(60)], time.time()
		clicks = [
			click_record(links[number % 60], number, now + number, counted=number % 5 > 0, cookieless=True)
			for number in range(self.NUMBER)
		]
		for number, click in enumerate(clicks):
			if not click["counted"]:
				click["event_type"] = "Bot"
			elif number % 2:
				clicks.append(event_record(number % 50, click["at"] + 1, click_ref=click["id"]))
			if len(clicks) > 1.3 * self.NUMBER:
				break
		self.assertLess(self.statements(*clicks), 50 if frappe.db.db_type == "mariadb" else 110)

	def test_events_of_known_visitors(self) -> None:
		now = time.time()
		views = [event_record(number, now + number) for number in range(self.NUMBER)]
		more = [event_record(number, now + number + 60) for number in range(self.NUMBER)]
		# Before the first ones: every session begins earlier, and so has another name.
		late = [event_record(number, now + number - 60) for number in range(self.NUMBER)]
		self.statements(*views)
		self.assertLess(self.statements(*more), 35)
		self.assertLess(self.statements(*late), 40)
		self.assertEqual(frappe.db.count("Visitor Session"), self.NUMBER)
