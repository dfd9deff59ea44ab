"""Where a caller is (COL-8): what trusted proxies say, else a MaxMind file of the site's, else the registries' data. Pure.

Never guesses: what nobody knows is "". The address is only looked at here; who may know the place is `incoming.recognise`'s
to say.
"""

import re
from collections.abc import Mapping

from iptocc import country_code

from trackflow.policy import NOWHERE, Config, Place
from trackflow.remembering import remembered
from trackflow.tracking.identity import in_ranges

# How proxies name a visitor's place: Cloudflare, CloudFront, and what one's own web server is told to say.
COUNTRY_HEADERS = ("cf-ipcountry", "cloudfront-viewer-country", "x-country-code")
REGION_HEADERS = ("cf-region", "cloudfront-viewer-country-region-name", "x-region")
CITY_HEADERS = ("cf-ipcity", "cloudfront-viewer-city", "x-city")
# What a Data field holds.
LENGTH = 140

_COUNTRY = re.compile(r"[A-Z]{2}")
# Not known (Cloudflare and others), and what the registries give to no one country.
_NO_COUNTRY = frozenset({"AP", "EU", "XX", "ZZ"})


def place_of(peer: str, headers: Mapping[str, str], address: str, config: Config) -> Place:
	"""The place of `address`, whose request came from `peer` with these headers (lower-case names).

	A proxy's country counts; region and city that it does not name come from the file, if that knows the same country.
	"""
	said = _said(headers)
	if said.country and not in_ranges(peer, config.trusted_proxies):
		said = NOWHERE
	found = config.place_file.find(address) if config.place_file and not said.city else NOWHERE
	if not said.country:
		return found if found.country else _registered(address)
	return (
		Place(said.country, said.region or found.region, found.city)
		if found.country == said.country
		else said
	)


@remembered(4096)
def _registered(address: str) -> Place:
	return Place(known_country(country_code(address)))


@remembered(512)
def known_country(text: str | None) -> str:
	"""Two capital letters; "" for what is no country."""
	code = (text or "").strip().upper()
	return code if _COUNTRY.fullmatch(code) and code not in _NO_COUNTRY else ""


def _said(headers: Mapping[str, str]) -> Place:
	for name in COUNTRY_HEADERS:
		if name in headers and (country := known_country(headers[name])):
			return Place(country, _first(headers, REGION_HEADERS), _first(headers, CITY_HEADERS))
	return NOWHERE


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
	for name in names:
		if headers.get(name):
			return _text(headers[name])
	return ""


@remembered(4096)
def _text(value: str) -> str:
	"""A header's text: proxies send UTF-8, which servers hand on byte by byte."""
	try:
		value = value.encode("latin-1").decode("utf-8")
	except ValueError:
		pass
	return "".join(letter for letter in value if letter.isprintable()).strip()[:LENGTH]
