"""Starts edges: one in this process, or several that share the port, each begun again if it dies."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable

import frappe

from trackflow.edge import figures
from trackflow.edge.figures import Figures
from trackflow.edge.server import Options, serve
from trackflow.redirect.page import Words
from trackflow.redirect.words import words

log = logging.getLogger("trackflow.edge")

# A process that dies at once is not begun again at once.
PAUSE_SECONDS = 1.0


def run(options: Options, processes: int, ready: Callable[[], None]) -> None:
	"""Serve until SIGTERM or SIGINT. `ready` is called once this process's edge, or all of them, take connections."""
	logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, level=logging.INFO)
	fallback = _fallback_words(options.sites[0])
	room = figures.shared(processes)
	if processes == 1:
		serve(options, fallback, Figures(room, 0), ready)
	else:
		_Processes(
			lambda number: serve(options, fallback, Figures(room, number), lambda: None), processes
		).run(ready)


def hosts_of(sites: list[str]) -> dict[str, str]:
	"""Site by host name: the site's own, and the domains of its configuration."""
	hosts: dict[str, str] = {}
	for site in sites:
		frappe.init(site=site)
		try:
			domains = frappe.local.conf.get("domains") or []
		finally:
			frappe.destroy()
		names = [one["domain"] if isinstance(one, dict) else one for one in domains]
		for host in (site, *names):
			hosts.setdefault(host.lower(), site)
	return hosts


def _fallback_words(site: str) -> Words:
	"""The pages' texts while no site has been read."""
	frappe.init(site=site)
	try:
		return words("en")
	finally:
		frappe.destroy()


class _Processes:
	"""Forked before anything is opened. SIGTERM and SIGINT are passed on, and then all are waited for."""

	def __init__(self, work: Callable[[int], None], number: int) -> None:
		self._work = work
		self._children: dict[int, int] = {}
		self._number = number
		self._is_stopping = False

	def run(self, ready: Callable[[], None]) -> None:
		for number in (signal.SIGTERM, signal.SIGINT):
			signal.signal(number, self._stop)
		for number in range(self._number):
			self._begin(number)
		ready()
		while self._children:
			try:
				child, status = os.wait()
			except ChildProcessError:
				break
			number = self._children.pop(child, None)
			if number is not None and not self._is_stopping:
				log.error("Edge %d ended (%s) and is begun again", number, os.waitstatus_to_exitcode(status))
				time.sleep(PAUSE_SECONDS)
				self._begin(number)

	def _begin(self, number: int) -> None:
		child = os.fork()
		if child:
			self._children[child] = number
			if self._is_stopping:
				os.kill(child, signal.SIGTERM)
			return
		status = 1
		try:
			signal.signal(signal.SIGTERM, signal.SIG_DFL)
			self._work(number)
			status = 0
		except Exception:
			log.exception("Edge %d failed", number)
		finally:
			os._exit(status)

	def _stop(self, number: int, _frame: object) -> None:
		self._is_stopping = True
		for child in self._children:
			os.kill(child, signal.SIGTERM)
