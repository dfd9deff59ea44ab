"""HTTP/1.1 for the edge: bytes in, requests out, answers back in their order. Knows no short link and no Frappe.

httptools parses; here stand the limits that it leaves to its user (sizes, times, how much one connection may ask ahead) and
the order of answers. General servers spend several times the CPU on what lies around an answer (compared by hand).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

import httptools
import msgspec

log = logging.getLogger("trackflow.edge")

# Request line and headers; a code, a referrer and a proxy's headers fit in.
MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100
# From a request's first byte to its last.
REQUEST_SECONDS = 10
# Longer than nginx keeps an idle connection to its upstream, so that it is never the edge that closes under a request.
IDLE_SECONDS = 75
# For what a refused client still sends.
LINGER_SECONDS = 2
# For a client that does not read its answers.
WRITE_SECONDS = 30
# Requests on one connection that wait for the answer to an earlier one.
MAX_WAITING = 128
MAX_CONNECTIONS = 10_000

# As clients and proxies spell them, to spare decoding what is always the same.
_COMMON_NAMES = {
	spelled.encode(): name
	for name in (
		"host", "user-agent", "accept", "accept-language", "accept-encoding", "referer", "cookie", "connection", "dnt",
		"sec-gpc", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user", "upgrade-insecure-requests",
		"x-forwarded-for", "x-forwarded-proto", "x-frappe-site-name", "x-real-ip", "cache-control", "priority",
	)
	for spelled in (name, name.title(), name.upper() if name == "dnt" else name)
}  # fmt: skip

Headers = tuple[tuple[str, str], ...]
Handler = Callable[["Request"], "bytes | Reply | Awaitable[Reply]"]


class Reply(msgspec.Struct, frozen=True, gc=False):
	"""An answer as bytes: status line and headers without the empty line, and the body that GET would have."""

	head: bytes
	body: bytes = b""


class Request(msgspec.Struct, frozen=True, gc=False):
	"""A request as it came; header names in lower case, of repeated headers the values with commas between."""

	method: str
	target: bytes
	headers: dict[str, str]
	body: bytes
	peer: str
	keeps_alive: bool

	def path_and_query(self) -> tuple[str, str]:
		"""The path, decoded as WSGI servers and Werkzeug do it, and the query as it came."""
		target = self.target
		if not target.startswith(b"/"):
			# A proxy may be asked with the whole address; everything else without a slash is no path.
			_scheme, separator, rest = target.partition(b"://")
			target = b"/" + rest.partition(b"/")[2] if separator else b"/"
		path, _mark, query = target.partition(b"?")
		if b"%" in path or not path.isascii():
			return unquote_to_bytes(path).decode("utf-8", "replace"), query.decode("latin-1")
		return path.decode("ascii"), query.decode("latin-1")


class Server:
	"""What the connections of one process share: the handler, the clock, and whether it is about to stop."""

	def __init__(
		self,
		handler: Handler,
		max_body: Callable[[bytes], int],
		too_large: Callable[[bytes], Reply] = lambda _target: plain(413),
	) -> None:
		self.handler = handler
		self.max_body = max_body
		self.too_large = too_large
		self.connections: set[Connection] = set()
		self.is_stopping = False
		self.clock = 0.0
		self.date = b""
		self.tasks: set[asyncio.Task[None]] = set()
		self._unsent: list[Connection] = []

	def tick(self, clock: float) -> None:
		"""Close what is overdue. To be called about once a second with the loop's time."""
		self.clock = clock
		self.date = f"Date: {formatdate(usegmt=True)}\r\n".encode()
		for connection in [one for one in self.connections if one.deadline < clock]:
			connection.give_up()

	def send_soon(self, connection: "Connection") -> None:
		"""Send what a connection has to say once all that came in at this moment is answered. A packet at a time, each one
		would wake its reader: that costs as much as a tenth of an answer."""
		if not self._unsent:
			asyncio.get_running_loop().call_soon(self._send)
		self._unsent.append(connection)

	def _send(self) -> None:
		unsent, self._unsent = self._unsent, []
		for connection in unsent:
			connection.send()

	def stop(self) -> None:
		"""Let connections end with what they are about; new requests on them are answered, and then they end too."""
		self.is_stopping = True
		for connection in list(self.connections):
			connection.close_if_idle()

	async def stopped(self, seconds: float) -> None:
		"""Wait until all connections have ended, and cut off those that have not by then."""
		loop = asyncio.get_running_loop()
		deadline = loop.time() + seconds
		while self.connections and loop.time() < deadline:
			await asyncio.sleep(0.02)
		for connection in list(self.connections):
			connection.abort()


