"""Serves the sites: cheroot's threaded WSGI server, workers and scheduler in one process, on loopback only.

`Server` starts on a port (0: any free one) and stops cleanly, so that a test can have one too.
"""

import mimetypes
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from benchless.sites import get_sites, get_sites_path

HOST = "127.0.0.1"
# Short jobs never wait for a long one.
WORKER_QUEUES = (("short", "default"), ("long",))
THREADS = 8
mimetypes.add_type("application/javascript", ".js")


def static_files(application: Callable) -> Callable:
	"""/assets/<app>/… from the apps' public folders and /files/… of the site: what nginx does on a bench."""

	def with_static(environ: dict, start_response: Callable) -> Iterable[bytes]:
		path = environ.get("PATH_INFO", "")
		if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
			if path.startswith("/assets/"):
				return serve_asset(path, environ)(environ, start_response)
			if path.startswith("/files/"):
				return serve_site_file(path, environ)(environ, start_response)
		return application(environ, start_response)

	return with_static


def serve_asset(path: str, environ: dict) -> Response:
	app, _separator, name = unquote(path.removeprefix("/assets/")).partition("/")
	folder = find_public_folder(app)
	return serve_below(folder, name, environ, max_age=31536000 if environ.get("QUERY_STRING") else 0)


def find_public_folder(app: str) -> Path:
	"""Of a registered app only: the name comes from an address."""
	apps = Path(get_sites_path(), "apps.txt")
	if app not in ("frappe", *(apps.read_text().split() if apps.exists() else ())):
		return Path(os.devnull)
	import frappe

	return Path(frappe.get_module(app).__file__).parent / "public"


def serve_site_file(path: str, environ: dict) -> Response:
	import frappe.app

	try:
		site = frappe.app.find_site(Request(environ), get_sites_path())
	except NotFound as error:
		return error.get_response(environ)
	folder = Path(get_sites_path(), site, "public", "files")
	response = serve_below(folder, unquote(path.removeprefix("/files/")), environ)
	if response.mimetype in ("text/html", "image/svg+xml", "text/xml", "application/xml"):
		response.headers["Content-Disposition"] = "attachment"
	return response


def serve_below(folder: Path, name: str, environ: dict, max_age: int | None = None) -> Response:
	"""A file of the folder, never one outside it."""
	path = (folder / name).resolve()
	if not path.is_relative_to(folder.resolve()) or not path.is_file():
		return NotFound().get_response(environ)
	return send_file(path, environ, max_age=max_age)


class Listener:
	"""A WSGI application on a port of this machine (0: any free one), answering in threads."""

	def __init__(self, application: Callable, port: int = 0, host: str = HOST):
		from cheroot.wsgi import Server as WSGIServer

		self.wsgi = WSGIServer((host, port), application, numthreads=THREADS)
		self.wsgi.server_name = "benchless"
		self.thread: threading.Thread | None = None

	@property
	def port(self) -> int:
		return self.wsgi.bind_addr[1]

	@property
	def url(self) -> str:
		return f"http://{self.wsgi.bind_addr[0]}:{self.port}"

	def start(self) -> Self:
		"""Listen from here on."""
		self.wsgi.prepare()
		self.thread = threading.Thread(target=self.wsgi.serve, name="web", daemon=True)
		self.thread.start()
		return self

	def stop(self) -> None:
		"""Finish the requests under way, then let go of the port."""
		self.wsgi.stop()
		if self.thread:
			self.thread.join(10)

	def __enter__(self) -> Self:
		return self.start()

	def __exit__(self, *exception: object) -> None:
		self.stop()


class Server(Listener):
	"""The web server of all sites, or of one by any host name, with what works in the background if asked."""

	def __init__(self, port: int = 0, site: str | None = None, background: bool = True, host: str = HOST):
		import frappe.app

		application = static_files(frappe.app.application)

		def with_site(environ: dict, start_response: Callable) -> Iterable[bytes]:
			environ["benchless.site"] = site
			return application(environ, start_response)

		super().__init__(with_site, port, host)
		self.background = Background(get_sites_path()) if background else None

	def start(self) -> Self:
		super().start()
		if self.background:
			self.background.start()
		return self

	def stop(self) -> None:
		super().stop()
		if self.background:
			self.background.stop()


class Background:
	"""Workers and scheduler as threads of this process."""

	def __init__(self, sites_path: str, sites: list[str] | None = None, scheduler: bool = True):
		from frappe.utils import scheduler as frappe_scheduler
		from frappe.utils.worker import Worker

		find_sites = (lambda: sites) if sites else get_sites
		self.stopping = threading.Event()
		self.workers = [Worker(find_sites, sites_path, queues) for queues in WORKER_QUEUES]
		self.threads = [
			threading.Thread(target=worker.run, name=f"worker-{worker.queues[-1]}", daemon=True)
			for worker in self.workers
		]
		if scheduler:
			self.threads.append(
				threading.Thread(
					target=frappe_scheduler.run,
					args=(find_sites, sites_path, self.stopping),
					name="scheduler",
					daemon=True,
				)
			)

	def start(self) -> None:
		for thread in self.threads:
			thread.start()

	def stop(self) -> None:
		self.stopping.set()
		for worker in self.workers:
			worker.stop()
		for thread in self.threads:
			thread.join(30)
