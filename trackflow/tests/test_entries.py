"""What an entry of the stream holds (RED-7). Pure."""

import json
import unittest
from math import isnan
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from trackflow.redirect.answer import Click
from trackflow.stream import entries
from trackflow.tracking.rows import click_row

RECORDS = [
	{"id": "a", "at": 1.5, "utm": {}, "referrer": 'é漢🎉 "quoted"', "none": None, "is": True},
	{"id": "b"},
]


def click(*device: str) -> Click:
	return Click(
		"id", 1.5, "link", "code", "", "", "Click", "", True, "https://go.example/r/code", "https://shop.example/", "",
		{"utm_source": "news"}, "visitor", False, "192.0.2.1", "agent", False, "", False, "AT", "Vienna", "Wien", *device,
	)  # fmt: skip


class TestEntries(unittest.TestCase):
	"""RED-7: every entry is read as it was written, also where the fast library refuses."""

	def test_what_is_written_is_read(self) -> None:
		for entry in (entries.encode(RECORDS), json.dumps(RECORDS).encode()):
			self.assertEqual(entries.decode(entry), RECORDS)

	def test_what_the_fast_library_refuses(self) -> None:
		half = [{"id": "\ud83d"}]
		self.assertEqual(entries.decode(entries.encode(half)), half)
		clicks = [replace(click(), user_agent="\ud83d"), click()]
		self.assertEqual(
			[one["user_agent"] for one in entries.decode(entries.encode(clicks))], ["\ud83d", "agent"]
		)
		(record,) = entries.decode(b'[{"at": NaN}]')
		self.assertTrue(isnan(record["at"]))

	def test_a_click_says_what_the_drain_stores(self) -> None:
		(record,) = entries.decode(entries.encode([click()]))
		row = click_row(record, ZoneInfo("UTC"))
		self.assertEqual((record["kind"], row["name"], row["visitor_id"]), ("click", "id", "visitor"))
		self.assertEqual((row["country"], row["city"], row["utm_source"]), ("AT", "Wien", "news"))
		self.assertNotIn("device_type", record)
		(record,) = entries.decode(entries.encode([click("Tablet", "Safari", "iOS")]))
		self.assertEqual(
			(record["device_type"], record["browser"], record["os"]), ("Tablet", "Safari", "iOS")
		)

	def test_what_is_no_record_is_left_out(self) -> None:
		self.assertEqual(entries.decode(b'[5, {"id": "a"}, null, ["x"]]'), [{"id": "a"}])
		for entry in (b"no json", b"", b"5", b'{"id": "a"}', b"\xff"):
			with self.assertRaises(ValueError):
				entries.decode(entry)
		self.assertEqual(json.loads(entries.encode([])), [])
