"""When something is full, away or slow: Redis without memory, a full disk, records that cannot be stored (RED-7, RED-8)."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import frappe
import redis
from frappe.utils import add_to_date, now_datetime

from trackflow import doctor
from trackflow.stream import click_queue, connection, drain, lanes, spool, writer
from trackflow.tests.base import TrackFlowTestCase, work
from trackflow.tests.factories import click_record, event_record, make_link
from trackflow.tests.users import make_user, remove_user
from trackflow.trackflow.doctype.click_queue.click_queue import retry
from trackflow.tracking import store

needs_redis = unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")


class OwnRedis:
	"""A Redis server on a free port, for one test."""

	def __init__(self, *options: str) -> None:
		self.folder = tempfile.mkdtemp()
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			self.port = free.getsockname()[1]
		self.shared_client = redis.Redis(port=self.port, retry=None)
		own = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": ""}
		self.options = [
			*(part for name, value in own.items() for part in (f"--{name}", str(value))),
			*options,
		]
		self.start()

	def start(self) -> None:
		self.process = subprocess.Popen(["redis-server", *self.options], stdout=subprocess.DEVNULL)
		for _attempt in range(200):
			try:
				self.client().ping()
				return
			except redis.exceptions.RedisError:
				time.sleep(0.05)
		raise TimeoutError("Redis did not start")

	def stop(self, how: int = signal.SIGTERM) -> None:
		self.process.send_signal(how)
		self.process.wait()

	def client(self) -> redis.Redis:
		return self.shared_client


@contextmanager
def own_redis(*options: str) -> Iterator[OwnRedis]:
	"""The stream on a Redis of the test's own."""
	server = OwnRedis(*options)
	try:
		with (
			patch.object(connection, "connect", server.client),
			patch.object(doctor, "queue_redis", server.client),
		):
			yield server
	finally:
		server.stop()
		shutil.rmtree(server.folder, ignore_errors=True)


@contextmanager
def as_user(role: str) -> Iterator[None]:
	"""A user with that role alone."""
	email = "somebody@example.com"
	make_user(email, role)
	frappe.set_user(email)
	try:
		yield
	finally:
		remove_user(email)


def finding(check: str) -> tuple[str, str]:
	"""What doctor says of it."""
	found = next(one for one in doctor.examine() if one.check == check)
	return found.mark, found.text


def count_of(doctype: str) -> int:
	frappe.db.commit()
	return frappe.db.count(doctype)


@needs_redis
class TestRedisInTrouble(TrackFlowTestCase):
	"""RED-7: what Redis refuses goes to the spool, and is stored once, in order, when it takes records again."""

	def test_a_full_redis(self) -> None:
		link = make_link("spring")
		with own_redis("--maxmemory", "16mb", "--maxmemory-policy", "noeviction"):
			drain.drain()
			sent = 0
			while not spool.size():
				writer.write(
					[click_record(link.name, sent % 50, referrer="x" * 2000) for _click in range(10)]
				)
				sent += 10
			self.assertEqual(finding("Queue Redis")[0], doctor.BROKEN)
			self.assertGreater(drain.waiting(), 0)
			self.assertEqual(drain.drain().stored, sent)
			self.assertEqual((drain.waiting(), spool.size(), finding("Queue Redis")[0]), (0, 0, doctor.NOTE))
			writer.write([click_record(link.name)])
			self.assertEqual((drain.waiting(), spool.size()), (1, 0))

	def test_a_redis_that_is_restarted(self) -> None:
		link = make_link("spring")
		with own_redis("--appendonly", "yes") as server:
			first, second, third = (click_record(link.name, number) for number in range(3))
			writer.write([first])
			server.stop()
			writer.write([second])
			server.start()
			writer.write([third])
			stored: list[str] = []
			original = store.store
			with patch.object(
				drain,
				"store",
				lambda records: stored.extend(one["id"] for one in records) or original(records),
			):
				drain.drain()
			self.assertEqual(sorted(stored), sorted(one["id"] for one in (first, second, third)))
			self.assertEqual(stored[0], second["id"], "the spool comes first")
			self.assertEqual(count_of("Click Event"), 3)

	def test_a_read_only_replica(self) -> None:
		link = make_link("spring")
		with own_redis() as server:
			server.client().replicaof("127.0.0.1", "1")
			writer.write([click_record(link.name)])
			self.assertGreater(spool.size(), 0)
			mark, text = finding("Queue Redis")
			self.assertEqual(mark, doctor.BROKEN)
			self.assertIn("read-only replica", text)
			with self.assertRaises(drain.StreamUnavailable):
				drain.drain()
			self.assertEqual(count_of("Click Event"), 1)
			server.client().replicaof("NO", "ONE")
			self.assertEqual(drain.drain().records, 0)

	def test_a_redis_that_evicts(self) -> None:
		with own_redis("--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"):
			self.assertIn("allkeys-lru", finding("Queue Redis")[1])


