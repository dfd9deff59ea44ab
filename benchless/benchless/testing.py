"""What tests on this host may use beside Frappe's own test API: a live server, and a worker for what is queued.

A suite that also runs on a bench asks for these only where benchless is the host.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from benchless.server import Server

_server: Server | None = None


@contextmanager
def live_server(site: str | None = None, background: bool = False) -> Iterator[str]:
	"""The current site on a free loopback port; gives its address. Commit what the server is to see."""
	import frappe

	with Server(site=site or frappe.local.site, background=background) as server:
		yield server.url


def get_live_url() -> str:
	"""The address of a server that lives as long as the test session, started when first asked for."""
	global _server
	import frappe

	if _server is None:
		_server = Server(site=frappe.local.site, background=False).start()
	return _server.url


def stop_live_server() -> None:
	global _server
	if _server is not None:
		_server.stop()
		_server = None


def run_jobs(queues: list[str] | None = None) -> int:
	"""Run what is queued for the current site, in a thread as a worker would, until nothing waits; answers how many."""
	import threading

	import frappe
	from frappe.utils.worker import Worker

	site, sites_path = frappe.local.site, frappe.local.sites_path
	counts: list[int] = []
	thread = threading.Thread(
		target=lambda: counts.append(Worker(lambda: [site], sites_path, queues).burst())
	)
	thread.start()
	thread.join()
	return sum(counts)


def drop_jobs() -> None:
	"""Forget what is queued for the current site."""
	from frappe.utils.background_jobs import get_job_store

	get_job_store().clear()
