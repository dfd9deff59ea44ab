"""What TrackFlow relies on of its host, part four: cache, queue Redis, jobs, permissions (HOST-2).

Jobs that these tests queue stand at the end of this module, because a worker imports them by name.
"""

import os
import pickle
import time
from threading import Thread
from typing import Any
from uuid import uuid4

import frappe
from frappe.utils.background_jobs import get_redis_conn
from redis.exceptions import ResponseError

from trackflow.tests.base import TrackFlowTestCase, work
from trackflow.tests.factories import make_campaign, make_link, make_visitor
from trackflow.tests.users import make_user, remove_user

HERE = "trackflow.tests.test_host_contract_services"
KEY = "trackflow:contract:"
JOB_ERROR = "A job of the host contract fails on purpose"


def in_a_thread(function: Any, *arguments: Any) -> Any:
	"""What `function` answers in a thread of its own, connected to the site as a request is."""
	site, sites_path, answers = frappe.local.site, frappe.local.sites_path, []

	def run() -> None:
		frappe.init(site=site, sites_path=sites_path, force=True)
		frappe.connect()
		try:
			answers.append(function(*arguments))
		finally:
			frappe.destroy()

	thread = Thread(target=run)
	thread.start()
	thread.join()
	return answers[0]


class TestFiles(TrackFlowTestCase):
	"""HOST-2: a private file goes with the transaction that wrote it, and with the document that it is attached to."""

	def attach(self, campaign: str) -> Any:
		"""A file of contents that no other one has, or it would share that one's place on the disk."""
		self.content = uuid4().hex
		row = {"doctype": "File", "file_name": f"contract-{self.content}.csv", "is_private": 1}
		attached = {"attached_to_doctype": "Link Campaign", "attached_to_name": campaign}
		return frappe.get_doc({**row, **attached, "content": self.content}).insert()

	def written(self, file: Any) -> str:
		with open(file.get_full_path()) as opened:
			return opened.read()

	def test_made_and_rolled_back(self) -> None:
		campaign = make_campaign().name
		frappe.db.commit()
		file = self.attach(campaign)
		self.assertEqual(self.written(file), self.content)
		frappe.db.rollback()
		self.assertFalse(os.path.exists(file.get_full_path()))

	def test_written_over_in_place(self) -> None:
		file = self.attach(make_campaign().name)
		frappe.db.commit()
		self.addCleanup(frappe.delete_doc, "File", file.name, force=True)
		new = uuid4().hex
		for ends, expected in ((frappe.db.rollback, self.content), (frappe.db.commit, new)):
			again = frappe.get_doc("File", file.name)
			again.save_file(content=new.encode(), ignore_existing_file_check=True, overwrite=True)
			self.assertEqual((again.file_url, again.file_size), (file.file_url, len(new)))
			self.assertEqual(self.written(file), new)
			ends()
			self.assertEqual(self.written(file), expected)

	def test_it_goes_with_its_document(self) -> None:
		campaign = make_campaign().name
		file = self.attach(campaign)
		frappe.delete_doc("Link Campaign", campaign)
		self.assertFalse(frappe.db.exists("File", file.name))
		self.assertFalse(os.path.exists(file.get_full_path()))


class TestConnections(TrackFlowTestCase):
	"""HOST-2, RED-8: each thread has a transaction of its own."""

	def test_what_is_not_committed_is_nobody_elses(self) -> None:
		make_visitor("v_00000000000000aa")
		self.assertEqual(in_a_thread(lambda: frappe.db.count("Visitor")), 0)
		frappe.db.commit()
		self.assertEqual(in_a_thread(lambda: frappe.db.count("Visitor")), 1)

	def test_what_others_committed_is_seen_after_the_next_rollback_at_the_latest(self) -> None:
		def add() -> None:
			make_visitor("v_00000000000000aa")
			frappe.db.commit()

		frappe.db.commit()
		self.assertEqual(frappe.db.count("Visitor"), 0)
		in_a_thread(add)
		# Here MariaDB still reads as of this transaction's first read; SQLite need not.
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("Visitor"), 1)

	def test_a_thread_that_ends_without_commit_leaves_nothing(self) -> None:
		in_a_thread(lambda: make_visitor("v_00000000000000aa"))
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("Visitor"), 0)