class TestSpoolInTrouble(TrackFlowTestCase):
	"""RED-7: a full disk loses what it refuses, says so, and spoils nothing."""

	def test_a_full_disk_keeps_all_or_nothing(self) -> None:
		"""In a process whose files may not grow beyond a few records."""
		link = make_link("spring")
		records = [click_record(link.name, number) for number in range(40)]
		length = len(json.dumps(records[0]))
		child = os.fork()
		if not child:
			status = 1
			try:
				signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
				resource.setrlimit(resource.RLIMIT_FSIZE, (length * 9, length * 9))
				lost = 0
				for start in range(0, 40, 4):
					try:
						spool.append(records[start : start + 4])
					except OSError:
						lost += 4
				status = 0 if lost == 32 else 2
			finally:
				os._exit(status)
		self.assertEqual(os.waitpid(child, 0)[1], 0)
		self.assertEqual(drain.drain().stored, 8)
		self.assertEqual(spool.bad_files(), [])

	def test_losses_are_told_to_all(self) -> None:
		link = make_link("spring")
		before = writer.all_losses()
		gone = redis.exceptions.ConnectionError("gone")
		with (
			patch.object(connection, "connect", side_effect=gone),
			patch.object(spool, "append", side_effect=OSError("full")),
		):
			writer.write([click_record(link.name), click_record(link.name)])
		self.assertEqual(writer.all_losses(), before + 2)
		writer.write([click_record(link.name)])
		told = connection.connect().get(connection.key(writer.LOSSES_KEY))
		self.assertEqual((int(told), writer.all_losses()), (2, 2))
		self.assertIn("2 records were lost", finding("Losses")[1])

	def test_files_are_stored_by_age_and_before_the_stream(self) -> None:
		link = make_link("spring")
		records = [click_record(link.name, number) for number in range(4)]
		writer.write([records[3]])
		for record in records[:3]:
			spool.append([record])
			spool.take()
		order: list[str] = []
		with patch.object(
			drain, "store", lambda some: (order.extend(one["id"] for one in some), (len(some), 0))[1]
		):
			drain.drain()
		self.assertEqual(order, [record["id"] for record in records])

	def test_doctor_names_bad_files(self) -> None:
		spool.append([click_record(make_link("spring").name)])
		with (spool.folder() / "open.jsonl").open("ab") as file:
			file.write(b"{half a rec")
		drain.drain()
		mark, text = finding("Spool")
		self.assertEqual(mark, doctor.NOTE)
		self.assertIn(spool.bad_files()[0].name, text)


