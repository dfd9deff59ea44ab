"""Background jobs with the signature and the transaction rules of Frappe v15, over a queue in the site's folder.

A job is queued at once (or after commit, if asked), runs as the user who queued it, commits when it returns and is
rolled back and logged when it raises. Jobs run at least once: see `job_store`.
"""

import os
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import uuid4

import redis

import frappe
from frappe import _
from frappe.utils import CallbackManager
from frappe.utils.job_store import WAITING, Job, JobStatus, JobStore
from frappe.utils.redis_wrapper import connect

# A worker of this process need not wait for its next look at the queue.
job_added = threading.Event()
RETRIES = 5


def get_queues_timeout() -> dict[str, int]:
	"""Queues in the order in which a worker serves them, with the seconds a job may take."""
	workers = (frappe.local.conf.get("workers") if hasattr(frappe.local, "conf") else None) or {}
	custom = {name: config.get("timeout", 300) for name, config in workers.items()}
	return {"short": 300, "default": 300, "long": 1500, **custom}


def enqueue(
	method: str | Callable,
	queue: str = "default",
	timeout: int | None = None,
	event: str | None = None,
	is_async: bool = True,
	job_name: str | None = None,
	now: bool = False,
	enqueue_after_commit: bool = False,
	*,
	on_success: Callable | None = None,
	on_failure: Callable | None = None,
	at_front: bool = False,
	job_id: str | None = None,
	deduplicate: bool = False,
	**kwargs: Any,
) -> Job | Any:
	"""Run `method` with `kwargs` in a worker; at once and in place if `now`.

	With `deduplicate` (which needs `job_id`) nothing is queued while such a job waits or runs.
	"""
	is_async = kwargs.pop("async", is_async)
	if deduplicate:
		if not job_id:
			frappe.throw(_("`job_id` paramater is required for deduplication."))
		if is_job_enqueued(job_id):
			return None

	if now or (not is_async and not frappe.flags.in_test):
		return frappe.call(method, **kwargs)

	validate_queue(queue)
	if callable(method):
		method = f"{method.__module__}.{method.__qualname__}"
	job = Job(
		id=create_job_id(job_id),
		queue=queue,
		timeout=timeout or get_queues_timeout()[queue],
		on_success=on_success,
		on_failure=on_failure,
		kwargs={
			"site": frappe.local.site,
			"user": frappe.session.user,
			"method": method,
			"event": event,
			"job_name": job_name or method,
			"is_async": is_async,
			"kwargs": kwargs,
		},
	)

	# The store is found now: after the commit, or in the callback, another site could be the current one.
	store = get_job_store()

	def enqueue_call() -> Job:
		if not is_async:
			return run_job(job)
		store.add(job, at_front=at_front)
		job_added.set()
		return job

	if enqueue_after_commit:
		frappe.db.after_commit.add(enqueue_call)
		return None
	return enqueue_call()


def enqueue_doc(
	doctype: str,
	name: str | None = None,
	method: str | None = None,
	queue: str = "default",
	timeout: int = 300,
	now: bool = False,
	**kwargs: Any,
) -> Job | Any:
	"""Queue a method of a document."""
	return enqueue(
		"frappe.utils.background_jobs.run_doc_method",
		doctype=doctype,
		name=name,
		doc_method=method,
		queue=queue,
		timeout=timeout,
		now=now,
		**kwargs,
	)


def run_doc_method(doctype: str, name: str, doc_method: str, **kwargs: Any) -> None:
	getattr(frappe.get_doc(doctype, name), doc_method)(**kwargs)


def execute_job(
	site: str,
	method: str | Callable,
	event: str | None,
	job_name: str,
	kwargs: dict[str, Any],
	user: str | None = None,
	is_async: bool = True,
	retry: int = 0,
) -> Any:
	"""One job, with its own connection if `is_async`: commit, or roll back, log and raise.

	A deadlock, a lock timeout or RetryBackgroundJobError lets it start again, five times, a little later each time.
	"""
	if is_async:
		enter_site(site)
		frappe.connect()
		if user:
			frappe.set_user(user)

	method_name = method if isinstance(method, str) else f"{method.__module__}.{method.__qualname__}"
	frappe.local.job = frappe._dict(
		site=site,
		method=method_name,
		job_name=job_name,
		kwargs=kwargs,
		user=user,
		after_job=CallbackManager(),
	)
	result, again = None, False
	try:
		function = frappe.get_attr(method) if isinstance(method, str) else method
		for task in frappe.get_hooks("before_job"):
			frappe.call(task, method=method_name, kwargs=kwargs, transaction_type="job")
		result = function(**kwargs)
		frappe.db.commit()
	except Exception as error:
		frappe.db.rollback()
		again = retry < RETRIES and is_worth_retrying(error)
		if not again:
			frappe.log_error(title=method_name)
			frappe.db.commit()
			raise
	finally:
		if not again:
			for task in frappe.get_hooks("after_job"):
				frappe.call(task, method=method_name, kwargs=kwargs, result=result)
			frappe.local.job.after_job.run()
		if is_async:
			frappe.destroy()
	if again:
		time.sleep(retry + 1)
		return execute_job(site, method, event, job_name, kwargs, user, is_async, retry + 1)
	return result


