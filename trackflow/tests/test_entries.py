"""What an entry of the stream holds (RED-7). Pure."""

import json
import unittest
from math import isnan

from trackflow.stream import entries

RECORDS = [
	{"id": "a", "at": 1.5, "utm": {}, "referrer": 'é漢🎉 "quoted"', "none": None, "is": True},
	{"id": "b"},
]


class TestEntries(unittest.TestCase):
	"""RED-7: every entry is read as it was written, also where the fast library refuses."""

	def test_what_is_written_is_read(self) -> None:
		for entry in (entries.encode(RECORDS), json.dumps(RECORDS).encode()):
			self.assertEqual(entries.decode(entry), RECORDS)

	def test_what_the_fast_library_refuses(self) -> None:
		half = [{"id": "\ud83d"}]
		self.assertEqual(entries.decode(entries.encode(half)), half)
		(record,) = entries.decode(b'[{"at": NaN}]')
		self.assertTrue(isnan(record["at"]))

	def test_what_is_no_record_is_left_out(self) -> None:
		self.assertEqual(entries.decode(b'[5, {"id": "a"}, null, ["x"]]'), [{"id": "a"}])
		for entry in (b"no json", b"", b"5", b'{"id": "a"}', b"\xff"):
			with self.assertRaises(ValueError):
				entries.decode(entry)
		self.assertEqual(json.loads(entries.encode([])), [])
