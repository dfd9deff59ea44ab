"""Archive files as such, without a site: what they hold, and that a damaged one is never taken for a whole one (RET-1)."""

import gzip
import json
import tempfile
import unittest
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from trackflow.privacy.archive import draft, layout
from trackflow.privacy.archive.draft import Draft
from trackflow.privacy.archive.layout import LayoutError
from trackflow.privacy.personal import BY_DOCTYPE
from trackflow.tests.properties import given, st

AT = datetime(2024, 5, 6, 7, 8, 9, 123456)
TABLES = tuple(layout.TIMES)
VALUES = (
	st.none() | st.text() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
)


def row(doctype: str = "Click Event", name: str = "a", **values: Any) -> dict[str, Any]:
	"""A row of which every field says something."""
	table = BY_DOCTYPE[doctype]
	full = {field: f"{field} of {name}" for field in (*table.empties, *layout.fields(doctype))}
	times = {"creation": AT, "modified": AT, layout.TIMES[doctype]: AT}
	return {
		**full,
		**times,
		"name": name,
		"visitor_id": "v_00000000000000aa",
		"referrer": "https://a.example/p?q=1",
		**values,
	}


class FilesTestCase(unittest.TestCase):
	def setUp(self) -> None:
		super().setUp()
		folder = tempfile.TemporaryDirectory()
		self.addCleanup(folder.cleanup)
		self.folder = Path(folder.name)

	def made(self, *rows: dict[str, Any], doctype: str = "Click Event", key: bytes = b"key") -> Path:
		one = Draft(self.folder, doctype, date(2024, 5, 6))
		for some in rows:
			one.add(layout.nobodys(doctype, some, key))
		return one.close("1.2.3", "Europe/Berlin")

	def lines(self, path: Path) -> list[bytes]:
		return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


class TestWhatIsInIt(FilesTestCase):
	"""A header that says how to read it, and rows that are nobody's."""

	def test_nothing_personal(self) -> None:
		for doctype in TABLES:
			text = b"".join(self.lines(self.made(row(doctype), doctype=doctype))).decode()
			for field in BY_DOCTYPE[doctype].empties:
				self.assertNotIn(f'"{field} of a', text, (doctype, field))
			self.assertNotIn("v_00000000000000aa", text)
			self.assertNotIn("/p?q", text)

	def test_what_figures_rest_on(self) -> None:
		_header, rows = draft.read(self.made(row()))
		(found,) = rows
		for field in BY_DOCTYPE["Click Event"].keeps:
			if field not in ("referrer", "click_timestamp"):
				self.assertEqual(found[field], f"{field} of a")
		self.assertEqual((found["referrer"], found["click_timestamp"]), ("https://a.example/", str(AT)))
		self.assertRegex(found["visitor_id"], r"\Ae_[0-9a-f]{16}\Z")

	def test_a_visitor_is_one_within_a_day_and_nobody_beyond(self) -> None:
		one, other = row(), row(name="b", visitor_id="v_00000000000000bb")
		ids = [
			layout.nobodys("Click Event", some, key)["visitor_id"]
			for key in (b"1", b"2")
			for some in (one, one, other)
		]
		self.assertEqual((ids[0], len(set(ids))), (ids[1], 4))
		again = layout.nobodys("Click Event", row(visitor_id=ids[0]), b"3")["visitor_id"]
		self.assertEqual(again, ids[0])
		self.assertIsNone(layout.nobodys("Click Event", row(visitor_id=None), b"1")["visitor_id"])

	def test_header(self) -> None:
		path = self.made(row(), row(name="b", click_timestamp=AT + timedelta(hours=1)))
		said = json.loads(self.lines(path)[0])
		self.assertEqual(
			{key: value for key, value in said.items() if key not in ("fields", "sha256")},
			{
				"format": "trackflow-archive", "version": 1, "doctype": "Click Event", "rows": 2, "first": "a", "last": "b",
				"from_time": "2024-05-06 07:08:09.123456", "until_time": "2024-05-06 08:08:09.123456",
				"app_version": "1.2.3", "time_zone": "Europe/Berlin",
			},
		)  # fmt: skip
		self.assertEqual(tuple(said["fields"]), layout.fields("Click Event"))
		self.assertEqual(path.name, f"click-event_2024-05-06_a_b_{said['sha256'][:16]}.jsonl.gz")
		self.assertEqual(draft.check(path).rows, 2)

	def test_the_same_rows_are_the_same_bytes(self) -> None:
		first = self.made(row())
		content = first.read_bytes()
		first.unlink()
		self.assertEqual(self.made(row()).read_bytes(), content)

	def test_names_of_rows_lead_nowhere(self) -> None:
		path = self.made(row(name="../../etc/passwd\n"))
		self.assertEqual(path.parent, self.folder)
		self.assertRegex(path.name, r"\A[a-z0-9-]+_[\d-]+(_[A-Za-z0-9-]+){3}\.jsonl\.gz\Z")

	@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=20))
	def test_what_is_written_is_read(self, values: list[tuple[Any, Any]]) -> None:
		texts = [tuple(_storable(one) for one in pair) for pair in values]
		rows = [
			{**row(name=f"n{number}"), "short_code": one, "variant": other}
			for number, (one, other) in enumerate(texts)
		]
		path = self.made(*rows)
		_header, found = draft.read(path)
		self.assertEqual([(some["short_code"], some["variant"]) for some in found], texts)
		self.assertEqual([path.name for path in self.folder.iterdir()], [path.name])
		path.unlink()


