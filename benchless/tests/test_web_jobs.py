"""HOST-2: jobs are queued, run, retried and scheduled as on a bench, without Redis or RQ."""

import os
import signal
import subprocess
import sys
import time

import pytest
from benchless.server import Background, Server
from benchless.sites import get_sites_path
from benchless.testing import run_jobs
from client import Client, wait_until


@pytest.fixture
def queue(on_probe: None):
	import probe.jobs
	from frappe.utils.background_jobs import get_job_store

	probe.jobs.attempts.clear()
	store = get_job_store()
	store.clear()
	yield store
	store.clear()


def sources(*names: str) -> list[str]:
	import frappe

	frappe.db.rollback()
	return frappe.get_all(
		"CRM Lead Source", filters={"name": ["in", names]}, pluck="name", order_by="name asc"
	)


class TestEnqueue:
	def test_now_runs_in_place_and_in_this_transaction(self, queue) -> None:
		import frappe

		assert frappe.enqueue("probe.jobs.note", text="now", now=True) == "now"
		assert frappe.db.exists("CRM Lead Source", "now")
		frappe.db.rollback()
		assert sources("now") == []

	def test_a_job_is_there_at_once_whatever_becomes_of_the_transaction(self, queue) -> None:
		import frappe

		job = frappe.enqueue("probe.jobs.note", text="kept")
		frappe.db.rollback()
		assert job.get_status() == "queued"
		assert run_jobs() == 1
		assert job.get_status() == "finished"
		assert sources("kept") == ["kept"]

	def test_after_commit_waits_for_the_commit(self, queue) -> None:
		import frappe

		frappe.enqueue("probe.jobs.note", text="rolled back", enqueue_after_commit=True)
		frappe.db.rollback()
		frappe.db.commit()
		assert run_jobs() == 0
		frappe.enqueue("probe.jobs.note", text="committed", enqueue_after_commit=True)
		assert queue.find() == []
		frappe.db.commit()
		assert run_jobs() == 1

	def test_job_ids_deduplicate(self, queue) -> None:
		import frappe
		from frappe.utils.background_jobs import create_job_id, get_job_status, is_job_enqueued

		first = frappe.enqueue("probe.jobs.note", text="once", job_id="only", deduplicate=True)
		assert first.id == create_job_id("only") == "probe.localhost::only"
		assert frappe.enqueue("probe.jobs.note", text="twice", job_id="only", deduplicate=True) is None
		assert is_job_enqueued("only")
		assert run_jobs() == 1
		assert not is_job_enqueued("only")
		assert (get_job_status("only"), get_job_status("other")) == ("finished", None)
		assert frappe.enqueue("probe.jobs.note", text="again", job_id="only", deduplicate=True)
		with pytest.raises(frappe.ValidationError):
			frappe.enqueue("probe.jobs.note", text="x", deduplicate=True)
		with pytest.raises(frappe.ValidationError):
			frappe.enqueue("probe.jobs.note", queue="unknown", text="x")

	def test_failures_are_rolled_back_logged_and_kept(self, queue) -> None:
		import frappe
		import probe.jobs

		job = frappe.enqueue(probe.jobs.note_and_fail, text="half", on_failure=probe.jobs.failed)
		frappe.enqueue("probe.jobs.note", text="whole", on_success=probe.jobs.succeeded)
		assert run_jobs() == 2
		assert sources("half", "whole") == ["whole"]
		assert "after the note" in queue.get(job.id).exc_info
		assert probe.jobs.attempts == ["failed after the note", "succeeded whole"]
		assert frappe.db.exists("Error Log", {"method": "probe.jobs.note_and_fail"})

	def test_the_job_runs_as_the_user_who_queued_it(self, queue) -> None:
		import frappe

		frappe.set_user("Guest")
		frappe.enqueue("probe.jobs.note", text="by guest")
		frappe.set_user("Administrator")
		run_jobs()
		frappe.db.rollback()
		assert frappe.db.get_value("CRM Lead Source", "by guest", "details") == "Guest"

	def test_a_job_may_ask_to_be_tried_again(self, queue, monkeypatch) -> None:
		import frappe
		import probe.jobs

		monkeypatch.setattr("frappe.utils.background_jobs.time.sleep", lambda _seconds: None)
		job = frappe.enqueue("probe.jobs.fail_twice")
		run_jobs()
		assert (job.get_status(), probe.jobs.attempts) == ("finished", ["try"] * 3)

	def test_a_job_that_takes_too_long_is_interrupted(self, queue) -> None:
		import frappe

		job = frappe.enqueue("probe.jobs.endless", timeout=1)
		run_jobs()
		assert job.get_status() == "failed"
		assert "JobTimeoutException" in queue.get(job.id).exc_info

	def test_in_tests_is_async_false_runs_in_place_and_swallows_the_error(self, queue) -> None:
		import frappe

		assert frappe.enqueue("probe.jobs.note_and_fail", text="x", is_async=False).get_status() == "failed"
		assert frappe.enqueue("probe.jobs.note", text="sync", is_async=False).get_status() == "finished"
		frappe.db.delete("CRM Lead Source", {"name": "sync"})
		frappe.db.commit()