def enter_site(site: str) -> None:
	"""A fresh context of the site, in the sites folder of the former one."""
	sites_path = getattr(frappe.local, "sites_path", None) or os.environ.get("SITES_PATH", ".")
	frappe.init(site, sites_path=sites_path, force=True)


def is_worth_retrying(error: Exception) -> bool:
	return isinstance(
		error, frappe.RetryBackgroundJobError | frappe.QueryDeadlockError | frappe.QueryTimeoutError
	)


def run_job(job: Job) -> Job:
	"""Perform a job here and now, and keep its outcome on the job. Never raises: the error is in `exc_info`."""
	try:
		job.result = execute_job(**job.kwargs)
	except Exception as error:
		job.status, job.exc_info = JobStatus.FAILED, frappe.get_traceback()
		call_back(job, job.on_failure, type(error), error, error.__traceback__)
	else:
		job.status = JobStatus.FINISHED
		call_back(job, job.on_success, job.result)
	return job


def call_back(job: Job, function: Callable | None, *args: Any) -> None:
	"""RQ hands its callbacks the job and its Redis connection; a failing one makes the job a failed one."""
	if not function:
		return
	in_worker = job.kwargs["is_async"]
	if in_worker:
		enter_site(job.kwargs["site"])
	try:
		function(job, get_redis_conn(), *args)
	except Exception:
		job.status, job.exc_info = JobStatus.FAILED, frappe.get_traceback()
	finally:
		if in_worker:
			frappe.destroy()


def create_job_id(job_id: str | None) -> str:
	"""Job ids belong to a site."""
	return f"{frappe.local.site}::{job_id or uuid4()}"


def is_job_enqueued(job_id: str) -> bool:
	return get_job_status(job_id) in WAITING


def get_job_status(job_id: str) -> JobStatus | None:
	job = get_job(job_id)
	return job.status if job else None


def get_job(job_id: str) -> Job | None:
	return get_job_store().get(create_job_id(job_id))


def get_jobs(site: str | None = None, queue: str | None = None, key: str = "method") -> dict[str, list[Any]]:
	"""Waiting and running jobs: site → their methods, or the values of the argument `key`."""
	jobs: dict[str, list[Any]] = {}
	for job in get_job_store().find():
		arguments = job.kwargs if key in job.kwargs else job.kwargs["kwargs"]
		if job.status in WAITING and key in arguments and queue in (None, job.queue):
			jobs.setdefault(job.kwargs["site"], []).append(arguments[key])
	return {name: found for name, found in jobs.items() if site in (None, name)}


def get_queue_list(queue_list: str | list[str] | None = None, build_queue_name: bool = False) -> list[str]:
	known = list(get_queues_timeout())
	if not queue_list:
		return known
	wanted = [queue_list] if isinstance(queue_list, str) else queue_list
	for queue in wanted:
		validate_queue(queue, known)
	return wanted


def validate_queue(queue: str, default_queue_list: list[str] | None = None) -> None:
	known = default_queue_list or list(get_queues_timeout())
	if queue not in known:
		frappe.throw(_("Queue should be one of {0}").format(", ".join(known)))


def get_job_store() -> JobStore:
	return _open_store(os.path.abspath(frappe.get_site_path("queue.sqlite3")))


@lru_cache(maxsize=32)
def _open_store(path: str) -> JobStore:
	return JobStore(path)


def get_redis_conn(username: str | None = None, password: str | None = None) -> redis.Redis:
	"""The queue Redis of the bench: answers bytes, is never evicted, is shared by all sites.

	A Redis in this process (fakeredis), unless the site's `redis_queue` names a server.
	"""
	if not hasattr(frappe.local, "conf"):
		raise Exception("You need to call frappe.init")
	return _connect(frappe.local.conf.redis_queue)


@lru_cache(maxsize=8)
def _connect(url: str) -> redis.Redis:
	return connect(url)
