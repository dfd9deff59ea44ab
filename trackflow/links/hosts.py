"""Hosts as they are stored and compared: lower case, punycode, without the port that the scheme implies. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

from trackflow.links.destination import ascii_host

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_IMPLIED_PORTS = (80, 443)
_MAX_LENGTH = 140


class HostError(ValueError):
	"""Not a host; the message is for the person who entered it."""


def normalise(text: str | None) -> str:
	"""Return `host[:port]` of a typed host. A scheme, path, user name or anything else raises HostError."""
	host = (text or "").strip().lower().rstrip(".")
	if not host:
		raise HostError("The domain is empty.")
	if re.search(r"[/?#@\\\s]", host):
		raise HostError(f"{text} is more than a domain: leave out https://, the path and everything else.")
	name, port = _split_port(host)
	result = name + (f":{port}" if port and port not in _IMPLIED_PORTS else "")
	if len(result) > _MAX_LENGTH:
		raise HostError(f"The domain is longer than {_MAX_LENGTH} characters.")
	return result


def of_origin(text: str | None) -> str:
	"""The same for an origin: `https://shop.example.com` is taken for its host."""
	return normalise(re.sub(r"^https?://([^/]*)/?$", r"\1", (text or "").strip(), flags=re.IGNORECASE))


def _split_port(host: str) -> tuple[str, int]:
	bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", host)
	if bracketed:
		return f"[{_ipv6(bracketed[1])}]", _port(bracketed[2])
	name, colon, port = host.partition(":")
	if colon and not port:
		raise HostError(f"{host} has a colon but no port.")
	return _ascii(name), _port(port)


def _port(text: str | None) -> int:
	if not text:
		return 0
	if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
		raise HostError(f"{text} is not a port.")
	return int(text)


def _ipv6(text: str) -> str:
	try:
		return IPv6Address(text).compressed
	except ValueError:
		raise HostError(f"{text} is not an address.") from None


def _ascii(name: str) -> str:
	ascii_name = name if name.isascii() else ascii_host(name)
	if not all(_LABEL.fullmatch(label) for label in ascii_name.split(".")):
		raise HostError(f"{name} is not a domain.")
	return ascii_name