class TestCache(TrackFlowTestCase):
	"""HOST-2: `frappe.cache`."""

	def tearDown(self) -> None:
		frappe.cache.delete_keys(KEY)
		super().tearDown()

	def test_values_keep_their_types(self) -> None:
		for value in ("text", 1, 1.5, None, {"a": [1]}, ("b", frozenset({2})), Thing("c")):
			frappe.cache.set_value(KEY + "a", value)
			self.assertEqual(frappe.cache.get_value(KEY + "a"), value)
			frappe.cache.set_value(KEY + "b", value, expires_in_sec=60)
			self.assertEqual(frappe.cache.get_value(KEY + "b", expires=True), value)
		self.assertIsNone(frappe.cache.get_value(KEY + "none"))

	def test_expiry(self) -> None:
		frappe.cache.set_value(KEY + "a", 1, expires_in_sec=1)
		self.assertEqual(frappe.cache.get_value(KEY + "a", expires=True), 1)
		time.sleep(1.3)
		self.assertIsNone(frappe.cache.get_value(KEY + "a", expires=True))

	def test_values_are_pickled_under_keys_that_can_be_made(self) -> None:
		"""RED-7: short links read two of them in one round trip."""
		for number, name in enumerate("ab"):
			frappe.cache.set_value(KEY + name, Thing(number), expires_in_sec=60)
		found = frappe.cache.mget([frappe.cache.make_key(KEY + name) for name in "abc"])
		self.assertEqual([pickle.loads(one) for one in found[:2]], [Thing(0), Thing(1)])
		self.assertIsNone(found[2])

	def test_a_value_with_expiry_is_read_from_the_store_each_time(self) -> None:
		frappe.cache.set_value(KEY + "a", "old", expires_in_sec=60)
		self.assertEqual(frappe.cache.get_value(KEY + "a", expires=True), "old")
		in_a_thread(lambda: frappe.cache.set_value(KEY + "a", "new", expires_in_sec=60))
		self.assertEqual(frappe.cache.get_value(KEY + "a", expires=True), "new")

	def test_delete(self) -> None:
		for name in "abc":
			frappe.cache.set_value(KEY + name, name, expires_in_sec=60)
		frappe.cache.delete_value(KEY + "a")
		frappe.cache.delete_value([KEY + "b", KEY + "none"])
		self.assertEqual(
			[frappe.cache.get_value(KEY + name, expires=True) for name in "abc"], [None, None, "c"]
		)
		frappe.cache.set_value(KEY + "d", "d")
		frappe.cache.delete_keys(KEY)
		self.assertEqual(frappe.cache.get_value(KEY + "c", expires=True), None)
		self.assertEqual(frappe.cache.get_value(KEY + "d"), None)

	def test_other_threads_see_it(self) -> None:
		frappe.cache.set_value(KEY + "a", {"b": 1}, expires_in_sec=60)
		self.assertEqual(in_a_thread(lambda: frappe.cache.get_value(KEY + "a", expires=True)), {"b": 1})
		in_a_thread(lambda: frappe.cache.delete_value(KEY + "a"))
		self.assertIsNone(frappe.cache.get_value(KEY + "a", expires=True))

	def test_scripts_and_transactions_take_whole_keys(self) -> None:
		"""What `trackflow.snapshots` does beside Frappe's own methods."""
		made = frappe.cache.make_key(KEY + "a")
		pipeline = frappe.cache.pipeline(transaction=True)
		pipeline.set(made, b"word", ex=60)
		pipeline.delete(frappe.cache.make_key(KEY + "b"))
		pipeline.execute()
		self.assertEqual(frappe.cache.get(made), b"word")
		self.assertEqual(
			frappe.cache.eval("return redis.call('GET', KEYS[1]) or ARGV[1]", 1, made, b""), b"word"
		)
		frappe.cache.delete_value(KEY + "a")
		self.assertIsNone(frappe.cache.get(made))

	def test_clear_cache_empties_it(self) -> None:
		frappe.cache.set_value(KEY + "a", 1, expires_in_sec=60)
		frappe.clear_cache()
		self.assertIsNone(frappe.cache.get_value(KEY + "a", expires=True))

	def test_default_by_generator(self) -> None:
		self.assertEqual(frappe.cache.get_value(KEY + "a", generator=lambda: "made"), "made")
		self.assertEqual(frappe.cache.get_value(KEY + "a"), "made")


