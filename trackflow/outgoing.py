"""Requests of the site's own to addresses that people typed: to the public internet alone, unless the site allows others (SEC-3).

Who may change a setting is not therefore to reach what only the server reaches (a metadata service, a Redis). A host is looked
up once, all its addresses are judged, and the connection goes to one of these: no name server can say one thing first and another
then. Nothing here knows Frappe, so it works in any thread. Redirects, proxies and .netrc are the caller's to leave out, and
`session` does.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from typing import Any

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

	def watched(self, connection: type, longest_seconds: float | None = None) -> type:
		"""urllib3's kind of connection, made to addresses that were judged; cut off after `longest_seconds`, however slowly the other
		end talks."""
		guard = self

		class Watched(connection):  # type: ignore[misc, valid-type]
			def _new_conn(self) -> Any:
				made = _connected(self, guard, super()._new_conn)
				try:
					guard.check_peer(str(made.getpeername()[0]), self.host)
				except Exception:
					made.close()
					raise
				if longest_seconds:
					self._end = Timer(longest_seconds, _cut, [self])
					self._end.daemon = True
					self._end.start()
				return made

			def close(self) -> None:
				if end := getattr(self, "_end", None):
					end.cancel()
				super().close()

		return Watched


def session(guard: Guard, longest_seconds: float | None = None) -> requests.Session:
	"""A session of requests whose connections are watched; it uses no proxy, whose address would be the other end's, and no password
	out of a .netrc."""
	made = requests.Session()
	made.trust_env = False
	for scheme in ("https://", "http://"):
		made.mount(scheme, _Adapter(guard, longest_seconds))
	return made


class _Adapter(HTTPAdapter):
	def __init__(self, guard: Guard, longest_seconds: float | None) -> None:
		self._kinds = {
			scheme: type(
				pool.__name__, (pool,), {"ConnectionCls": guard.watched(connection, longest_seconds)}
			)
			for scheme, pool, connection in (
				("http", HTTPConnectionPool, HTTPConnection),
				("https", HTTPSConnectionPool, HTTPSConnection),
			)
		}
		super().__init__()

	def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
		super().init_poolmanager(*args, **kwargs)
		self.poolmanager.pool_classes_by_scheme = self._kinds


def _connected(connection: Any, guard: Guard, connect: Callable[[], Any]) -> Any:
	"""A socket to one of the host's addresses. urllib3 connects to what stands in `_dns_host`; the certificate is the host's."""
	host = connection._dns_host
	*others, last = guard.addresses(connection.host, connection.port)
	try:
		for address in others:
			connection._dns_host = address
			with suppress(NewConnectionError, ConnectTimeoutError):
				return connect()
		connection._dns_host = last
		return connect()
	finally:
		connection._dns_host = host


def _cut(connection: Any) -> None:
	with suppress(OSError, AttributeError):
		connection.sock.shutdown(socket.SHUT_RDWR)
