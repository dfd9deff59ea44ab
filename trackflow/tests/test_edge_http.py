"""The edge's HTTP, without Frappe: a real server on loopback in this process, spoken to byte by byte (RED-10, SEC-4)."""

import asyncio
import unittest
from collections.abc import Awaitable, Callable

import uvloop
from hypothesis import HealthCheck

from trackflow.edge import http
from trackflow.edge.http import Connection, Reply, Request, Server, plain, reply
from trackflow.recent import Recent
from trackflow.tests.properties import given, settings, st

MAX_BODY = 100


def echo(request: Request) -> Reply | Awaitable[Reply]:
	"""Answers with what it was asked; paths with "slow" in them take a moment."""
	text = f"{request.method} {request.path_and_query()!r} {request.headers.get('x-a', '')} {request.body!r}"
	answer = reply(200, (("X-Host", request.headers.get("host", "").replace("\n", "")),), text)
	return later(answer) if b"slow" in request.target else answer


async def later(answer: Reply) -> Reply:
	await asyncio.sleep(0.02)
	return answer


class HttpTestCase(unittest.TestCase):
	def talk(
		self, *pieces: bytes, wait: float = 0.3, then: Callable[[Server], None] = lambda server: None
	) -> bytes:
		"""What the server answers to these pieces, sent one after the other."""

		async def run() -> bytes:
			loop = asyncio.get_running_loop()
			server = Server(echo, lambda target: MAX_BODY)
			server.tick(loop.time())
			listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0)
			reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
			received = b""
			try:
				for piece in pieces:
					writer.write(piece)
					await asyncio.sleep(0.01)
				then(server)
				while True:
					data = await asyncio.wait_for(reader.read(65536), wait)
					if not data:
						return received + b"<closed>"
					received += data
			except TimeoutError:
				return received
			except ConnectionError:
				return received + b"<closed>"
			finally:
				writer.close()
				listener.close()

		return uvloop.run(run())

	def status(self, *pieces: bytes) -> int:
		answer = self.talk(*pieces)
		self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer[:100])
		return int(answer[9:12])


