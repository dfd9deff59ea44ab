"""A receiver of webhooks on a free port of this machine, which keeps what it is sent and answers as a test says."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, NamedTuple


class Received(NamedTuple):
	"""A request."""

	path: str
	headers: dict[str, str]
	body: bytes


class Receiver:
	"""`answers` are the next (status, headers, body), then 200; `before` is called with each request before it is answered. A
	context manager."""

	def __init__(self) -> None:
		self.received: list[Received] = []
		self.answers: list[tuple[int, dict[str, str], bytes]] = []
		self.before: Callable[[Received], None] = lambda _request: None
		self.dribble = 0.0
		self.most_at_once = self._at_once = 0
		lock = Lock()
		receiver = self

		class Handler(BaseHTTPRequestHandler):
			def do_POST(self) -> None:
				body = self.rfile.read(int(self.headers["Content-Length"]))
				request = Received(
					self.path, {name.lower(): value for name, value in self.headers.items()}, body
				)
				with lock:
					receiver._at_once += 1
					receiver.most_at_once = max(receiver.most_at_once, receiver._at_once)
					receiver.received.append(request)
					status, headers, said = (
						receiver.answers.pop(0) if receiver.answers else (200, {}, b"thanks")
					)
				receiver.before(request)
				with lock:
					receiver._at_once -= 1
				self._answer(status, headers, said)

			do_GET = do_POST

			def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
				lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Connection: close"]
				lines += [f"{name}: {value}" for name, value in headers.items()]
				self._send("\r\n".join([*lines, "", ""]).encode())
				self._send(body)

			def _send(self, some: bytes) -> None:
				step = 1 if receiver.dribble else max(1, len(some))
				for at in range(0, len(some), step):
					self.wfile.write(some[at : at + step])
					self.wfile.flush()
					time.sleep(receiver.dribble)

			def log_message(self, *_args: Any) -> None:
				pass

		self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.server.daemon_threads = True
		# Of who hangs up early.
		self.server.handle_error = lambda *_request: None
		self.port = self.server.server_address[1]
		self.address = f"http://127.0.0.1:{self.port}/hook"

	def events(self) -> list[str]:
		return [one.headers["trackflow-event"] for one in self.received]

	def __enter__(self) -> "Receiver":
		Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
		return self

	def __exit__(self, *_error: object) -> None:
		self.server.shutdown()
		self.server.server_close()


class Silent:
	"""Takes connections and never says anything."""

	def __init__(self) -> None:
		self._socket = socket.create_server(("127.0.0.1", 0))
		self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hook"

	def __enter__(self) -> "Silent":
		return self

	def __exit__(self, *_error: object) -> None:
		self._socket.close()


class Dripping:
	"""Takes connections, says `first` at once and then a letter each twentieth of a second: ten seconds long, or a test that fails would
	never end. A context manager."""

	def __init__(self, first: bytes) -> None:
		self._first, self._ended = first, Event()
		self._socket = socket.create_server(("127.0.0.1", 0))
		self.port = self._socket.getsockname()[1]

	def _serve(self) -> None:
		with suppress(OSError):
			while True:
				Thread(target=self._drip, args=(self._socket.accept()[0],), daemon=True).start()

	def _drip(self, line: socket.socket) -> None:
		with line, suppress(OSError):
			line.sendall(self._first)
			for _letter in range(200):
				if self._ended.wait(0.05):
					return
				line.sendall(b"x")

	def __enter__(self) -> "Dripping":
		Thread(target=self._serve, daemon=True).start()
		return self

	def __exit__(self, *_error: object) -> None:
		self._ended.set()
		self._socket.close()


def nobody() -> str:
	"""An address where nobody listens."""
	with socket.socket() as free:
		free.bind(("127.0.0.1", 0))
		return f"http://127.0.0.1:{free.getsockname()[1]}/hook"


def wait_for(event: Event) -> None:
	"""Wait, but not for good: a test that fails must end."""
	event.wait(10)
