"""The edge's process: which site a request is for, what it answers besides short links, and how it starts and stops.

Answers `/r/…` and what `edge.events` claims, and to its monitoring `/healthz` and `/metrics`; all else is not found.
"""

import asyncio
import gc
import json
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_network
from wsgiref.types import WSGIEnvironment

import uvloop
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Request as FormRequest

from trackflow.config import LOOPBACK
from trackflow.edge import events, figures
from trackflow.edge.figures import Figures
from trackflow.edge.http import Connection, Reply, Request, Server, plain, reply
from trackflow.edge.site import NotInstalled, Site
from trackflow.incoming import MAX_FORM, Incoming, scheme_of
from trackflow.policy import Network
from trackflow.redirect import page
from trackflow.redirect.answer import HEADERS, claims, unavailable
from trackflow.redirect.page import Words
from trackflow.tracking import identity
from trackflow.tracking.collector import JSON_HEADERS

log = logging.getLogger("trackflow.edge")

SITE_HEADER = "x-frappe-site-name"
THREADS = 8
MOST_HOSTS = 1_000
TICK_SECONDS = 0.5
# For what is being answered, and then for what waits to be written.
STOP_SECONDS = 10.0
WRITE_SECONDS = 20.0
# A site that could not be loaded is not tried again for each request.
RETRY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Options:
	"""How an edge is started. `sites` by name, `hosts` names of sites by further host names."""

	sites: Sequence[str]
	hosts: dict[str, str]
	host: str = "127.0.0.1"
	port: int = 8001
	most_links: int = 100_000
	any_host: bool = False
	monitors: tuple[Network, ...] = ()


class Edge:
	"""One process: a handler of requests, and the sites that were asked for so far."""

	def __init__(self, options: Options, words: Words, own_figures: Figures) -> None:
		self.options = options
		self.words = words
		self.figures = own_figures
		self.server = Server(self.handle, _max_body, _too_large)
		self.sites: dict[str, Site] = {}
		# By Host headers as they came.
		self._by_header: dict[str, Site] = {}
		self._loading: dict[str, asyncio.Task[Site]] = {}
		self._failed: dict[str, float] = {}
		self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="edge")
		self._loopback = tuple(ip_network(one) for one in LOOPBACK)

	# Requests.

	def handle(self, request: Request) -> Reply | Awaitable[Reply]:
		"""The answer to a request; whatever breaks in here becomes a plain page (503)."""
		try:
			answer = self._route(request)
			if type(answer) is not Reply:
				return self._later(answer)
			# "HTTP/1.1 302": the class of the status is its tenth byte.
			self.figures.answers[answer.head[9] - 48] += 1
			return answer
		except Exception:
			log.exception("A request could not be answered")
			return self._counted(self._unavailable())

	def _route(self, request: Request) -> Reply | Awaitable[Reply]:
		path, query = request.path_and_query()
		if claims(path):
			site = self._site_of(request)
			if type(site) is Site:
				return site.answer(_incoming(request, path, query))
			return self._unloaded(request, site)
		if events.claims(path):
			return self._events(request, path, query)
		if path in ("/healthz", "/metrics"):
			return self._monitored(request, path)
		return plain(404)

	async def _later(self, answer: Awaitable[Reply]) -> Reply:
		try:
			return self._counted(await answer)
		except Exception:
			log.exception("A request could not be answered")
			return self._counted(self._unavailable())

	def _counted(self, answer: Reply) -> Reply:
		self.figures.answers[answer.head[9] - 48] += 1
		return answer

	def _unavailable(self) -> Reply:
		answer = unavailable(self.words)
		return reply(answer.status, answer.headers, answer.body)

	# Sites.

	def _site_of(self, request: Request) -> Site | str:
		"""The site that a request is for; its name where it is not loaded; "" where there is none."""
		headers = request.headers
		host = headers.get("host", "")
		if SITE_HEADER not in headers and (site := self._by_header.get(host)):
			return site
		name = self._named(request) or self._by_host(host)
		site = self.sites.get(name)
		if site and SITE_HEADER not in headers and len(self._by_header) < MOST_HOSTS:
			self._by_header[host] = site
		return site or name

	def _named(self, request: Request) -> str:
		"""The site that the web server before the edge names, as it does for Frappe."""
		name = request.headers.get(SITE_HEADER, "")
		if not name or name not in self.options.sites:
			return ""
		site = self.sites.get(name)
		trusted = site.snapshot.config.trusted_proxies if site else self._loopback
		return name if identity.in_ranges(request.peer, trusted) else ""

	def _by_host(self, host: str) -> str:
		bare = host.lower().partition(":")[0]
		if bare in self.options.hosts:
			return self.options.hosts[bare]
		return self.options.sites[0] if self.options.any_host else ""

	async def _unloaded(self, request: Request, name: str) -> Reply:
		try:
			site = await self._load(name)
		except (NotInstalled, KeyError):
			return _unknown_host(self.words)
		except Exception:
			return self._unavailable()
		answer = site.answer(_incoming(request, *request.path_and_query()))
		return answer if type(answer) is Reply else await answer

	async def _load(self, name: str) -> Site:
		"""A site, loaded by whoever comes first. Raises KeyError, NotInstalled, or what went wrong."""
		if not name:
			raise KeyError(name)
		if site := self.sites.get(name):
			return site
		if time.time() < self._failed.get(name, 0.0):
			raise ConnectionError(name)
		task = self._loading.get(name)
		if task is None:
			task = self._loading[name] = asyncio.ensure_future(self._load_now(name))
		return await asyncio.shield(task)

	async def _load_now(self, name: str) -> Site:
		site = Site(name, asyncio.get_running_loop(), self._pool, self.options.most_links)
		try:
			await site.load()
		except Exception as error:
			self._failed[name] = time.time() + RETRY_SECONDS
			log.error("%s cannot be served: %r", name, error)
			raise
		finally:
			self._loading.pop(name, None)
		self.sites[name] = site
		return site

	# Events.

	async def _events(self, request: Request, path: str, query: str) -> Reply:
		site = self._site_of(request)
		try:
			site = site if isinstance(site, Site) else await self._load(site)
		except (NotInstalled, KeyError):
			return plain(404)
		return await events.answer(site, _incoming(request, path, query, has_form=False), request.body)

	# Monitoring.

	def _monitored(self, request: Request, path: str) -> Reply:
		"""For the machine itself and those that were named; whom a proxy asks for counts, not the proxy."""
		asking = identity.client_address(request.peer, request.headers, self._loopback)
		if not identity.in_ranges(asking, (*self._loopback, *self.options.monitors)):
			return plain(404)
		self._gather()
		if path == "/metrics":
			return reply(200, METRICS_HEADERS, self.figures.as_metrics())
		state = figures.health(self.sites.values(), self.server.is_stopping, bool(self._failing()))
		return reply(200 if state["ok"] else 503, JSON_HEADERS, json.dumps(state))

	def _failing(self) -> list[str]:
		return [name for name in self._failed if name not in self.sites]

	def _gather(self) -> None:
		self.figures.gather(self.sites.values(), len(self.server.connections))

	# Life.

	async def run(self, ready: Callable[[], None]) -> None:
		"""Serve until SIGTERM or SIGINT; then answer what is under way, and write what was recorded."""
		loop = asyncio.get_running_loop()
		stopping = asyncio.Event()
		for number in (signal.SIGTERM, signal.SIGINT):
			loop.add_signal_handler(number, stopping.set)
		self.server.tick(loop.time())
		if len(self.options.sites) == 1:
			# Known beforehand: then the first visitor need not wait. If it fails, each request tries anew.
			await asyncio.wait([asyncio.ensure_future(self._load(self.options.sites[0]))])
		listener = await loop.create_server(
			lambda: Connection(self.server),
			self.options.host,
			self.options.port,
			reuse_port=True,
			backlog=4096,
		)
		# What is there by now stays: there is nothing to be found in it again and again.
		gc.collect()
		gc.freeze()
		ready()
		ticking = asyncio.ensure_future(self._tick())
		await stopping.wait()
		listener.close()
		self.server.stop()
		await self.server.stopped(STOP_SECONDS)
		ticking.cancel()
		await self._stop_sites()

	async def _tick(self) -> None:
		loop = asyncio.get_running_loop()
		while True:
			self.server.tick(loop.time())
			now = time.time()
			for site in self.sites.values():
				site.tick(now)
			self._gather()
			await asyncio.sleep(TICK_SECONDS)

	async def _stop_sites(self) -> None:
		for site in self.sites.values():
			site.stop()
		deadline = time.monotonic() + WRITE_SECONDS
		for site in self.sites.values():
			# Not in the pool, which may be full of threads that wait for a database.
			await asyncio.to_thread(site.recorder.join, max(0.1, deadline - time.monotonic()))
			if site.recorder.waiting:
				log.error("%s: %d records are lost", site.name, site.recorder.waiting)
		self._pool.shutdown(wait=False, cancel_futures=True)