class TestRequests(HttpTestCase):
	"""Requests arrive as they were sent, answers leave in their order."""

	def test_path_and_query_as_wsgi_servers_read_them(self):
		for target, expected in (
			(b"/r/abc?a=%20b&c", ("/r/abc", "a=%20b&c")),
			(b"/r/%61b%2Fc", ("/r/ab/c", "")),
			(b"/r/%C3%A4", ("/r/ä", "")),
			("/r/ä".encode(), ("/r/ä", "")),
			(b"/r/%ff", ("/r/�", "")),
			(b"http://other.example/r/x?y", ("/r/x", "y")),
			(b"*", ("/", "")),
		):
			request = Request("GET", target, {}, b"", "", True)
			with self.subTest(target=target):
				self.assertEqual(request.path_and_query(), expected)

	def test_pipelined_requests_are_answered_in_order(self):
		asked = b"".join(
			b"GET /%s%d HTTP/1.1\r\nHost: a\r\n\r\n" % (kind, i)
			for i, kind in enumerate([b"slow", b"f"] * 20)
		)
		answer = self.talk(asked)
		numbers = [
			int(part.partition(b"'")[0]) for part in answer.replace(b"/slow", b"/f").split(b"('/f")[1:]
		]
		self.assertEqual(numbers, list(range(40)))

	def test_answers_are_sent_before_anything_that_comes_after_them(self):
		"""They wait for what else came in at the same moment: nothing may overtake them or end the connection before."""
		first = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
		expecting = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"
		upgrade = b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nmore"
		for after, then in (
			(expecting, b"HTTP/1.1 100"),
			(b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
			(b"GET /last HTTP/1.0\r\n\r\n", b"Connection: close"),
			(upgrade, b"<closed>"),
		):
			with self.subTest(after=after):
				answer = self.talk(first + after)
				self.assertIn(b"'/first'", answer)
				self.assertIn(then, answer.partition(b"'/first'")[2])

	def test_a_client_that_says_no_more_gets_its_answer(self):
		connection, sent = self.unread(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
		self.assertEqual(sent, [])
		connection.eof_received()
		self.assertIn(b"'/first'", sent[0])

	def test_a_client_that_does_not_read_is_not_answered_for_ever(self):
		"""What was asked ahead is sent at once, so that what nobody reads is noticed."""
		connection, sent = self.unread(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 50, room=3)
		self.assertEqual(len(sent), 3)
		self.assertGreater(len(connection.waiting), 40)

	def unread(self, asked: bytes, room: int = 1) -> tuple[Connection, list[bytes]]:
		"""A connection that was asked this in one moment, and what it sent in that moment to a client that reads nothing and
		has room for so much."""
		sent: list[bytes] = []

		class Transport(asyncio.Transport):
			def write(self, data: bytes) -> None:
				sent.append(data)
				if len(sent) == room:
					connection.pause_writing()

			def pause_reading(self) -> None:
				pass

			def is_closing(self) -> bool:
				return False

		connection = Connection(Server(echo, lambda target: MAX_BODY))

		async def run() -> None:
			connection.connection_made(Transport())
			connection.data_received(asked)
			# Before the loop goes on.
			asyncio.get_running_loop().stop()

		loop = asyncio.new_event_loop()
		try:
			task = loop.create_task(run())
			loop.run_forever()
			task.result()
		finally:
			loop.close()
		return connection, sent

	def test_a_request_in_pieces(self):
		whole = b"POST /x HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhello"
		answer = self.talk(*[whole[index : index + 7] for index in range(0, len(whole), 7)])
		self.assertIn(b"POST ('/x', '') 1,2 b'hello'", answer)

	def test_head_has_no_body_and_its_length(self):
		answer = self.talk(b"HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		self.assertRegex(answer, rb"Content-Length: [1-9]")
		self.assertTrue(answer.endswith(b"\r\n\r\n<closed>"))

	def test_connections_end_where_the_client_says_so(self):
		self.assertTrue(self.talk(b"GET /x HTTP/1.0\r\n\r\n").endswith(b"<closed>"))
		self.assertFalse(self.talk(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"<closed>"))

	def test_a_server_that_stops_answers_and_closes(self):
		answer = self.talk(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", then=lambda server: server.stop())
		self.assertIn(b"200 OK", answer)
		self.assertIn(b"Connection: close", answer)
		self.assertTrue(answer.endswith(b"<closed>"))


class TestLimits(HttpTestCase):
	"""What is too much, too slow or not HTTP is refused, and costs no more than its connection."""

	def test_sizes(self):
		long = b"a" * (http.MAX_HEAD_BYTES + 1)
		self.assertEqual(self.status(b"GET /" + long + b" HTTP/1.1\r\nHost: a\r\n\r\n"), 431)
		self.assertEqual(self.status(b"GET / HTTP/1.1\r\nX-A: " + long + b"\r\n\r\n"), 431)
		many = b"".join(b"X-%d: 1\r\n" % index for index in range(http.MAX_HEADERS + 1))
		self.assertEqual(self.status(b"GET / HTTP/1.1\r\n" + many + b"\r\n"), 431)
		self.assertEqual(self.status(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n"), 413)
		chunk = b"%x\r\n%b\r\n" % (MAX_BODY + 1, b"a" * (MAX_BODY + 1))
		self.assertEqual(
			self.status(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk), 413
		)

	def test_a_header_that_never_ends(self):
		pieces = [b"GET / HTTP/1.1\r\nX-A: ", *[b"a" * 8192] * 8]
		self.assertTrue(self.talk(*pieces).endswith(b"<closed>"))

	def test_what_is_no_http(self):
		for data in (
			b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
			b"GET / FTP/1.1\r\n\r\n",
			b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
			b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
			b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
			b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		):
			with self.subTest(data=data):
				self.assertEqual(self.status(data), 400)

	def test_a_client_that_takes_its_time(self):
		def much_later(server: Server) -> None:
			server.tick(server.clock + http.REQUEST_SECONDS + 1)

		answer = self.talk(b"GET / HTTP/1.1\r\nHost:", then=much_later)
		self.assertTrue(answer.startswith(b"HTTP/1.1 408"), answer)
		self.assertEqual(self.talk(b"", then=much_later), b"<closed>")

	def test_an_idle_connection_is_closed_and_one_in_use_is_not(self):
		asked = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
		for seconds, is_closed in ((http.IDLE_SECONDS - 1, False), (http.IDLE_SECONDS + 1, True)):
			answer = self.talk(asked, then=lambda server, by=seconds: server.tick(server.clock + by))
			self.assertEqual(answer.endswith(b"<closed>"), is_closed)

	def test_asking_too_far_ahead(self):
		asked = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" * (http.MAX_WAITING + 5)
		self.assertEqual(self.talk(asked), b"<closed>")

	@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
	@given(st.binary(max_size=300))
	def test_any_bytes(self, data):
		answer = self.talk(data, wait=0.02)
		self.assertIn(
			answer[:12], (b"", b"<closed>", *(b"HTTP/1.1 %d" % one for one in (200, 400, 413, 431)))
		)


class TestReply(unittest.TestCase):
	"""No header of an answer can begin another one."""

	def test_line_breaks_in_headers(self):
		for value in ("a\r\nSet-Cookie: b", "a\nb", "a\rb"):
			with self.subTest(value=value), self.assertRaises(ValueError):
				reply(302, (("Location", value),))

	def test_plain(self):
		self.assertIn(b"Content-Length: 10\r\n", plain(404).head)


class TestMemory(unittest.TestCase):
	"""RED-10: links in memory are bounded, and what is asked for stays."""

	@given(st.integers(2, 20), st.lists(st.tuples(st.sampled_from("gpd"), st.integers(0, 30)), max_size=200))
	def test_any_use(self, limit, steps):
		memory: Recent[int] = Recent(limit)
		truth: dict[str, int] = {}
		for number, (step, index) in enumerate(steps):
			key = str(index)
			if step == "p":
				memory.put(key, number, 0.0)
				truth[key] = number
				self.assertEqual(memory.get(key).value, number)
			elif step == "d":
				memory.drop(key)
				truth.pop(key, None)
				self.assertIsNone(memory.get(key))
			elif (entry := memory.get(key)) is not None:
				self.assertEqual(entry.value, truth[key])
			self.assertLessEqual(len(memory), limit)

	def test_what_is_asked_for_stays(self):
		memory: Recent[int] = Recent(10)
		memory.put("kept", 1, 0.0)
		for number in range(100):
			memory.put(str(number), number, 0.0)
			self.assertIsNotNone(memory.get("kept"))
		memory.clear()
		self.assertEqual(len(memory), 0)
