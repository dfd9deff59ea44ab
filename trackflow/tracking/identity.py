"""Who a visitor is, as far as we are to know: visitor ids, signed click ids, addresses (RED-5, RED-6, COL-3, COL-7).

Promises ids that nobody can trace back to a person, comparisons in constant time, and a client address that only
trusted proxies can tell us. Never keeps a key and never looks at the clock: keys and their days are the caller's.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from trackflow.naming import keyed_hash
from trackflow.remembering import remembered

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

VISITOR_ID = re.compile(r"v_[0-9a-f]{16}")
# Stands where the id of an erased visitor stood. No browser can name it: it is no visitor id.
_ERASED = "e_"
# The same as a pattern of databases, in which _ is any character.
ANY_ERASED = f"{_ERASED}%"
CLICK_DIGITS = 9

_CLICK_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
# 96 bits: nobody guesses it, the address stays short, and base64 needs no padding.
_SIGNATURE_BYTES = 12
# What keyed hashes are made for.
_CALLER, _ADDRESS, _CLICK = b"trackflow.caller", b"trackflow.addr", b"trackflow.click"
_ADDRESS_OF_NOBODY = b"trackflow.noaddr"
# Longer than any chain of proxies; what is longer is not read.
_LONGEST_HEADER = 2048
# Longer than any address, whatever zone it names; what is longer is not remembered.
_LONGEST_ADDRESS = 512

# Addresses whose reading is remembered: one request asks several times of one address, and proxies ask all the time.
_REMEMBERED = 4096

# Python's own `is_private` also holds the ranges of documentation and tests, and differs between its versions.
_PRIVATE: tuple[Network, ...] = tuple(
	ip_network(network)
	for network in (
		"0.0.0.0/8",
		"10.0.0.0/8",
		"100.64.0.0/10",
		"127.0.0.0/8",
		"169.254.0.0/16",
		"172.16.0.0/12",
		"192.168.0.0/16",
		"::/127",
		"fc00::/7",
		"fe80::/10",
	)
)


class Ranges(tuple[Network, ...]):
	"""Networks that many addresses are held against: what was found is remembered as long as this very object lives."""

	__slots__ = ()
	__hash__ = object.__hash__


class NetworkError(ValueError):
	"""The text is no address or network; the message is for the person who entered it."""


def is_visitor_id(text: object) -> bool:
	"""Tell whether `text` has the form of a visitor id."""
	return isinstance(text, str) and VISITOR_ID.fullmatch(text) is not None


def is_erased(visitor_id: str | None) -> bool:
	"""Tell whether this stands for a visitor whose data were erased."""
	return (visitor_id or "").startswith(_ERASED)


def erased_id(key: bytes, visitor_id: str) -> str:
	"""Return what stands for a visitor from now on: always the same for a key, untraceable once that is thrown away."""
	return f"{_ERASED}{keyed_hash(key, 'trackflow.erased', visitor_id)[:16]}"


def new_visitor_id() -> str:
	"""Return a visitor id at random, for the cookie."""
	return f"v_{secrets.token_hex(8)}"


def cookieless_id(key: bytes, domain: str, address: str, user_agent: str) -> str:
	"""Return the visitor id of who asks without a cookie: the same for one key, another and untraceable with the next.

	The key belongs to a day; once it is thrown away nobody can tell whose id it was, not even we.
	"""
	domain, caller = domain.strip().lower(), _normal(address) or address.strip()
	# The length goes before each part, so that no two requests come to the same text.
	message = f"{len(domain)}:{domain}{len(caller)}:{caller}{user_agent.strip()}"
	return f"v_{_keyed(key, _CALLER, _bytes(message), 8)}"


def random_digits() -> str:
	"""Return what is random in a click's id: 36 bits, as hex digits."""
	return secrets.token_hex(5)[:CLICK_DIGITS]


def new_click_id(at: float, digits: str) -> str:
	"""Return a new click's id: the time of the click (milliseconds) and random digits. Clicks of one time are neighbours
	in the database, which then writes a few pages for a batch instead of one for each click."""
	return f"{int(at * 1000) % 16**11:011x}{digits}"


def sign_click(click_id: str, secret: bytes) -> str:
	"""Return a click id that others can carry and nobody can make: "<id>.<signature>", safe in any URL."""
	if not _CLICK_ID.fullmatch(click_id):
		raise ValueError("A click id has 1 to 100 letters, digits, hyphens and underscores.")
	return f"{click_id}.{signature_of(click_id, secret)}"


def read_click(signed: object, secret: bytes) -> str | None:
	"""Return the click id of a signed one; None for anything that we have not signed."""
	if not isinstance(signed, str):
		return None
	click_id, _dot, signature = signed.partition(".")
	if not _CLICK_ID.fullmatch(click_id):
		return None
	expected = signature_of(click_id, secret)
	return click_id if compare_digest(_bytes(signature), expected.encode()) else None


def mask_address(address: str) -> str:
	"""Return the network of an address, as far as it is kept: /24 of IPv4, /48 of IPv6; "" for no address."""
	parsed = _parse(address)
	if parsed is None:
		return ""
	length = 24 if parsed.version == 4 else 48
	return str(ip_network((parsed, length), strict=False).network_address)


def hash_address(address: str, salt: bytes, is_cookieless: bool = False) -> str:
	"""Return 32 hex digits that stand for an address as long as the salt lasts; "" for no address.

	Others for whoever is not recognised: else the address would join them to who they were before they refused.
	"""
	text = _normal(address)
	purpose = _ADDRESS_OF_NOBODY if is_cookieless else _ADDRESS
	return _keyed(salt, purpose, text.encode(), 16) if text else ""