METRICS_HEADERS = (
	("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),
	("Cache-Control", "no-store"),
)


def serve(options: Options, words: Words, own_figures: Figures, ready: Callable[[], None]) -> None:
	"""Run one edge in this process until it is told to stop."""
	# A thread that works holds the loop up for no longer than this.
	sys.setswitchinterval(0.001)
	uvloop.run(Edge(options, words, own_figures).run(ready))


def _max_body(target: bytes) -> int:
	return events.most_bytes(_path(target)) or MAX_FORM


def _too_large(target: bytes) -> Reply:
	path = _path(target)
	return events.too_large(path) if events.most_bytes(path) else plain(413)


def _path(target: bytes) -> str:
	return target.partition(b"?")[0].decode("latin-1")


def _incoming(request: Request, path: str, query: str, has_form: bool = True) -> Incoming:
	headers = request.headers
	if request.method == "POST" and has_form:
		return _with_form(request, path, query)
	return Incoming(
		request.method,
		scheme_of(headers["x-forwarded-proto"], "http") if "x-forwarded-proto" in headers else "http",
		headers.get("host", "").lower().removesuffix(":80"),
		path,
		query,
		headers,
		_cookies(headers["cookie"]) if "cookie" in headers else {},
		request.peer,
	)


def _cookies(header: str) -> Mapping[str, str]:
	try:
		return parse_cookie(header)
	except UnicodeDecodeError:
		return {}


def _with_form(request: Request, path: str, query: str) -> Incoming:
	"""A form is rare, and Werkzeug reads it here as on a bench."""
	environ: WSGIEnvironment = {
		"REQUEST_METHOD": "POST",
		"wsgi.url_scheme": "http",
		"PATH_INFO": path.encode().decode("latin-1"),
		"QUERY_STRING": query,
		"REMOTE_ADDR": request.peer,
		"CONTENT_LENGTH": str(len(request.body)),
		"CONTENT_TYPE": request.headers.get("content-type", ""),
		"wsgi.input": BytesIO(request.body),
		**{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()},
	}
	return Incoming.of(FormRequest(environ))


def _unknown_host(words: Words) -> Reply:
	headers = {**HEADERS, **page.SECURITY_HEADERS, "Content-Type": "text/html; charset=utf-8"}
	return reply(404, tuple(headers.items()), page.render("not_found", words, None))
