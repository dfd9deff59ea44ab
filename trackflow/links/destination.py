"""Where a link leads: parameters are added to what the user entered, and nothing that was there is changed.

Promises that fragment, repeated parameters, blank values, order and encoding of the target survive byte for
byte. Never reads a clock, a setting or the network; what is wrong raises DestinationError in plain English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, unquote, unquote_plus, urlsplit

MAX_LENGTH = 2048
DEFAULT_PREFIX = "/r/"

# The short names of the form become the names that analytics tools read.
UTM_NAMES: Mapping[str, str] = {
	name: f"utm_{name}" for name in ("source", "medium", "campaign", "content", "term")
}

# Belong to the short link or to Frappe itself, and mean something else at the destination.
NEVER_FORWARDED = frozenset({"qr", "sid", "cmd", "tfclid", "tfm", "tracking_id"})

# The redirect has a second address, as a method; a link to it would be a short link too.
REDIRECT_METHOD = "trackflow.www.redirect.handle_redirect"

# What RFC 3986 allows in a query; "%" stays, so that what is encoded is not encoded again.
_QUERY_SAFE = "!$&'()*+,;=:@/?%-._~"
# The same and "#" and brackets: every ASCII character of an address that has been accepted.
_ASCII_SAFE = "".join(chr(code) for code in range(0x21, 0x7F))

# What quote() leaves as it is.
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")

_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zs", "Zl", "Zp"})
_FORBIDDEN_IN_HOST = re.compile(r"[%<>\"{}|^`\\@]")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_BRAND_LABEL_LIMIT = 63

Scalar = str | int | float | bool | Decimal
Parameters = Mapping[str, "Scalar | Iterable[Scalar] | None"] | Iterable[tuple[str, "Scalar | None"]]


class DestinationError(ValueError):
	"""The address cannot be a destination; the message is for the person who entered it."""


def build(target_url: str, parameters: Parameters) -> str:
	"""Return `target_url` with `parameters` added behind its own (LNK-2).

	`source, medium, campaign, content, term` become `utm_*` and are left out when blank; other keys go as they
	are, blank values included. None is left out, a list repeats the key. A parameter that the target has is kept.
	"""
	present = _names(_split(target_url)[1])
	seen_utm: set[str] = set()
	pieces: list[str] = []
	for name, value in _flatten(parameters):
		is_utm = name.startswith("utm_")
		if name in present or name in seen_utm:
			continue
		if is_utm:
			# Two values for one utm name would be read at random: the first stands.
			seen_utm.add(name)
		pieces.append(f"{_quote(name)}={_quote(value)}")
	return _append(target_url, pieces)


def kept(target_url: str, parameters: Parameters) -> list[str]:
	"""The names among these parameters that `build` does not add, since `target_url` has them itself."""
	present = _names(_split(target_url)[1])
	return list(dict.fromkeys(name for name, _value in _flatten(parameters) if name in present))


def forward(destination: str, query_string: str) -> str:
	"""Carry the query of the short link over to `destination`, whose own parameters win (RED-3).

	What the visitor sent is passed on as sent; only characters that no query may hold are encoded.
	"""
	present = _names(_split(destination)[1])
	pieces = [
		quote(piece, safe=_QUERY_SAFE, errors="replace")
		for piece in query_string.lstrip("?").split("&")
		if piece and _name(piece) not in present and _name(piece) not in NEVER_FORWARDED
	]
	return _append(destination, pieces)


def place_for(url: str, name: str) -> tuple[str, str]:
	"""Return what stands before and behind the value of a parameter that is to be set in `url`, whatever values it had (a
	pasted address may carry an old one)."""
	head, query, fragment = _split(url)
	# Only spelled out or encoded can the name be there.
	if query and (name in query or "%" in query):
		pieces = query.split("&")
		kept = [piece for piece in pieces if _name(piece) != name]
		if len(kept) != len(pieces):
			rest = "&".join(kept)
			url = head + (f"?{rest}" if rest else "") + fragment
	front, hash_sign, fragment = _append(url, [f"{_quote(name)}="]).partition("#")
	return front, hash_sign + fragment


def is_page(url: str) -> bool:
	"""Tell whether an address is a page's; else it is an app's, whose parts mean what the app takes them for."""
	return url[:8].lower().startswith(("http://", "https://"))


def ascii_url(url: str) -> str:
	"""Return `url` as an HTTP header can carry it: a page's international host as punycode, other letters as UTF-8 %XX.

	An ASCII address comes back unchanged.
	"""
	if url.isascii():
		return url
	head, query, fragment = _split(url)
	if is_page(url):
		scheme, _separator, rest = head.partition("://")
		authority, slash, path = rest.partition("/")
		host, colon, port = authority.partition(":")
		head = f"{scheme}://{ascii_host(host)}{colon}{port}{slash}{path}"
	tail = ("" if query is None else f"?{query}") + fragment
	return quote(head + tail, safe=_ASCII_SAFE, errors="replace")


def ascii_host(host: str) -> str:
	"""Return the host as browsers ask for it, and name it as the origin of a page: its labels in punycode."""
	return ".".join(_punycode(label) for label in _labels(host))


def check(target_url: str, own_hosts: Collection[str] = (), prefix: str = DEFAULT_PREFIX) -> None:
	"""Raise DestinationError unless `target_url` may be a destination (LNK-2).

	`own_hosts` are the names under which this site answers short links; one without a port stands for every port.
	"""
	if not target_url:
		raise DestinationError("The target address is empty.")
	if len(target_url) > MAX_LENGTH:
		raise DestinationError(f"The target address is longer than {MAX_LENGTH} characters.")
	if any(unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in target_url):
		raise DestinationError("The target address holds spaces or control characters.")
	host, port = _check_authority(target_url)
	if _is_own(host, port, own_hosts) and _is_short_link(target_url, prefix):
		raise DestinationError(
			"The target address is a short link of this site: visitors would go in circles."
		)


def _check_authority(target_url: str) -> tuple[str, int | None]:
	"""Return host and port of an address that has both in order; else raise."""
	scheme, separator, rest = target_url.partition("://")
	if not separator or scheme.lower() not in ("http", "https"):
		raise DestinationError("The target address must begin with http:// or https://.")
	if "\\" in _split(target_url)[0]:
		# Browsers read a backslash as a slash, so the address would lead elsewhere than it seems.
		raise DestinationError("The target address holds a backslash.")
	if not re.split(r"[/?#]", rest, maxsplit=1)[0]:
		raise DestinationError("The target address has no host name.")
	if "@" in re.split(r"[/?#]", rest, maxsplit=1)[0]:
		raise DestinationError("The target address must not carry a user name or password.")
	try:
		parts = urlsplit(target_url)
		host, port = parts.hostname, parts.port
	except ValueError:
		raise DestinationError("The host or port of the target address is not valid.") from None
	if not host:
		raise DestinationError("The target address has no host name.")
	if _FORBIDDEN_IN_HOST.search(host) or not all(_labels(host)):
		raise DestinationError("The host name of the target address is not valid.")
	return host, port


def _split(url: str) -> tuple[str, str | None, str]:
	"""Cut an address into head, query (None without "?") and fragment (with its "#"); joined they are the same."""
	front, hash_sign, fragment = url.partition("#")
	head, question_mark, query = front.partition("?")
	return head, query if question_mark else None, hash_sign + fragment


def _append(url: str, pieces: list[str]) -> str:
	if not pieces:
		return url
	head, query, fragment = _split(url)
	if query is None:
		start = f"{head}?"
	else:
		start = f"{head}?{query}" + ("&" if query and not query.endswith("&") else "")
	return start + "&".join(pieces) + fragment


def _name(piece: str) -> str:
	return unquote_plus(piece.partition("=")[0])


def _names(query: str | None) -> frozenset[str]:
	return frozenset(_name(piece) for piece in query.split("&") if piece) if query else frozenset()


def _quote(text: str) -> str:
	return text if _UNRESERVED.fullmatch(text) else quote(text, safe="", errors="replace")


def _flatten(parameters: Parameters) -> Iterator[tuple[str, str]]:
	"""Yield (final name, value) for every parameter that is to be added."""
	pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
	for key, value in pairs:
		key = str(key).strip()
		if not key or value is None:
			continue
		if isinstance(value, Mapping):
			raise DestinationError(f"The parameter {key} must be a text, a number or a list of them.")
		name = UTM_NAMES.get(key, key)
		for single in value if isinstance(value, list | tuple) else (value,):
			text = _text(single)
			if text or key not in UTM_NAMES:
				yield name, text


def _text(value: object) -> str:
	if value is None:
		return ""
	if isinstance(value, bool):
		return "true" if value else "false"
	return str(value)


def _labels(host: str) -> list[str]:
	"""Return the labels of a host name; the dot of the root at its end is no label."""
	labels = _DOTS.split(host)
	return labels[:-1] if len(labels) > 1 and not labels[-1] else labels


def _punycode(label: str) -> str:
	"""Return a label as browsers look it up today: mapped to its plain form, then punycode ("ß" stays a letter)."""
	if label.isascii():
		return label
	plain = "".join(char for char in label if unicodedata.category(char) != "Cf")
	plain = unicodedata.normalize("NFKC", plain).lower()
	return plain if plain.isascii() else "xn--" + plain.encode("punycode").decode("ascii")


def _punycode_2003(label: str) -> str | None:
	"""Return a label under the older rules ("ß" is "ss"); None where those have no answer."""
	try:
		return label.encode("idna").decode("ascii").lower()
	except UnicodeError:
		return None


def _host_forms(host: str) -> frozenset[str]:
	"""Return every spelling under which `host` may be the same machine as another."""
	host = host.lower().strip("[]")
	address = _address(host)
	if address is not None:
		# All of them are this machine.
		return frozenset({"localhost" if _is_loopback(address) else str(address)})
	labels = _labels(host)
	forms = {ascii_host(host)}
	older = [_punycode_2003(label) for label in labels if len(label) <= _BRAND_LABEL_LIMIT]
	if len(older) == len(labels) and None not in older:
		forms.add(".".join(str(label) for label in older))
	return frozenset(forms)


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
	mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
	address = mapped or address
	return address.is_loopback or address.is_unspecified


def _address(host: str) -> IPv4Address | IPv6Address | None:
	"""Return the IP address that a host is; browsers take 2130706433 and 0x7f.1 for 127.0.0.1."""
	try:
		if ":" in host:
			return IPv6Address(host)
		parts = host.rstrip(".").split(".")
		numbers = [int(p, 8) if re.fullmatch(r"0[0-7]+", p) else int(p, 0) for p in parts if p.isascii()]
		if len(numbers) != len(parts) or len(parts) > 4 or any(number > 255 for number in numbers[:-1]):
			return None
		value = numbers[-1]
		for index, number in enumerate(numbers[:-1]):
			value += number << (8 * (3 - index))
		return IPv4Address(value)
	except ValueError:
		return None


def _is_own(host: str, port: int | None, own_hosts: Collection[str]) -> bool:
	forms = _host_forms(host)
	for own in own_hosts:
		try:
			parts = urlsplit(own if "://" in own else f"//{own}")
			own_host, own_port = parts.hostname, parts.port
		except ValueError:
			# Not a host at all, so it cannot be the host of the target either.
			continue
		if not own_host or forms.isdisjoint(_host_forms(own_host)):
			continue
		if own_port is None or own_port == port or {own_port, port or 443} <= {80, 443}:
			return True
	return False


def _is_short_link(target_url: str, prefix: str) -> bool:
	"""Tell whether a server of ours would take this address for a short link, however it is spelled."""
	decoded = _decode(target_url)
	if REDIRECT_METHOD in decoded:
		return True
	path = _decode(_split(target_url)[0].partition("://")[2].partition("/")[2])
	wanted = f"/{prefix.strip('/')}/".lower()
	squeezed = re.sub(r"/+", "/", f"/{path}").lower()
	return squeezed.startswith(wanted) or _without_dots(squeezed).startswith(wanted)


def _decode(text: str) -> str:
	"""Decode until nothing changes: proxies on the way may decode once more than we do."""
	while (decoded := unquote(text)) != text:
		text = decoded
	return text.replace("\\", "/")


def _without_dots(path: str) -> str:
	"""Resolve "." and ".." as browsers do before they ask."""
	kept: list[str] = []
	segments = path.split("/")[1:]
	for segment in segments:
		if segment == "..":
			del kept[-1:]
		elif segment != ".":
			kept.append(segment)
	if segments[-1] in (".", ".."):
		kept.append("")
	return "/" + "/".join(kept)