class Connection(asyncio.Protocol):
	"""One client: parses, keeps to the limits, and sends answers in the order of the requests."""

	__slots__ = (
		"body", "deadline", "headers", "is_asking", "is_full", "is_refused", "parser", "peer", "server", "size", "target",
		"transport", "unfinished", "unsent", "waiting",
	)  # fmt: skip

	def __init__(self, server: Server) -> None:
		self.server = server
		self.transport: asyncio.Transport | None = None
		self.parser: httptools.HttpRequestParser | None = None
		self.peer = ""
		self.deadline = 0.0
		self.unfinished = 0
		self.unsent = b""
		self.is_asking = self.is_full = self.is_refused = False
		self.waiting: deque[Request] | None = None
		self.target = self.body = b""
		self.headers: dict[str, str] = {}
		self.size = 0

	# What the loop calls.

	def connection_made(self, transport: asyncio.BaseTransport) -> None:
		server = self.server
		self.transport = transport
		if len(server.connections) >= MAX_CONNECTIONS or server.is_stopping:
			transport.abort()
			return
		peer = transport.get_extra_info("peername")
		self.peer = peer[0] if isinstance(peer, tuple) else ""
		self.parser = httptools.HttpRequestParser(self)
		self.deadline = server.clock + REQUEST_SECONDS
		server.connections.add(self)

	def data_received(self, data: bytes) -> None:
		if self.is_refused or self.parser is None:
			return
		self.unfinished += len(data)
		try:
			self.parser.feed_data(data)
		except httptools.HttpParserUpgrade:
			# The request itself was answered; what follows would be in a protocol that is not spoken here.
			self._close()
			return
		except httptools.HttpParserError:
			self.refuse(400)
			return
		# Parts of a header that never ends reach no callback.
		if self.unfinished > MAX_HEAD_BYTES + len(data) and not self.headers:
			self.refuse(431)

	def eof_received(self) -> bool:
		self.send()
		return False

	def connection_lost(self, _error: Exception | None) -> None:
		self.server.connections.discard(self)
		# Parser and connection hold each other.
		self.parser = None
		self.waiting = None

	def pause_writing(self) -> None:
		self.is_full = True
		self.deadline = self.server.clock + WRITE_SECONDS
		self.transport.pause_reading()

	def resume_writing(self) -> None:
		self.is_full = False
		self.deadline = self.server.clock + IDLE_SECONDS
		self.transport.resume_reading()
		self._go_on()

	# What the parser calls.

	def on_message_begin(self) -> None:
		self.target = self.body = b""
		self.headers = {}
		self.size = 0
		self.deadline = self.server.clock + REQUEST_SECONDS

	def on_url(self, url: bytes) -> None:
		self.target = self.target + url if self.target else url
		self.size += len(url)
		if self.size > MAX_HEAD_BYTES:
			self.refuse(431)

	def on_header(self, name: bytes, value: bytes) -> None:
		self.size += len(name) + len(value)
		key = _COMMON_NAMES.get(name) or name.decode("latin-1").lower()
		headers = self.headers
		if self.size > MAX_HEAD_BYTES or len(headers) >= MAX_HEADERS:
			self.refuse(431)
		elif key in headers:
			self._repeat(key, value)
		else:
			headers[key] = value.decode("latin-1")

	def on_headers_complete(self) -> None:
		length = self.headers.get("content-length")
		if length and int(length) > self.server.max_body(self.target):
			self.refuse(413)
		elif "expect" in self.headers and not self.is_refused:
			self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

	def on_body(self, body: bytes) -> None:
		self.body += body
		if len(self.body) > self.server.max_body(self.target):
			self.refuse(413)

	def on_message_complete(self) -> None:
		if self.is_refused:
			return
		self.unfinished = 0
		parser = self.parser
		request = Request(
			parser.get_method().decode("latin-1"),
			self.target,
			self.headers,
			self.body,
			self.peer,
			parser.should_keep_alive(),
		)
		if self.is_asking or self.is_full:
			self._put_off(request)
		else:
			self._handle(request)

	# What the connection does.

	def refuse(self, status: int) -> None:
		"""Answer what cannot be taken, once, and end."""
		if self.is_refused:
			return
		self.is_refused = True
		if self.transport and not self.transport.is_closing():
			if not self.is_asking:
				answer = self.server.too_large(self.target) if status == 413 else plain(status)
				self._write(answer, keeps_alive=False, method="GET", lingers=True)
			else:
				self._close()

	def give_up(self) -> None:
		"""The deadline has passed: a request that is not whole is told so, everything else just ends."""
		if self.is_full or self.is_refused:
			self.abort()
		elif self.unfinished:
			self.refuse(408)
		else:
			self._close()

	def close_if_idle(self) -> None:
		if not self.is_asking and not self.unfinished and not self.is_full:
			self._close()

	def send(self, more: bytes = b"") -> None:
		"""Send what is still to be sent, and then this."""
		data, self.unsent = self.unsent + more, b""
		if data and not self.transport.is_closing():
			self.transport.write(data)

	def _close(self) -> None:
		self.send()
		self.transport.close()

	def abort(self) -> None:
		if self.transport:
			self.transport.abort()

	def _repeat(self, name: str, value: bytes) -> None:
		if name == "host":
			# Two hosts: whom this was meant for is anybody's guess.
			self.refuse(400)
		else:
			self.headers[name] += ("; " if name == "cookie" else ",") + value.decode("latin-1")

	def _put_off(self, request: Request) -> None:
		if self.waiting is None:
			self.waiting = deque()
		self.waiting.append(request)
		if len(self.waiting) > MAX_WAITING:
			self.is_refused = True
			self.abort()

	def _handle(self, request: Request) -> None:
		answer = self.server.handler(request)
		if type(answer) is Reply:
			self._write(answer, request.keeps_alive, request.method)
			return
		self.is_asking = True
		self.deadline = float("inf")
		task = asyncio.ensure_future(self._answer_later(request, answer))
		self.server.tasks.add(task)
		task.add_done_callback(self.server.tasks.discard)

	async def _answer_later(self, request: Request, answer: Awaitable[Reply]) -> None:
		reply = await answer
		self.is_asking = False
		if self.transport.is_closing():
			return
		self._write(reply, request.keeps_alive, request.method)
		self._go_on()

	def _go_on(self) -> None:
		while self.waiting and not (self.is_asking or self.is_full or self.transport.is_closing()):
			self._handle(self.waiting.popleft())

	def _write(self, reply: Reply, keeps_alive: bool, method: str, lingers: bool = False) -> None:
		server = self.server
		body = b"" if method == "HEAD" else reply.body
		if keeps_alive and not server.is_stopping:
			self.deadline = server.clock + IDLE_SECONDS
			data = b"%b%b\r\n%b" % (reply.head, server.date, body)
			if self.unsent:
				# Asked ahead: what is too much for its reader must be noticed at once.
				self.send(data)
			else:
				self.unsent = data
				server.send_soon(self)
		else:
			self.send(b"%b%bConnection: close\r\n\r\n%b" % (reply.head, server.date, body))
			if lingers and self.transport.can_write_eof():
				# Closed while more comes in, the answer would be lost on the way.
				self.transport.write_eof()
				self.deadline = server.clock + LINGER_SECONDS
			else:
				self.transport.close()