class TestRequests:
	def test_from_get_only_what_does_not_wait_for_a_commit(self, queue, server: Server) -> None:
		client = Client(server.url)
		client.get("/api/method/probe.api.later")
		assert [job.kwargs["kwargs"]["text"] for job in queue.find()] == ["from a request"]
		queue.clear()
		client.post("/api/method/probe.api.later")
		assert {job.kwargs["kwargs"]["text"] for job in queue.find()} == {"from a request", "after commit"}


class TestWorkers:
	def test_background_threads_work_and_stop(self, queue) -> None:
		import frappe

		background = Background(get_sites_path(), ["probe.localhost"])
		background.start()
		try:
			job = frappe.enqueue("probe.jobs.note", text="by a thread")
			wait_until(lambda: job.get_status() == "finished")
		finally:
			background.stop()
		assert not any(thread.is_alive() for thread in background.threads)

	def test_a_killed_worker_loses_no_job(self, queue, monkeypatch) -> None:
		import frappe

		job = frappe.enqueue("probe.jobs.endless")
		worker = subprocess.Popen(
			[sys.executable, "-m", "benchless", "worker", "--queue", "default"],
			env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
		)
		try:
			wait_until(lambda: job.get_status() == "started", seconds=30)
		finally:
			worker.send_signal(signal.SIGKILL)
			worker.wait()
		assert queue.claim(["default"], "other") is None, "its lease still runs"
		later = time.time() + 60
		monkeypatch.setattr("frappe.utils.job_store.time.time", lambda: later)
		assert queue.claim(["default"], "other").attempts == 2


class TestScheduler:
	def test_events_are_queued_when_they_are_due_and_once(self, queue) -> None:
		import frappe
		from frappe.utils import add_to_date, now_datetime
		from frappe.utils.scheduler import enqueue_events

		def last_ran(**ago: int) -> None:
			frappe.db.sql(
				"update `tabScheduled Job Type` set last_execution = %s", add_to_date(now_datetime(), **ago)
			)
			frappe.db.commit()

		last_ran(seconds=30)
		assert enqueue_events("probe.localhost") == [], "nothing is due yet"
		last_ran(minutes=-6)
		queued = enqueue_events("probe.localhost")
		assert "probe.jobs.tick" in queued
		assert enqueue_events("probe.localhost") == [], "it waits already"
		last_ran(days=-1)
		queued += enqueue_events("probe.localhost")
		of_probe = ["probe.jobs.daily", "probe.jobs.long", "probe.jobs.tick"]
		assert sorted(queued) == ["frappe.email.queue.flush", *of_probe]
		assert {job.queue for job in queue.find()} == {"default", "long"}
		assert run_jobs() == 4
		assert sources("ticked", "daily", "long") == ["daily", "long", "ticked"]
		assert enqueue_events("probe.localhost") == []
		assert frappe.db.count("Scheduled Job Log", {"status": "Complete"}) == 3

	def test_failures_are_rolled_back_and_logged(self, queue) -> None:
		import frappe

		frappe.get_doc("Scheduled Job Type", {"method": "probe.jobs.tick"}).enqueue(force=True)
		run_jobs()
		frappe.db.rollback()
		logs = frappe.get_all(
			"Scheduled Job Log", filters={"status": "Failed"}, fields=["details", "scheduled_job_type"]
		)
		assert [log.scheduled_job_type for log in logs] == ["jobs.tick"], (
			"a second source of that name is refused"
		)
		assert "Duplicate" in logs[0].details

	def test_records_follow_the_hooks(self, queue) -> None:
		import frappe
		from frappe.core.doctype.scheduled_job_type.scheduled_job_type import sync_jobs

		sync_jobs({"cron": {"1 * * * *": ["probe.jobs.tick"]}, "daily": ["probe.jobs.daily"]})
		rows = frappe.get_all("Scheduled Job Type", fields=["method", "cron_format"], order_by="method asc")
		assert [(row.method, row.cron_format or "") for row in rows] == [
			("probe.jobs.daily", ""),
			("probe.jobs.tick", "1 * * * *"),
		]

	def test_it_can_be_switched_off(self, queue) -> None:
		import frappe
		from frappe.utils.scheduler import disable_scheduler, enable_scheduler, is_scheduler_inactive

		assert not is_scheduler_inactive()
		disable_scheduler()
		assert is_scheduler_inactive()
		enable_scheduler()
		frappe.local.conf.pause_scheduler = 1
		assert is_scheduler_inactive()


class TestRedis:
	def test_the_queue_redis_is_shared_and_answers_bytes(self, queue) -> None:
		from frappe.utils.background_jobs import get_redis_conn

		connection = get_redis_conn()
		connection.delete("probe")
		connection.xadd("probe", {"a": "1"})
		assert get_redis_conn().xread({"probe": "0"})[0][1][0][1] == {b"a": b"1"}
		connection.delete("probe")