class TestQueueRedis(TrackFlowTestCase):
	"""HOST-2: `get_redis_conn()` is a plain Redis client that answers bytes."""

	def setUp(self) -> None:
		super().setUp()
		self.redis = get_redis_conn()
		self.stream, self.other = f"{KEY}{uuid4().hex}", f"{KEY}{uuid4().hex}"

	def tearDown(self) -> None:
		self.redis.delete(self.stream, self.other)
		super().tearDown()

	def test_set_if_missing_with_expiry_in_a_transaction(self) -> None:
		pipeline = self.redis.pipeline(transaction=True)
		for _again in range(2):
			pipeline.set(self.other, b"\x00\xff", nx=True, ex=30)
		pipeline.get(self.other)
		pipeline.xadd(self.stream, {"records": "[]"})
		first, second, value, entry = pipeline.execute()
		self.assertEqual((bool(first), bool(second), value, type(entry)), (True, False, b"\x00\xff", bytes))
		self.assertTrue(0 < self.redis.ttl(self.other) <= 30)
		self.redis.set(self.other, 1, ex=1)
		time.sleep(1.2)
		self.assertIsNone(self.redis.get(self.other))

	def test_keys_by_pattern(self) -> None:
		self.redis.set(self.other + "{x}", 1)
		self.assertEqual(list(self.redis.scan_iter(self.other + "*")), [(self.other + "{x}").encode()])
		self.assertEqual(self.redis.delete(self.other + "{x}"), 1)
		self.assertEqual(self.redis.delete(self.other + "{x}"), 0)

	def test_group(self) -> None:
		for _again in range(2):
			try:
				self.redis.xgroup_create(self.stream, "group", id="0", mkstream=True)
			except ResponseError as error:
				self.assertIn("BUSYGROUP", str(error))
				break
		else:
			self.fail("The group was made twice.")
		self.assertFalse(self.redis.xreadgroup("group", "one", {self.stream: ">"}, count=2))
		added = [self.redis.xadd(self.stream, {"records": str(number)}) for number in range(3)]
		((stream, entries),) = self.redis.xreadgroup("group", "one", {self.stream: ">"}, count=2)
		self.assertEqual((stream, entries[0]), (self.stream.encode(), (added[0], {b"records": b"0"})))
		self.assertEqual(len(entries), 2)
		(known,) = self.redis.xinfo_consumers(self.stream, "group")
		self.assertEqual((known["name"], known["pending"]), (b"one", 2))
		self.assertGreaterEqual(known["idle"], 0)
		claimed = self.redis.xautoclaim(self.stream, "group", "two", 0, count=10)
		self.assertEqual([entry_id for entry_id, _fields in claimed[1]], added[:2])
		self.assertEqual(self.redis.xautoclaim(self.stream, "group", "two", 60_000, count=10)[1], [])
		pipeline = self.redis.pipeline(transaction=True)
		pipeline.xack(self.stream, "group", *added[:2])
		pipeline.xdel(self.stream, *added[:2])
		self.assertEqual(pipeline.execute(), [2, 2])
		self.assertEqual(self.redis.xlen(self.stream), 1)
		self.redis.xgroup_delconsumer(self.stream, "group", "one")
		names = {known["name"] for known in self.redis.xinfo_consumers(self.stream, "group")}
		self.assertEqual(names, {b"two"})


