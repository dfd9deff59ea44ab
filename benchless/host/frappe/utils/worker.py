"""Workers: threads that take jobs off the queues of a set of sites and run them, each in a Frappe context of its own.

A job that outlives its timeout is interrupted as RQ does it; a job whose process dies is taken up by another worker
once its lease has run out. `stop()` lets the running job finish.
"""

import ctypes
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager

import frappe
from frappe.utils.background_jobs import get_job_store, get_queue_list, job_added, run_job
from frappe.utils.job_store import LEASE_SECONDS, Job, JobStore

logger = logging.getLogger("benchless.worker")
LOOK_EVERY_SECONDS = 0.5


class JobTimeoutException(Exception):
	"""The job took longer than it may."""


class Worker:
	def __init__(
		self, sites: Callable[[], Sequence[str]], sites_path: str, queues: Sequence[str] | None = None
	):
		self.sites, self.sites_path, self.queues = sites, sites_path, queues
		self.name = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
		self.stopping = threading.Event()

	def run(self) -> None:
		"""Work until stopped, whatever goes wrong on the way."""
		while not self.stopping.is_set():
			job_added.clear()
			try:
				worked = self.run_one()
			except Exception:
				logger.exception("A worker stumbled; it goes on")
				worked = False
				self.stopping.wait(LOOK_EVERY_SECONDS)
			if not worked:
				job_added.wait(LOOK_EVERY_SECONDS)

	def burst(self) -> int:
		"""Work until nothing waits; answers how many jobs ran."""
		count = 0
		while not self.stopping.is_set() and self.run_one():
			count += 1
		return count

	def stop(self) -> None:
		self.stopping.set()
		job_added.set()

	def run_one(self) -> bool:
		"""Run the next job of the first site that has one."""
		for site in self.sites():
			frappe.init(site, sites_path=self.sites_path, force=True)
			try:
				store, queues = get_job_store(), self.queues or get_queue_list()
			finally:
				frappe.destroy()
			if job := store.claim(queues, self.name):
				self.perform(job, store)
				return True
		return False

	def perform(self, job: Job, store: JobStore) -> None:
		frappe.init(job.kwargs["site"], sites_path=self.sites_path, force=True)
		with kept_alive(job, store, self.name), interrupted_after(job.timeout):
			run_job(job)
		if job.exc_info:
			logger.error("%s failed\n%s", job.func_name, job.exc_info)
		store.finish(job.id, job.exc_info)


@contextmanager
def kept_alive(job: Job, store: JobStore, worker: str):
	"""Renew the job's lease while it runs."""
	done = threading.Event()

	def beat() -> None:
		while not done.wait(LEASE_SECONDS / 4):
			store.renew(job.id, worker)

	thread = threading.Thread(target=beat, name="lease", daemon=True)
	thread.start()
	try:
		yield
	finally:
		done.set()
		thread.join()


@contextmanager
def interrupted_after(seconds: int):
	"""Raise JobTimeoutException inside this thread when the time is over; no signal reaches a thread."""
	ident = ctypes.c_ulong(threading.get_ident())
	timer = threading.Timer(
		seconds,
		lambda: ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(JobTimeoutException)),
	)
	timer.daemon = True
	timer.start()
	try:
		yield
	finally:
		timer.cancel()
