"""Requests of the site's own to addresses that people typed: to the public internet alone, unless the site allows others (SEC-3).

Who may change a setting is not therefore to reach what only the server reaches (a metadata service, a Redis). A host is looked
up once, all its addresses are judged, and the connection goes to one of these: no name server can say one thing first and another
then. Nothing here knows Frappe, so it works in any thread. Redirects, proxies and .netrc are the caller's to leave out, and
`session` does.
"""

import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

# Of a host with more addresses only these are tried.
MOST_ADDRESSES = 3
# IPv6 whose last 32 bits are an IPv4 address.
_CARRIERS = tuple(map(ip_network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))


def looked_up(host: str, port: int) -> list[str]:
	"""The addresses of a host; none where it is not found."""
	try:
		found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
	except (OSError, UnicodeError):
		return []
	return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


def is_public(address: str) -> bool:
	"""Whether an address is one of the public internet; one that carries another is judged by that, too."""
	found = ip_address(address.partition("%")[0])
	carried = _carried(found)
	is_local = found.is_multicast or getattr(found, "is_site_local", False)
	return found.is_global and not is_local and (carried is None or carried.is_global)


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
	"""The IPv4 address that packets to this one may end at: mapped, compatible, translated, behind NAT64 or 6to4."""
	if address.version == 4:
		return None
	if any(address in one for one in _CARRIERS):
		return IPv4Address(int(address) & 0xFFFF_FFFF)
	return address.sixtofour


@dataclass(frozen=True, slots=True)
class Guard:
	"""Who may be at the other end. `refused` makes the error of a host and its private address ("" where none is found)."""

	allows_private: bool
	refused: Callable[[str, str], Exception]
	resolve: Callable[[str, int], list[str]] = looked_up

	def addresses(self, host: str, port: int) -> list[str]:
		"""Where this host is. Raises what `refused` makes where one of its addresses is private, or there is none."""
		found = self.resolve(host, port)
		if not found:
			raise self.refused(host, "")
		for address in found:
			self.check_peer(address, host)
		return found[:MOST_ADDRESSES]

	def check_peer(self, address: str, host: str) -> None:
		"""Judge an address of this host."""
		if not self.allows_private and not is_public(address):
			raise self.refused(host, address)

	def watched(self, connection: type, lines: "Lines | None" = None) -> type:
		"""urllib3's kind of connection, made to addresses that were judged; `lines` hold its sockets."""
		guard, held = self, lines or Lines()

		class Watched(connection):  # type: ignore[misc, valid-type]
			def _new_conn(self) -> Any:
				made = _connected(self, guard, held, super()._new_conn)
				try:
					guard.check_peer(str(made.getpeername()[0]), self.host)
					# TLS takes the socket over, and shows the new one when its greetings are exchanged: until then a second name does.
					self._spare = made.dup()
				except Exception:
					made.close()
					raise
				held.add(self._spare)
				return made

			def connect(self) -> None:
				try:
					super().connect()
					held.add(self.sock)
				finally:
					if spare := getattr(self, "_spare", None):
						spare.close()

			def getresponse(self, *args: Any, **kwargs: Any) -> Any:
				answer = super().getresponse(*args, **kwargs)
				if held.left() <= 0:
					# Python takes a head that was cut off for a whole one.
					raise TimeoutError
				return answer

		return Watched


class Lines:
	"""The sockets of a session, and until when its requests have time (`within`)."""

	def __init__(self) -> None:
		self._sockets: WeakSet[socket.socket] = WeakSet()
		self._until = math.inf

	def add(self, line: socket.socket) -> None:
		self._sockets.add(line)
		if self.left() <= 0:
			self._cut()

	def left(self) -> float:
		return self._until - time.monotonic()

	@contextmanager
	def until(self, seconds: float) -> Iterator[None]:
		"""Cut them when the time is over. What is read then ends, or fails: as a timeout."""
		self._until = time.monotonic() + seconds
		end = Timer(seconds, self._cut)
		end.daemon = True
		end.start()
		try:
			yield
		except Exception as error:
			if self.left() <= 0:
				raise requests.Timeout("It took too long") from error
			raise
		finally:
			end.cancel()
			self._until = math.inf

	def _cut(self) -> None:
		for line in list(self._sockets):
			with suppress(OSError):
				# Not as TLS does it, which takes the line from under who reads.
				socket.socket.shutdown(line, socket.SHUT_RDWR)


def session(guard: Guard) -> requests.Session:
	"""A session of requests whose connections are watched; it uses no proxy, whose address would be the other end's, and no password
	out of a .netrc."""
	made = requests.Session()
	made.trust_env = False
	adapter = _Adapter(guard)
	for scheme in ("https://", "http://"):
		made.mount(scheme, adapter)
	return made


def within(asked: requests.Session, seconds: float) -> AbstractContextManager[None]:
	"""All that this session (of `session`) asks meanwhile has so many seconds, however slowly the other end talks: connecting, greetings,
	head and body. Raises requests.Timeout for what they cut short. Only the look-up of a name takes as long as it takes. A session is
	one thread's."""
	return asked.get_adapter("https://").lines.until(seconds)


class _Adapter(HTTPAdapter):
	def __init__(self, guard: Guard) -> None:
		self.lines = Lines()
		self._kinds = {
			scheme: type(pool.__name__, (pool,), {"ConnectionCls": guard.watched(connection, self.lines)})
			for scheme, pool, connection in (
				("http", HTTPConnectionPool, HTTPConnection),
				("https", HTTPSConnectionPool, HTTPSConnection),
			)
		}
		super().__init__()

	def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
		super().init_poolmanager(*args, **kwargs)
		self.poolmanager.pool_classes_by_scheme = self._kinds


def _connected(connection: Any, guard: Guard, lines: Lines, connect: Callable[[], Any]) -> Any:
	"""A socket to one of the host's addresses. urllib3 connects to what stands in `_dns_host`; the certificate is the host's."""
	host = connection._dns_host
	*others, last = guard.addresses(connection.host, connection.port)
	try:
		for address in others:
			connection._dns_host, connection.timeout = address, _bounded(connection.timeout, lines)
			with suppress(NewConnectionError, ConnectTimeoutError):
				return connect()
		connection._dns_host, connection.timeout = last, _bounded(connection.timeout, lines)
		return connect()
	finally:
		connection._dns_host = host


def _bounded(timeout: Any, lines: Lines) -> Any:
	"""The time to connect: not more than is left."""
	left = lines.left()
	return timeout if left == math.inf else max(0.01, min(left, timeout or left))