def _storable(value: Any) -> Any:
	"""No database keeps half a surrogate pair."""
	return value.encode("utf-8", "ignore").decode() if isinstance(value, str) else value


class TestDamage(FilesTestCase):
	"""No file is read that is not whole, and nothing but what TrackFlow archives."""

	def assert_refused(self, content: bytes, words: str = "") -> None:
		path = self.folder / "damaged.jsonl.gz"
		path.write_bytes(content)
		with self.assertRaisesRegex(LayoutError, words):
			draft.check(path)

	def test_every_byte_counts(self) -> None:
		content = self.made(row(), row(name="b")).read_bytes()
		for at in range(len(content)):
			broken = bytearray(content)
			broken[at] ^= 0x55
			path = self.folder / "broken.jsonl.gz"
			path.write_bytes(broken)
			try:
				header, rows = draft.read(path)
				found = list(rows)
			except LayoutError:
				continue
			# Bytes of gzip's own head say nothing (its time, its system).
			self.assertEqual((header.rows, [some["name"] for some in found]), (2, ["a", "b"]), at)

	def test_every_cut_is_seen(self) -> None:
		content = self.made(row(), row(name="b")).read_bytes()
		for size in range(len(content)):
			self.assert_refused(content[:size])

	def test_what_is_no_archive(self) -> None:
		lines = self.lines(self.made(row()))
		header = json.loads(lines[0])

		def packed(*some: bytes, **changes: Any) -> bytes:
			return gzip.compress(
				json.dumps({**header, **changes}).encode() + b"\n" + b"".join(some or lines[1:])
			)

		self.assert_refused(b"", "empty")
		self.assert_refused(b"PK\x03\x04 something", "unpacked")
		self.assert_refused(gzip.compress(b"name,value\n"), "not JSON")
		self.assert_refused(gzip.compress(b"[1]\n"), "no archive")
		self.assert_refused(packed(version=2), "update TrackFlow")
		self.assert_refused(packed(doctype="User"), "no table")
		self.assert_refused(packed(fields=["click_timestamp"]), "no fields")
		self.assert_refused(packed(fields=["name", "name"]), "twice")
		self.assert_refused(packed(rows="1"), "how many")
		self.assert_refused(packed(sha256="0" * 64), "damaged")
		self.assert_refused(packed(rows=2), "damaged")
		self.assert_refused(packed(b'["a"]\n'), "as many values")
		self.assert_refused(packed(json.dumps([{}] * len(header["fields"])).encode() + b"\n"), "no value")
		self.assert_refused(packed(json.dumps([1] * len(header["fields"])).encode() + b"\n"), "no name")
		self.assert_refused(gzip.compress(b"[" * 100_000), "JSON")
		self.assert_refused(gzip.compress(b" " * (layout.LONGEST_LINE + 1)), "longer")

	def test_fields_of_other_times(self) -> None:
		"""What there is no more is left out, what there was not yet stays empty."""
		found = layout.stored(
			{"name": "a", "gone": "x", "click_timestamp": str(AT)},
			{"name", "click_timestamp"},
			{"click_timestamp"},
		)
		self.assertEqual(found, {"name": "a", "click_timestamp": AT})
		with self.assertRaises(LayoutError):
			layout.stored(
				{"name": "a", "click_timestamp": "yesterday"},
				{"name", "click_timestamp"},
				{"click_timestamp"},
			)
