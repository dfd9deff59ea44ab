"""An edge in a process of its own, started as an operator would, and HTTP to it byte by byte."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import Any

import frappe

from trackflow.tests.base import CHROME, is_bench, sites_folder

START_SECONDS = 60
PROJECT = Path(__file__).parents[2]


class Edge:
	"""A running edge of the test's site on a free port of loopback; a context manager."""

	def __init__(self, *options: str, environment: dict[str, str] | None = None) -> None:
		self.port = free_port()
		self.site = frappe.local.site
		self._log = tempfile.TemporaryFile("w+")
		command = ["-m", "frappe.utils.bench_helper", "frappe"] if is_bench() else ["-m", "benchless"]
		arguments = ["--site", self.site, "trackflow", "edge", "--port", str(self.port), "--json"]
		self.process = subprocess.Popen(
			[sys.executable, *command, *arguments, *options],
			cwd=sites_folder() if is_bench() else PROJECT,
			env={**os.environ, **(environment or {})},
			stdout=subprocess.PIPE,
			stderr=self._log,
			text=True,
		)

	def __enter__(self) -> "Edge":
		self._kill_later()
		if not self.process.stdout.readline():
			raise AssertionError(f"The edge did not start: {self.log()}")
		wait_until(self._answers, "The edge takes no connections")
		return self

	def __exit__(self, *_error: object) -> None:
		self.stop()

	def stop(self) -> int:
		"""Ask it to stop, as a supervisor does; the exit code."""
		if self.process.poll() is None:
			self.process.send_signal(signal.SIGTERM)
		code = self.process.wait(START_SECONDS)
		self.process.stdout.close()
		return code

	def log(self) -> str:
		self._log.seek(0)
		return self._log.read()

	def request(
		self,
		method: str,
		path: str,
		*,
		headers: dict[str, str] | None = None,
		cookies: dict[str, str] | None = None,
		address: str = "203.0.113.7",
		host: str | None = None,
		agent: str = CHROME,
		body: bytes | None = None,
	) -> "Answer":
		"""As `TrackFlowTestCase.request`, to the edge; the proxy before it is this process."""
		client = HTTPConnection("127.0.0.1", self.port, timeout=30)
		try:
			client.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
			sent = {
				"Host": host or self.site,
				"User-Agent": agent,
				"X-Forwarded-For": address,
				"X-Frappe-Site-Name": self.site,
				**(headers or {}),
			}
			if cookies:
				sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
			if body is not None:
				sent["Content-Length"] = str(len(body))
			for name, value in sent.items():
				if value:
					client.putheader(name, value)
			client.endheaders(body)
			return Answer(client.getresponse())
		finally:
			client.close()

	def get(self, path: str, **options: Any) -> "Answer":
		return self.request("GET", path, **options)

	def send(self, data: bytes) -> bytes:
		"""Send bytes as they are and read until the edge closes the connection, or is silent for a moment."""
		with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as client:
			received = b""
			with suppress(OSError):
				client.sendall(data)
				while piece := client.recv(65536):
					received += piece
			return received

	def health(self) -> dict[str, Any]:
		return json.loads(self.get("/healthz", address="127.0.0.1").body)

	def figure(self, name: str) -> float:
		"""A figure of all its processes."""
		text = self.get("/metrics", address="127.0.0.1").body.decode()
		found = re.findall(rf"^trackflow_edge_{name}\{{[^}}]*\}} (\S+)$", text, re.MULTILINE)
		return sum(map(float, found))

	def _answers(self) -> bool:
		try:
			with socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
				return True
		except OSError:
			return False

	def _kill_later(self) -> None:
		"""A process that never says that it is ready must not hold the tests up for ever."""

		def kill() -> None:
			with suppress(subprocess.TimeoutExpired):
				self.process.wait(240)
			if self.process.poll() is None:
				self.process.kill()

		Thread(target=kill, daemon=True).start()


class Answer:
	"""An answer that was read to its end."""

	def __init__(self, response: HTTPResponse) -> None:
		self.status_code = response.status
		self.headers = response.headers
		self.body = response.read()


class Proxy:
	"""A way to a server that can be cut: what comes is passed on, until it is."""

	def __init__(self, host: str, port: int) -> None:
		self._to = (host, port)
		self._sockets: set[socket.socket] = set()
		self._listener: socket.socket | None = None
		self.port = free_port()
		self.mend()

	def cut(self) -> None:
		self._listener.shutdown(socket.SHUT_RDWR)
		self._listener.close()
		for one in list(self._sockets):
			with suppress(OSError):
				one.shutdown(socket.SHUT_RDWR)
			one.close()
		self._sockets.clear()

	def mend(self) -> None:
		self._listener = socket.create_server(("127.0.0.1", self.port))
		Thread(target=self._accept, args=(self._listener,), daemon=True).start()

	def _accept(self, listener: socket.socket) -> None:
		with suppress(OSError):
			while True:
				client, _address = listener.accept()
				server = socket.create_connection(self._to)
				self._sockets |= {client, server}
				for source, sink in ((client, server), (server, client)):
					Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

	@staticmethod
	def _pass_on(source: socket.socket, sink: socket.socket) -> None:
		with suppress(OSError):
			while data := source.recv(65536):
				sink.sendall(data)
		with suppress(OSError):
			sink.shutdown(socket.SHUT_RDWR)


def free_port() -> int:
	with socket.create_server(("127.0.0.1", 0)) as server:
		return server.getsockname()[1]


def wait_until(is_so: Callable[[], bool], otherwise: str, seconds: float = 30.0) -> None:
	"""Wait until something has come true elsewhere."""
	deadline = time.monotonic() + seconds
	while not is_so():
		if time.monotonic() > deadline:
			raise AssertionError(otherwise)
		time.sleep(0.05)