class TestClickQueue(TrackFlowTestCase):
	"""RED-7: what cannot be stored is tried again, less and less often, and then waits for somebody."""

	def keep(self) -> str:
		click_queue.keep(click_record(make_link("spring").name, utm=None), ValueError("for a test"))
		return frappe.db.get_value("Click Queue", {})

	def state(self, name: str) -> dict[str, Any]:
		return frappe.db.get_value(
			"Click Queue", name, ["status", "attempts", "next_attempt_at"], as_dict=True
		)

	def test_pauses_grow(self) -> None:
		name = self.keep()
		pauses = []
		for _attempt in click_queue.PAUSES:
			pauses.append(self.state(name).next_attempt_at - now_datetime())
			drain.retry_kept()
			self.assertEqual(self.state(name).attempts, len(pauses), "before its time nothing is tried")
			frappe.db.set_value(
				"Click Queue", name, "next_attempt_at", add_to_date(now_datetime(), seconds=-1)
			)
			drain.retry_kept()
		self.assertEqual(pauses, sorted(pauses))
		for pause, wanted in zip(pauses, click_queue.PAUSES, strict=True):
			self.assertAlmostEqual(pause.total_seconds(), wanted.total_seconds(), delta=60)
		self.assertEqual(tuple(self.state(name).values()), ("Failed", click_queue.MAX_ATTEMPTS, None))

	def test_somebody_asks_for_it_again(self) -> None:
		name = self.keep()
		payload = json.loads(frappe.db.get_value("Click Queue", name, "payload"))
		frappe.db.set_value(
			"Click Queue", name, {"status": "Failed", "payload": json.dumps({**payload, "utm": {}})}
		)
		self.assertEqual(finding("Click Queue")[0], doctor.BROKEN)
		self.assertIn("choose Retry", finding("Click Queue")[1])
		with as_user("TrackFlow Manager"):
			self.assertEqual(retry([name]), 1)
		work()
		self.assertEqual((self.state(name).status, count_of("Click Event")), ("Processed", 1))
		self.assertEqual(retry([name]), 0)

	def test_only_managers_may(self) -> None:
		name = self.keep()
		with as_user("Campaign Manager"), self.assertRaises(frappe.PermissionError):
			retry([name])

	def test_what_could_not_be_read_cannot_be_tried(self) -> None:
		click_queue.keep(event_record(properties={"a": float("nan")}, at=float("nan")), ValueError("nan"))
		name = frappe.db.get_value("Click Queue", {"status": "Failed"})
		self.assertEqual((retry([name]), self.state(name).status), (0, "Failed"))


class TestDoctor(TrackFlowTestCase):
	"""RED-7: whoever looks after the site sees what waits, for how long, and what to do."""

	def test_what_waits_and_for_how_long(self) -> None:
		link = make_link("spring")
		self.assertEqual(finding("Stream"), (doctor.FINE, "Nothing waits to be stored."))
		writer.write([click_record(link.name)])
		self.assertIn("1 entries wait", finding("Stream")[1])
		old = int(time.time() * 1000) - 3_600_000
		connection.connect().delete(connection.key("stream"))
		connection.connect().xadd(connection.key("stream"), {"records": "[]"}, id=f"{old}-0")
		mark, text = finding("Stream")
		self.assertEqual(mark, doctor.BROKEN)
		self.assertIn("60 minutes", text)
		self.assertIn("Start one", text)

	def test_what_the_last_drain_did(self) -> None:
		self.assertEqual(finding("Drain")[0], doctor.NOTE)
		writer.write([click_record(make_link("spring").name)])
		drain.drain()
		mark, text = finding("Drain")
		self.assertEqual(mark, doctor.FINE)
		self.assertIn("1 records", text)

	def test_a_drain_tells_how_far_it_is(self) -> None:
		link = make_link("spring")
		for _batch in range(3):
			writer.write([click_record(link.name) for _click in range(4)])
		told: list[int] = []
		with patch.object(drain, "BATCH_RECORDS", 4):
			drain.drain(tell=lambda done: told.append(done.records))
		at_once = 4 * lanes.number()
		self.assertEqual(told, [*range(at_once, 12, at_once), 12])
