"""A MaxMind DB file that the site's configuration names: GeoLite2, GeoIP2, DB-IP or IPinfo, by country or by city (COL-8).

Opened once in each process and mapped into memory, so that processes share it. A file that is missing or broken knows no
place and keeps nobody from anything; `bench trackflow doctor` tells of it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import frappe
import maxminddb

from trackflow.places import LENGTH, known_country
from trackflow.policy import NOWHERE, Place

SETTING = "trackflow_geoip_file"
UNREADABLE = (OSError, ValueError, maxminddb.InvalidDatabaseError)


@dataclass(frozen=True, slots=True)
class PlaceFile:
	"""A file as it was when the settings were read: a later one has another `changed` (nanoseconds) and is opened anew."""

	path: str
	changed: int

	def find(self, address: str) -> Place:
		"""The place of an address, NOWHERE if the file does not say."""
		return _find(address, self)

	def check(self) -> str:
		"""What is in the file, in words. Raises one of UNREADABLE if it cannot be read."""
		with maxminddb.open_database(self.path) as reader:
			return f"{reader.metadata().database_type}, {self.path}"


def configured() -> PlaceFile | None:
	"""The file that site_config.json or common_site_config.json names, None without one."""
	path = frappe.conf.get(SETTING)
	if not path:
		return None
	path = os.path.abspath(frappe.get_site_path(path))
	try:
		return PlaceFile(path, os.stat(path).st_mtime_ns)
	except OSError:
		return PlaceFile(path, 0)


# To look into a city file takes longer than the rest of a redirect, and visitors come back.
@lru_cache(maxsize=4096)
def _find(address: str, file: PlaceFile) -> Place:
	reader = _reader(file)
	if reader is None:
		return NOWHERE
	try:
		found = reader.get(address)
	except (ValueError, maxminddb.InvalidDatabaseError):
		# No address, or what the file has for it cannot be read.
		return NOWHERE
	return _place(found) if isinstance(found, dict) else NOWHERE


@lru_cache(maxsize=8)
def _reader(file: PlaceFile) -> maxminddb.Reader | None:
	try:
		return maxminddb.open_database(file.path)
	except UNREADABLE:
		return None


def _place(found: Mapping[str, Any]) -> Place:
	country = found.get("country") or found.get("registered_country")
	if isinstance(country, Mapping):
		regions = found.get("subdivisions") or [None]
		return Place(known_country(country.get("iso_code")), _name(regions[0]), _name(found.get("city")))
	# IPinfo's files are flat.
	code = known_country(found.get("country_code") or country)
	return Place(code, _name(found.get("region")), _name(found.get("city")))


def _name(found: Any) -> str:
	"""The English name of a part, as files of MaxMind's shape and flat ones say it."""
	if isinstance(found, Mapping):
		found = (found.get("names") or {}).get("en")
	return found[:LENGTH] if isinstance(found, str) else ""
