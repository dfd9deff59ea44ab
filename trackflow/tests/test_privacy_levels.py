"""What is nowhere: COL-7, RED-5. A flood of clicks and events, then every table, key, file and log is searched."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from trackflow import keys
from trackflow.constants.app import MODULE
from trackflow.stream import connection, spool
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.stream.writer import DUE_KEY
from trackflow.tests.base import TrackFlowTestCase, is_shared, sites_folder
from trackflow.tests.edge_process import Edge
from trackflow.tests.factories import SHOP, batch, event, make_domain, make_link, set_settings
from trackflow.tests.test_stream import dead_redis
from trackflow.tracking import store

# What is recognised wherever it stands.
ADDRESSES = ("198.51.100.77", "2001:db8:1:77::77")
ADDRESS, AGENT = "address", "agent"
FIRST, LAST, EMAIL, SAID, CARD = (
	"Zaphod-typed",
	"Beeblebrox-typed",
	"typed@zaphod.example",
	"said@zaphod.example",
	"4111-typed",
)
MARKS = {
	ADDRESS: ("198.51.100.77", "2001:db8:1:77"),
	AGENT: ("Zzyzx",),
	**{one: (one,) for one in (FIRST, LAST, EMAIL, SAID, CARD)},
}
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Zzyzx/7"
# Where each may stand once it is stored.
OF_ADDRESS = {("Click Event", "ip_address"), ("Visitor Event", "ip_address"), ("Visitor", "ip_address")}
OF_AGENT = {(doctype, "user_agent") for doctype, _field in OF_ADDRESS}
OF_FORM, OF_PERSON = {("Visitor Event", "form_data")}, {("Visitor", "contact_email")}
_COMMANDS: dict[bytes, tuple[Any, ...]] = {
	b"string": ("GET",), b"hash": ("HGETALL",), b"list": ("LRANGE", 0, -1), b"set": ("SMEMBERS",),
	b"zset": ("ZRANGE", 0, -1), b"stream": ("XRANGE", "-", "+"),
}  # fmt: skip
LOGS = ("Access Log", "Error Log", "Scheduled Job Log")


def tables() -> Iterator[tuple[str, str, str]]:
	"""Every text in the tables of ours and in the framework's logs: DocType, field, text."""
	ours = frappe.get_all("DocType", {"module": MODULE}, ["name", "issingle"], order_by="name")
	logs = [frappe._dict(name=name, issingle=0) for name in LOGS if frappe.db.exists("DocType", name)]
	for doctype in [*ours, *logs]:
		rows = (
			[frappe.get_single(doctype.name).as_dict()]
			if doctype.issingle
			else frappe.get_all(doctype.name, fields=["*"])
		)
		for row in rows:
			for field, value in row.items():
				yield doctype.name, field, str(value)


def keys_of(redis: Any) -> Iterator[str]:
	"""Everything that a Redis holds, names and values."""
	for key in redis.execute_command("KEYS", "*"):
		kind = redis.execute_command("TYPE", key)
		if kind in (b"none", "none"):
			# It has gone since it was listed.
			continue
		command, *more = _COMMANDS[kind if isinstance(kind, bytes) else kind.encode()]
		yield repr(key)
		yield repr(redis.execute_command(command, key, *more))


def log_files() -> dict[Path, int]:
	"""The log files of site and bench, with their lengths."""
	folders = (Path(frappe.get_site_path("logs")), Path(sites_folder()).parent / "logs")
	return {
		path: path.stat().st_size
		for folder in folders
		if folder.is_dir()
		for path in folder.rglob("*")
		if path.is_file()
	}


def found_in(text: str) -> set[str]:
	return {mark for mark, spellings in MARKS.items() if any(one in text for one in spellings)}