def counted_address(address: str) -> str:
	"""Return what stands for an address where requests are counted: one IPv6 connection has 2^64 of them, its /64."""
	return _block_of(address) if ":" in address else address


@remembered(_REMEMBERED)
def _block_of(address: str) -> str:
	parsed = _parse(address)
	if parsed is None or parsed.version == 4:
		return address
	return str(ip_network((parsed, 64), strict=False))


def visitor_id_of(secret: bytes, public_key: str, foreign_id: str) -> str:
	"""Return our id of the visitor whom a website calls by an id of its own: always the same, and on no other website."""
	# The purpose goes in, so that what the secret signs elsewhere is worth nothing here.
	return f"v_{keyed_hash(secret, 'trackflow.visitor', public_key, foreign_id)[:16]}"


@remembered(_REMEMBERED)
def is_private(address: str) -> bool:
	"""Tell whether an address belongs to a private, local or carrier's inner network."""
	return in_ranges(address, _PRIVATE)


@lru_cache(maxsize=_REMEMBERED)
def _lies_in(address: str, networks: Ranges) -> bool:
	parsed = _parse(address)
	# An object of its own is compared by identity first, so that remembering costs no comparison of networks.
	return parsed is not None and any(parsed in network for network in networks)


def in_ranges(address: str, networks: Iterable[str | Network]) -> bool:
	"""Tell whether an address lies in one of the networks (CIDR, or single addresses); NetworkError for no network."""
	if not networks:
		return False
	if isinstance(networks, Ranges) and len(address) <= _LONGEST_ADDRESS:
		return _lies_in(address, networks)
	parsed = _parse(address)
	return parsed is not None and any(parsed in network for network in map(parse_network, networks))


def parse_network(text: str | Network) -> Network:
	"""Return a network from CIDR or a single address; bits behind the prefix are ignored."""
	return text if isinstance(text, IPv4Network | IPv6Network) else _network(text.strip())


def client_address(peer: str, headers: Mapping[str, str], trusted: Collection[str | Network]) -> str:
	"""Return the address of the client: the peer's own, unless the peer is a trusted proxy that names another.

	X-Forwarded-For is read from the right, past proxies that are trusted too; then X-Real-IP, then Client-IP.
	A name that is no address makes the whole header worthless: then it is the peer's. Header names are in lower case.
	"""
	own = _normal(peer) or peer
	if not in_ranges(peer, trusted):
		return own
	forwarded = headers.get("x-forwarded-for", "").strip()
	if forwarded:
		return _first_untrusted(forwarded, trusted) or own
	for name in ("x-real-ip", "client-ip"):
		value = headers.get(name, "").strip()
		if value:
			return _hop(value) or own
	return own


def _first_untrusted(forwarded: str, trusted: Collection[str | Network]) -> str:
	"""Return the nearest hop that no trusted proxy stands for, the farthest if all do; "" for a malformed header."""
	if len(forwarded) > _LONGEST_HEADER:
		return ""
	if "," not in forwarded:
		return _hop(forwarded)
	hop = ""
	for part in reversed(forwarded.split(",")):
		hop = _hop(part)
		if not hop or not in_ranges(hop, trusted):
			return hop
	return hop


@remembered(_REMEMBERED)
def _hop(text: str) -> str:
	"""Return the address of one hop: some proxies add a port, brackets or quotes."""
	text = text.strip().strip('"')
	if text.startswith("["):
		text = text[1:].partition("]")[0]
	elif text.count(":") == 1:
		text = text.partition(":")[0]
	return _normal(text)


@remembered(_REMEMBERED)
def _normal(address: str) -> str:
	"""Return the one spelling of an address; "" for no address."""
	parsed = _parse(address)
	return "" if parsed is None else str(parsed)


@remembered(_REMEMBERED)
def _parse(address: str | None) -> Address | None:
	try:
		parsed = ip_address((address or "").strip().partition("%")[0])
	except ValueError:
		return None
	if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
		# A dual-stack socket names IPv4 clients so.
		return parsed.ipv4_mapped
	return parsed


@lru_cache(maxsize=1024)
def _network(text: str) -> Network:
	try:
		return ip_network(text, strict=False)
	except ValueError:
		raise NetworkError(f"Not an IP address or network: {text}.") from None


def signature_of(click_id: str, secret: bytes) -> str:
	"""Return what follows the dot in a signed click id; for ids that are known to be some."""
	hashed = _click_hash(secret).copy()
	hashed.update(click_id.encode())
	return base64.urlsafe_b64encode(hashed.digest()).decode()


@lru_cache(maxsize=16)
def _click_hash(secret: bytes) -> blake2b:
	"""What all signatures of a secret, which stays for as long as the site, begin with."""
	return blake2b(digest_size=_SIGNATURE_BYTES, key=secret, person=_CLICK)


def _keyed(key: bytes, purpose: bytes, message: bytes, size: int) -> str:
	"""Return BLAKE2's keyed hash, which needs no HMAC around it and a third of its time. The key has 64 bytes at most.

	The purpose goes in, so that what a key makes for one is worth nothing for another.
	"""
	return blake2b(message, digest_size=size, key=key, person=purpose).hexdigest()


def _bytes(text: str) -> bytes:
	return text.encode("utf-8", "surrogatepass")
