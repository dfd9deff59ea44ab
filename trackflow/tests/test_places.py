"""Countries, regions and cities: COL-8, and COL-7 where it says who may know them."""

import ipaddress
import os
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
import mmdb_writer
from netaddr import IPSet

from trackflow import doctor, place_file
from trackflow.config import forget_config, get_config
from trackflow.incoming import country
from trackflow.place_file import PlaceFile
from trackflow.places import place_of
from trackflow.policy import Place
from trackflow.stream.drain import drain
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import SHOP, batch, event, make_domain, make_link, set_settings
from trackflow.tests.properties import given, st
from trackflow.tests.test_answer import CONFIG, request
from trackflow.tracking.identity import Ranges

# Addresses whose registry has not changed for decades.
LEVEL3, TELEKOM, TELEKOM_6 = "4.4.4.4", "80.187.1.1", "2003::1"
PROXY = "127.0.0.1"
TRUSTING = replace(CONFIG, trusted_proxies=Ranges([ipaddress.ip_network("127.0.0.0/8")]))
VIENNA = {
	"country": {"iso_code": "AT"},
	"subdivisions": [{"names": {"en": "Vienna", "de": "Wien"}}],
	"city": {"names": {"de": "Wien", "en": "Vienna"}},
}
FLAT = {"country": "Austria", "country_code": "AT", "region": "Styria", "city": "Graz"}


def write_file(folder: str, places: dict[str, dict[str, Any]], name: str = "city.mmdb") -> str:
	"""A MaxMind DB file with these places by network."""
	writer = mmdb_writer.MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City")
	for network, values in places.items():
		writer.insert_network(IPSet([network]), values)
	path = os.path.join(folder, name)
	writer.to_db_file(path)
	return path


class TestRegistries(unittest.TestCase):
	"""COL-8: the bundled database, IPv4 and IPv6."""

	def test_countries(self) -> None:
		for address, expected in (
			(LEVEL3, "US"), (TELEKOM, "DE"), (TELEKOM_6, "DE"), ("10.0.0.1", ""), ("203.0.113.7", ""), ("::1", ""), ("", ""),
			("nonsense", ""),
		):  # fmt: skip
			self.assertEqual(place_of("198.51.100.1", {}, address, CONFIG), Place(expected), address)

	@given(st.ip_addresses().map(str) | st.text(max_size=50))
	def test_nothing_breaks_it(self, address: str) -> None:
		"""SEC-4"""
		self.assertRegex(place_of("198.51.100.1", {}, address, CONFIG).country, r"^([A-Z]{2})?$")

	def test_rules_by_country_ask_the_same(self) -> None:
		self.assertEqual(country(request(peer=TELEKOM), CONFIG), "de")


class TestProxies(unittest.TestCase):
	"""COL-8: headers of trusted proxies, and of nobody else."""

	def test_each_provider(self) -> None:
		for headers in (
			{"cf-ipcountry": "AT", "cf-region": "Vienna", "cf-ipcity": "Vienna"},
			{
				"cloudfront-viewer-country": "at",
				"cloudfront-viewer-country-region-name": "Vienna",
				"cloudfront-viewer-city": "Vienna",
			},
			{"x-country-code": " AT ", "x-region": "Vienna", "x-city": "Vienna"},
		):
			self.assertEqual(place_of(PROXY, headers, LEVEL3, TRUSTING), Place("AT", "Vienna", "Vienna"))
			self.assertEqual(place_of("198.51.100.1", headers, LEVEL3, TRUSTING), Place("US"))

	def test_what_is_no_country_is_none(self) -> None:
		for said in ("XX", "T1", "EU", "Austria", "A", "", "<b>"):
			self.assertEqual(
				place_of(PROXY, {"cf-ipcountry": said, "cf-ipcity": "Wien"}, LEVEL3, TRUSTING), Place("US")
			)

	def test_names_are_utf_8_and_cropped(self) -> None:
		headers = {
			"cf-ipcountry": "BR",
			"cf-ipcity": "São Paulo".encode().decode("latin-1"),
			"cf-region": "x" * 500,
		}
		self.assertEqual(place_of(PROXY, headers, LEVEL3, TRUSTING), Place("BR", "x" * 140, "São Paulo"))
		headers = {"cf-ipcountry": "BR", "cf-ipcity": "S\xe3o\x00\n Paulo"}
		self.assertEqual(place_of(PROXY, headers, LEVEL3, TRUSTING).city, "São Paulo")


class TestFile(unittest.TestCase):
	"""COL-8: a MaxMind file can be configured."""

	def setUp(self) -> None:
		self.folder = tempfile.mkdtemp()
		self.addCleanup(
			lambda: [path.unlink() for path in Path(self.folder).glob("*")] and os.rmdir(self.folder)
		)
		self.path = write_file(
			self.folder, {"198.51.100.0/24": VIENNA, "2001:db8::/32": VIENNA, "203.0.113.0/24": FLAT}
		)

	def config(self, path: str | None = None) -> Any:
		return replace(TRUSTING, place_file=PlaceFile(path or self.path, 1))

	def test_region_and_city(self) -> None:
		for address, expected in (
			("198.51.100.9", Place("AT", "Vienna", "Vienna")),
			("2001:db8::9", Place("AT", "Vienna", "Vienna")),
			("203.0.113.9", Place("AT", "Styria", "Graz")),
			(TELEKOM, Place("DE")),
			("nonsense", Place()),
		):
			self.assertEqual(place_of("192.0.2.1", {}, address, self.config()), expected, address)

	def test_a_proxys_country_goes_with_the_files_city(self) -> None:
		self.assertEqual(
			place_of(PROXY, {"cf-ipcountry": "AT"}, "198.51.100.9", self.config()),
			Place("AT", "Vienna", "Vienna"),
		)
		self.assertEqual(place_of(PROXY, {"cf-ipcountry": "DE"}, "198.51.100.9", self.config()), Place("DE"))

	def test_a_file_that_cannot_be_read_keeps_nobody(self) -> None:
		broken = os.path.join(self.folder, "broken.mmdb")
		Path(broken).write_bytes(b"no database")
		for path in (broken, os.path.join(self.folder, "missing.mmdb")):
			self.assertEqual(place_of("192.0.2.1", {}, TELEKOM, self.config(path)), Place("DE"))


