"""HOST-2: the queue keeps jobs over a restart, hands each out at least once, and forgets none that was lost."""

import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest.mock import patch

from benchless import activate

activate()

from frappe.utils.job_store import LEASE_SECONDS, MAX_ATTEMPTS, Job, JobStatus, JobStore


def make_job(job_id: str = "a", queue: str = "default", **kwargs: object) -> Job:
	return Job(id=job_id, queue=queue, timeout=300, kwargs={"job_name": "app.task", "kwargs": kwargs})


class JobStoreTestCase(unittest.TestCase):
	def setUp(self) -> None:
		folder = tempfile.TemporaryDirectory()
		self.addCleanup(folder.cleanup)
		self.path = Path(folder.name, "queue.sqlite3")
		self.store = JobStore(self.path)

	def claim(self, *queues: str) -> Job | None:
		return self.store.claim(queues or ("short", "default", "long"), "worker")


class TestOrder(JobStoreTestCase):
	def test_first_come_first_served_within_a_queue(self) -> None:
		for name in "abc":
			self.store.add(make_job(name))
		self.assertEqual([self.claim().id for _ in range(3)], ["a", "b", "c"])
		self.assertIsNone(self.claim())

	def test_queues_are_served_in_the_order_given(self) -> None:
		self.store.add(make_job("long", "long"))
		self.store.add(make_job("short", "short"))
		self.assertEqual([self.claim().id, self.claim().id], ["short", "long"])
		self.store.add(make_job("other", "long"))
		self.assertIsNone(self.claim("short"))

	def test_at_front_overtakes_and_the_last_one_most(self) -> None:
		self.store.add(make_job("a"))
		self.store.add(make_job("b"), at_front=True)
		self.store.add(make_job("c"), at_front=True)
		self.assertEqual([self.claim().id for _ in range(3)], ["c", "b", "a"])


class TestLife(JobStoreTestCase):
	def test_a_job_survives_the_process(self) -> None:
		self.store.add(make_job("a", value=[1, "two"]))
		again = JobStore(self.path)
		self.assertEqual(again.get("a").kwargs["kwargs"], {"value": [1, "two"]})
		self.assertEqual(again.claim(("default",), "other").id, "a")

	def test_failed_jobs_are_kept_with_their_error(self) -> None:
		self.store.add(make_job("a"))
		self.claim()
		self.store.finish("a", "it broke")
		job = self.store.get("a")
		self.assertEqual((job.status, job.exc_info), (JobStatus.FAILED, "it broke"))
		self.assertIsNone(self.claim(), "a failed job is not tried again by itself")

	def test_a_finished_id_may_be_queued_again(self) -> None:
		for _ in range(2):
			self.store.add(make_job("a"))
			self.assertEqual(self.claim().attempts, 1)
			self.store.finish("a")

	def test_an_id_waits_once(self) -> None:
		self.store.add(make_job("a", value=1))
		self.store.add(make_job("a", value=2))
		self.assertEqual(self.claim().kwargs["kwargs"], {"value": 2})
		self.assertIsNone(self.claim())

	def test_finished_jobs_are_forgotten(self) -> None:
		self.store.add(make_job("a"))
		self.store.finish("a")
		with patch("frappe.utils.job_store.time.time", return_value=time.time() + 3600):
			self.store.finish("nothing")
		self.assertIsNone(self.store.get("a"))


class TestLease(JobStoreTestCase):
	def test_a_lost_job_is_handed_out_again_after_its_lease(self) -> None:
		self.store.add(make_job("a"))
		self.claim()
		self.assertIsNone(self.claim())
		with patch("frappe.utils.job_store.time.time", return_value=time.time() + LEASE_SECONDS + 1):
			self.assertEqual(self.claim().attempts, 2)

	def test_a_renewed_lease_keeps_the_job(self) -> None:
		self.store.add(make_job("a"))
		self.claim()
		later = time.time() + LEASE_SECONDS - 1
		with patch("frappe.utils.job_store.time.time", return_value=later):
			self.store.renew("a", "worker")
		with patch("frappe.utils.job_store.time.time", return_value=later + LEASE_SECONDS - 1):
			self.assertIsNone(self.claim())

	def test_a_job_that_kills_every_worker_is_given_up(self) -> None:
		self.store.add(make_job("a"))
		at = time.time()
		for attempt in range(MAX_ATTEMPTS):
			with patch("frappe.utils.job_store.time.time", return_value=at + attempt * (LEASE_SECONDS + 1)):
				self.assertEqual(self.claim().attempts, attempt + 1)
		with patch("frappe.utils.job_store.time.time", return_value=at + MAX_ATTEMPTS * (LEASE_SECONDS + 1)):
			self.assertIsNone(self.claim())
		self.assertEqual(self.store.get("a").status, JobStatus.FAILED)


class TestOpening(JobStoreTestCase):
	def test_many_processes_may_open_a_new_queue_at_once(self) -> None:
		"""Changing a database's journal mode does not wait for a lock by itself."""
		path = self.path.with_name("new.sqlite3")
		script = (
			"from benchless import activate; activate()\n"
			"from frappe.utils.job_store import JobStore\n"
			f"JobStore({str(path)!r}).find()"
		)
		processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(6)]
		self.assertEqual([process.wait(60) for process in processes], [0] * 6)

	def test_a_worker_survives_a_broken_queue(self) -> None:
		from frappe.utils.worker import Worker

		stumbles: list[int] = []

		class Stumbling(Worker):
			def run_one(self) -> bool:
				stumbles.append(1)
				if len(stumbles) == 2:
					self.stop()
				raise sqlite3.OperationalError("database is locked")

		with self.assertLogs("benchless.worker"):
			Stumbling(lambda: [], "").run()
		self.assertEqual(len(stumbles), 2)