class PrivacyLevelTestCase(TrackFlowTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.logs = log_files()
		self.errors = set(frappe.get_all("Error Log", pluck="name"))

	def flood(
		self, headers: dict[str, str] | None = None, consent: str | None = "granted", **domain: Any
	) -> None:
		"""Clicks, wrong passwords and events of somebody at two addresses, not drained."""
		self.key = make_domain(SHOP, **domain).public_key
		make_link("spring", domain=SHOP)
		make_link("locked", domain=SHOP, password="sesame")
		cookies = {
			"trackflow_visitor": "v_00000000000000aa",
			**({"trackflow_consent": consent} if consent else {}),
		}
		typed = {"first_name": FIRST, "last_name": LAST, "email": EMAIL, "card": CARD}
		for number, address in enumerate(ADDRESSES):
			options = {
				"headers": headers or {},
				"host": SHOP,
				"agent": BROWSER,
				"cookies": cookies,
				"address": address,
			}
			self.assertEqual(self.get("/r/spring", **options).status_code, 302)
			self.request("POST", "/r/locked", data={"password": "wrong"}, **options)
			# As a proxy says it.
			self.get(
				"/r/spring",
				**{
					**options,
					"address": "127.0.0.1",
					"headers": {**(headers or {}), "X-Forwarded-For": address},
				},
			)
			said = {"consent": consent} if consent else {}
			events = (
				event(f"page-{number}", **said),
				event(
					f"form-{number}",
					type="FORM_SUBMIT",
					properties={"fields": ["email"], "values": typed, "card": CARD},
					**said,
				),
				event(f"name-{number}", type="IDENTIFY", properties={"email": SAID, "card": CARD}, **said),
				event(
					f"wrong-{number}",
					type="FORM_SUBMIT",
					properties={"values": typed},
					timestamp="never",
					**said,
				),
			)
			path = "/api/method/trackflow.api.tracking.track_event"
			sent = {"Content-Type": "text/plain", "Origin": f"https://{SHOP}", **(headers or {})}
			answer = self.request("POST", path, data=batch(self.key, *events), **{**options, "headers": sent})
			self.assertEqual(answer.json["accepted"], 3, answer.text)

	def on_the_way(self) -> set[str]:
		"""What can be recognised in Redis and in the spool."""
		texts = [*keys_of(queue_redis()), *keys_of(frappe.cache)]
		texts += [path.read_text(errors="replace") for path in spool.folder().glob("*")]
		return found_in("\n".join(texts))

	def stored(self) -> dict[str, set[tuple[str, str]]]:
		"""Where what can be recognised stands once all is stored: by mark, DocTypes and fields; logs and Redis too."""
		drain()
		frappe.db.rollback()
		places: dict[str, set[tuple[str, str]]] = {}
		for doctype, field, text in tables():
			for mark in found_in(text):
				places.setdefault(mark, set()).add((doctype, field))
		for path in log_files():
			with path.open(errors="replace") as file:
				file.seek(self.logs.get(path, 0))
				for mark in found_in(file.read()):
					places.setdefault(mark, set()).add(("log", path.name))
		for mark in self.on_the_way():
			places.setdefault(mark, set()).add(("redis", ""))
		return places


class TestLevels(PrivacyLevelTestCase):
	"""COL-7, RED-5: what each level keeps, and that the rest is in no table, key, file or log."""

	def check(
		self, expected: dict[str, set[tuple[str, str]]], settings: dict[str, Any] | None = None, **case: Any
	) -> None:
		with self.subTest(**case):
			set_settings(**(settings or {}))
			self.flood(**case)
			self.assertLessEqual(self.on_the_way(), expected.keys())
			self.assertEqual(self.stored(), expected)
		self.tearDown()
		self.setUp()

	def test_standard(self) -> None:
		everything = {ADDRESS: OF_ADDRESS, AGENT: OF_AGENT, SAID: OF_PERSON}
		without_address = {AGENT: OF_AGENT, SAID: OF_PERSON}
		self.check(everything)
		self.check(without_address, {"anonymize_ip_addresses": 1})
		self.check(without_address, hash_address=1)
		self.check(without_address, collect_address=0)

	def test_gdpr(self) -> None:
		self.check({AGENT: OF_AGENT, SAID: OF_PERSON}, privacy_level="GDPR", consent_required=1)
		self.check({AGENT: OF_AGENT}, privacy_level="GDPR", consent_required=1, consent=None)
		self.check({AGENT: OF_AGENT}, privacy_level="GDPR", consent_required=1, consent="denied")

	def test_hipaa(self) -> None:
		self.check({}, privacy_level="HIPAA")
		self.check({}, {"collect_form_values": 1}, privacy_level="HIPAA")

	def test_who_asks_not_to_be_tracked(self) -> None:
		for headers in ({"DNT": "1"}, {"Sec-GPC": "1"}):
			for level in ("Standard", "GDPR"):
				self.check(
					{AGENT: OF_AGENT}, {"collect_form_values": 1}, headers=headers, privacy_level=level
				)
			self.check({}, headers=headers, privacy_level="HIPAA")

	def test_form_values(self) -> None:
		"""First name, last name, e-mail, where level and setting allow it; nothing else, nowhere."""
		values = dict.fromkeys((FIRST, LAST, EMAIL), OF_FORM)
		collected = {"collect_form_values": 1}
		kept = {AGENT: OF_AGENT, SAID: OF_PERSON}
		self.check({ADDRESS: OF_ADDRESS, **kept, **values}, collected)
		self.check({ADDRESS: OF_ADDRESS, **kept}, {"collect_form_values": 0})
		self.check({**kept, **values}, collected, privacy_level="GDPR")
		self.check(kept, collected, privacy_level="GDPR", consent=None)
		self.check({AGENT: OF_AGENT}, collected, privacy_level="GDPR", consent=None, consent_required=1)
		self.check({ADDRESS: OF_ADDRESS, AGENT: OF_AGENT}, collected, consent=None, consent_required=1)


class TestWaysAside(PrivacyLevelTestCase):
	"""COL-7: the spool, the Click Queue and the logs hold no more than the tables may."""

	def test_the_spool(self) -> None:
		for level, expected in (
			("Standard", {ADDRESS, AGENT, SAID}),
			("GDPR", {AGENT, SAID}),
			("HIPAA", set()),
		):
			with self.subTest(level), patch("trackflow.stream.writer.connection.connect", dead_redis):
				self.flood(privacy_level=level)
			spooled = "\n".join(path.read_text() for path in spool.folder().glob("*"))
			self.assertIn("page-0", spooled)
			self.assertEqual(found_in(spooled), expected)
			self.tearDown()
			self.setUp()

	def test_what_cannot_be_stored(self) -> None:
		for level, expected in (
			("Standard", {ADDRESS, AGENT, SAID}),
			("GDPR", {AGENT, SAID}),
			("HIPAA", set()),
		):
			with self.subTest(level):
				self.flood(privacy_level=level)
				with patch.object(store, "_store_batch", side_effect=ValueError("broken")):
					places = self.stored()
				self.assertGreater(frappe.db.count("Click Queue"), 0)
				self.assertEqual(places.keys(), expected)
				new = set(frappe.get_all("Error Log", pluck="name")) - self.errors
				texts = frappe.get_all("Error Log", {"name": ("in", [*new, ""])}, pluck="error")
				self.assertEqual(found_in("\n".join(filter(None, texts))), set())
			self.tearDown()
			self.setUp()


class TestSalts(PrivacyLevelTestCase):
	"""RED-5, COL-7: the day's key dies after 48 hours and is nowhere else."""

	def test_it_lives_in_redis_alone_and_dies(self) -> None:
		keys._day_keys.clear()
		key = keys.day_key()
		redis = queue_redis()
		(name,) = redis.keys(connection.key("day-key:*").replace("{", "[{]").replace("}", "[}]"))
		self.assertEqual(redis.get(name), key)
		self.assertTrue(48 * 3600 - 60 <= redis.ttl(name) <= 48 * 3600)
		self.assertFalse(
			[text for _doctype, _field, text in tables() if key.hex() in text or repr(key) in text]
		)

	def test_nobody_prolongs_it(self) -> None:
		keys._day_keys.clear()
		name = connection.key(f"day-key:{keys.datetime.now(keys.UTC).date().isoformat()}")
		keys.day_key()
		redis = queue_redis()
		redis.expire(name, 5)
		keys._day_keys.clear()
		self.flood(privacy_level="GDPR")
		self.assertLessEqual(redis.ttl(name), 5)


class TestOnTheEdge(PrivacyLevelTestCase):
	"""COL-7, RED-10: the edge keeps no more than the site does; its places come from the same function (COL-8)."""

	def test_each_level(self) -> None:
		if not is_shared():
			self.skipTest("an edge is another process: it sees neither an in-process Redis nor this SQLite")
		for level, expected, place in (
			(
				"Standard",
				{ADDRESS: {("Click Event", "ip_address"), ("Visitor", "ip_address")}, AGENT: OF_AGENT},
				"Linz",
			),
			("GDPR", {AGENT: OF_AGENT}, "Linz"),
			("HIPAA", {}, ""),
		):
			with self.subTest(level):
				self.assert_kept(level, expected, place)
			self.tearDown()
			self.setUp()

	def assert_kept(self, level: str, expected: dict[str, set[tuple[str, str]]], city: str) -> None:
		make_domain(SHOP, privacy_level=level)
		make_link("spring", domain=SHOP)
		keys._day_keys.clear()
		frappe.db.commit()
		queue_redis().set(connection.key(DUE_KEY), 1, ex=300)
		headers = {"CF-IPCountry": "AT", "CF-IPCity": "Linz"}
		with Edge() as edge:
			for address in ADDRESSES:
				answer = edge.get("/r/spring", host=SHOP, address=address, agent=BROWSER, headers=headers)
				self.assertEqual(answer.status_code, 302)
		expected = {mark: places - {("Visitor Event", "user_agent")} for mark, places in expected.items()}
		self.assertEqual(self.stored(), expected)
		rows = frappe.get_all("Click Event", fields=["country", "city"], order_by="name")
		self.assertEqual([(row.country, row.city or "") for row in rows], [("AT", city)] * 2)