class TestFileOfTheSite(TrackFlowTestCase):
	"""COL-8: site_config.json names the file; a new one is seen when the settings are read again."""

	def setUp(self) -> None:
		super().setUp()
		self.folder = tempfile.mkdtemp()
		self.addCleanup(
			lambda: [path.unlink() for path in Path(self.folder).glob("*")] and os.rmdir(self.folder)
		)

	def finding(self) -> doctor.Finding:
		return next(one for one in doctor.examine() if one.check == "Countries and cities")

	def test_from_the_file_to_the_rows(self) -> None:
		path = write_file(self.folder, {"203.0.113.0/24": VIENNA})
		make_domain(SHOP)
		make_link("spring")
		with patch.dict(frappe.local.conf, {place_file.SETTING: path}):
			forget_config()
			frappe.db.commit()
			get_config()
			self.assertIn("Test-City", self.finding().text)
			self.get("/r/spring")
		drain()
		click = frappe.get_last_doc("Click Event")
		self.assertEqual((click.country, click.region, click.city), ("AT", "Vienna", "Vienna"))

	def test_what_the_doctor_says(self) -> None:
		self.assertFalse(self.finding().is_broken)
		with patch.dict(frappe.local.conf, {place_file.SETTING: os.path.join(self.folder, "missing.mmdb")}):
			self.assertTrue(self.finding().is_broken)

	def test_a_newer_file_is_another(self) -> None:
		path = write_file(self.folder, {"203.0.113.0/24": VIENNA})
		with patch.dict(frappe.local.conf, {place_file.SETTING: path}):
			former = place_file.configured()
			self.assertEqual(former.find("203.0.113.2").city, "Vienna")
			os.replace(write_file(self.folder, {"203.0.113.0/24": FLAT}, "new.mmdb"), path)
			os.utime(path, ns=(1, former.changed + 1))
			self.assertEqual(former.find("203.0.113.1").city, "Vienna")
			self.assertEqual(place_file.configured().find("203.0.113.1").city, "Graz")


class TestWhosePlaceIsKept(TrackFlowTestCase):
	"""COL-7, COL-8: rows of clicks, events, sessions and visitors say where; the privacy level says how exactly."""

	HEADERS = {
		"CF-IPCountry": "AT",
		"CF-Region": "Vienna",
		"CF-IPCity": "Vienna",
		"X-Forwarded-For": "198.51.100.77",
	}

	def places(self, doctype: str, *fields: str) -> set[tuple[str, ...]]:
		fields = fields or ("country", "region", "city")
		rows = frappe.get_all(doctype, fields=list(fields), order_by="name")
		return {tuple(row[field] or "" for field in fields) for row in rows}

	def visit(self, headers: dict[str, str] | None = None, **domain: Any) -> None:
		headers = {**self.HEADERS, **(headers or {})}
		key = make_domain(SHOP, **domain).public_key
		make_link("spring", domain=SHOP)
		self.get("/r/spring", host=SHOP, headers=headers, address=PROXY)
		headers |= {"Content-Type": "text/plain", "Origin": f"https://{SHOP}"}
		path = "/api/method/trackflow.api.tracking.track_event"
		answer = self.request("POST", path, data=batch(key, event("e1")), headers=headers, address=PROXY)
		self.assertEqual(answer.status_code, 202, answer.text)
		drain()

	def assert_places(self, place: tuple[str, str, str]) -> None:
		for doctype in ("Click Event", "Visitor Event", "Visitor Session"):
			self.assertEqual(self.places(doctype), {place}, doctype)
		self.assertEqual(self.places("Visitor", "country"), {(place[0],)})

	def test_all_of_it(self) -> None:
		for level in ("Standard", "GDPR"):
			with self.subTest(level):
				self.visit(privacy_level=level)
				self.assert_places(("AT", "Vienna", "Vienna"))
			self.tearDown()
			self.setUp()

	def test_the_country_alone(self) -> None:
		for case in (
			{"privacy_level": "HIPAA"},
			{"headers": {"DNT": "1"}},
			{"headers": {"Sec-GPC": "1"}},
			{"collect_address": 0},
		):
			with self.subTest(case):
				self.visit(**case)
				self.assert_places(("AT", "", ""))
			self.tearDown()
			self.setUp()

	def test_do_not_track_that_is_not_honoured(self) -> None:
		set_settings(honour_do_not_track=0)
		self.visit(headers={"DNT": "1"})
		self.assert_places(("AT", "Vienna", "Vienna"))

	def test_the_address_is_enough(self) -> None:
		make_link("spring")
		self.get("/r/spring", address=TELEKOM)
		drain()
		self.assertEqual(self.places("Click Event"), {("DE", "", "")})