STATUS_LINES = {one.value: b"HTTP/1.1 %d %b\r\n" % (one.value, one.phrase.encode()) for one in HTTPStatus}


def reply(status: int, headers: Headers, body: str = "", own: Headers = ()) -> Reply:
	"""An answer of these headers, and of `own`: those of this answer alone. Raises ValueError for a header that would begin
	another one."""
	content = body.encode()
	return Reply(_common(status, headers, len(content)) + _lines(own), content)


@lru_cache(maxsize=1024)
def _common(status: int, headers: Headers, length: int) -> bytes:
	"""What all answers of a kind begin with."""
	return STATUS_LINES[status] + _lines(headers) + b"Content-Length: %d\r\n" % length


def _lines(headers: Headers) -> bytes:
	lines = ""
	for name, value in headers:
		lines += f"{name}: {value}\r\n"
	if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
		raise ValueError(f"A header of this answer has more than one line: {headers!r}")
	return lines.encode("latin-1", "replace")


def plain(status: int, text: str = "") -> Reply:
	"""An answer in plain text, by default the status's own words."""
	headers = (
		("Content-Type", "text/plain; charset=utf-8"),
		("Cache-Control", "no-store"),
		("X-Content-Type-Options", "nosniff"),
	)
	return reply(status, headers, text or f"{HTTPStatus(status).phrase}\n")