class TestJobs(TrackFlowTestCase):
	"""HOST-2: `frappe.enqueue` and the host's worker."""

	def tearDown(self) -> None:
		super().tearDown()
		frappe.db.delete("Error Log", {"error": ("like", f"%{JOB_ERROR}%")})
		frappe.db.commit()

	def note(self, text: str, **options: Any) -> None:
		frappe.enqueue(f"{HERE}.write_note", queue="short", text=text, **options)

	def notes(self) -> list[str]:
		frappe.db.rollback()
		return frappe.get_all("Link Campaign", pluck="description", order_by="name")

	def test_runs_later_and_commits(self) -> None:
		self.note("one")
		self.note("two", timeout=30)
		self.assertEqual(self.notes(), [])
		work()
		self.assertEqual(sorted(self.notes()), ["one by Administrator", "two by Administrator"])

	def test_is_queued_whatever_becomes_of_the_transaction(self) -> None:
		self.note("one")
		frappe.db.rollback()
		work()
		self.assertEqual(self.notes(), ["one by Administrator"])

	def test_after_commit(self) -> None:
		self.note("kept", enqueue_after_commit=True)
		frappe.db.commit()
		self.note("dropped", enqueue_after_commit=True)
		frappe.db.rollback()
		work()
		self.assertEqual(self.notes(), ["kept by Administrator"])

	def test_deduplication(self) -> None:
		for text in ("one", "two"):
			self.note(text, job_id="trackflow::contract", deduplicate=True)
		work()
		self.assertEqual(self.notes(), ["one by Administrator"])
		self.note("three", job_id="trackflow::contract", deduplicate=True)
		work()
		self.assertEqual(sorted(self.notes()), ["one by Administrator", "three by Administrator"])

	def test_deduplication_needs_an_identity(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			self.note("one", deduplicate=True)

	def test_a_failing_job_is_rolled_back_and_logged_and_others_run(self) -> None:
		frappe.enqueue(f"{HERE}.fail", queue="short")
		self.note("after")
		work()
		self.assertEqual(self.notes(), ["after by Administrator"])
		self.assertEqual(frappe.db.count("Error Log", {"error": ("like", f"%{JOB_ERROR}%")}), 1)

	def test_a_failed_job_can_be_queued_again(self) -> None:
		for _again in range(2):
			frappe.enqueue(
				f"{HERE}.fail", queue="short", job_id="trackflow::contract-fails", deduplicate=True
			)
			work()
		self.assertEqual(frappe.db.count("Error Log", {"error": ("like", f"%{JOB_ERROR}%")}), 2)

	def test_runs_as_the_user_who_queued_it(self) -> None:
		frappe.set_user("Guest")
		self.note("one")
		frappe.set_user("Administrator")
		work()
		self.assertEqual(self.notes(), ["one by Guest"])

	def test_at_once(self) -> None:
		frappe.enqueue(f"{HERE}.write_note", now=True, text="now")
		self.assertEqual(
			frappe.db.get_value("Link Campaign", {"description": "now by Administrator"}, "status"), "Planned"
		)


class TestPermissions(TrackFlowTestCase):
	"""HOST-2, ROL-P: permissions follow roles."""

	user = "contract@example.com"

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls.user)

	@classmethod
	def tearDownClass(cls) -> None:
		remove_user(cls.user)
		super().tearDownClass()

	def become(self, *roles: str) -> None:
		frappe.set_user("Administrator")
		user = frappe.get_doc("User", self.user)
		user.set("roles", [])
		user.add_roles(*roles)
		frappe.clear_cache(user=self.user)
		frappe.set_user(self.user)

	def test_session_user(self) -> None:
		self.assertEqual(frappe.session.user, "Administrator")
		self.become()
		self.assertEqual(frappe.session.user, self.user)
		self.assertEqual(set(frappe.get_roles()) - {"Desk User"}, {"All", "Guest"})
		self.become("Campaign Manager")
		self.assertIn("Campaign Manager", frappe.get_roles())

	def test_administrator_may_everything(self) -> None:
		for permission in ("read", "write", "create", "delete"):
			self.assertTrue(frappe.has_permission("Tracked Link", permission))

	def test_nobody_without_a_role(self) -> None:
		link = make_link("abc")
		self.become()
		self.assertFalse(frappe.has_permission("Tracked Link", "read"))
		self.assertFalse(frappe.has_permission("Tracked Link", "read", doc=link.name))
		with self.assertRaises(frappe.PermissionError):
			frappe.has_permission("Tracked Link", "read", throw=True)
		with self.assertRaises(frappe.PermissionError):
			frappe.get_list("Tracked Link")
		with self.assertRaises(frappe.PermissionError):
			make_link("def")
		with self.assertRaises(frappe.PermissionError):
			frappe.get_doc("Tracked Link", link.name).save()
		with self.assertRaises(frappe.PermissionError):
			frappe.delete_doc("Tracked Link", link.name)
		self.assertEqual(len(frappe.get_all("Tracked Link")), 1)

	def test_a_role_may_what_it_may(self) -> None:
		make_visitor()
		self.become("Campaign Manager")
		campaign = make_campaign()
		self.assertTrue(frappe.has_permission("Link Campaign", "write", doc=campaign.name, throw=True))
		self.assertEqual(frappe.get_list("Link Campaign", pluck="name"), ["Spring Sale"])
		self.assertEqual(campaign.owner, self.user)
		self.assertTrue(frappe.has_permission("Visitor", "read"))
		self.assertFalse(frappe.has_permission("Visitor", "write"))
		with self.assertRaises(frappe.PermissionError):
			frappe.delete_doc("Visitor", "v_00000000000000aa")

	def test_guests_may_nothing(self) -> None:
		make_campaign()
		frappe.set_user("Guest")
		self.assertFalse(frappe.has_permission("Link Campaign", "read"))
		with self.assertRaises(frappe.PermissionError):
			frappe.get_list("Link Campaign")
		self.assertEqual(frappe.get_roles(), ["Guest"])

	def test_permissions_can_be_ignored(self) -> None:
		self.become()
		campaign = frappe.get_doc({"doctype": "Link Campaign", "campaign_name": "Mine", "status": "Planned"})
		campaign.insert(ignore_permissions=True)
		campaign = frappe.get_doc("Link Campaign", "Mine")
		campaign.save(ignore_permissions=True)
		self.assertEqual(len(frappe.get_list("Link Campaign", ignore_permissions=True)), 1)
		frappe.delete_doc("Link Campaign", "Mine", ignore_permissions=True)
		self.assertFalse(frappe.db.exists("Link Campaign", "Mine"))


class Thing:
	"""A value of a class of the app's own, as the cache holds them."""

	def __init__(self, name: str) -> None:
		self.name = name

	def __eq__(self, other: object) -> bool:
		return isinstance(other, Thing) and other.name == self.name

	__hash__ = None


def write_note(text: str) -> None:
	"""Job: leave a trace that a test can read."""
	note = f"{text} by {frappe.session.user}"
	values = {"campaign_name": f"Note {uuid4().hex}", "status": "Planned", "description": note}
	frappe.get_doc({"doctype": "Link Campaign", **values}).insert(ignore_permissions=True)


def fail() -> None:
	"""Job: write something, then fail."""
	write_note("failed")
	raise ValueError(JOB_ERROR)
