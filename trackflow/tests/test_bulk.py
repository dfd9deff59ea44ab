"""Many rows at once: what is written is what is read, whatever visitors put into it (DATA-2, SEC-2)."""

from datetime import datetime, timedelta

import frappe

from trackflow import bulk
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.properties import given, settings, st

DOCTYPE = "Click Event"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, 890)
# What has a meaning to SQL, to the driver's formatting, to Frappe, or to the way texts are escaped together.
PIECES = (
	"'", '"', "\\", "\\'", "`", "\x1f", "\x00", "\n", "\r", "\x1a", "%", "%s", "%(name)s", "%%", "?", "(?)", "{0}", ";", "--", "/*",
	"ifnull(", "IFNULL(", "ifnull\\(", "coalesce(", "');drop table x;--", "a", " ", "é", "漢", "🎉", "\u2028", "NULL", "ñ'",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=6).map("".join)
# A lone surrogate is no text that a database could keep; the door crops it (tests of the collector and the redirect).
TEXTS = TEXTS.filter(lambda text: not any(0xD800 <= ord(char) <= 0xDFFF for char in text))


def row(number: int, **values: object) -> dict[str, object]:
	return {"name": f"bulk-{number:04d}", "click_timestamp": MOMENT + timedelta(seconds=number), **values}


class TestBulk(TrackFlowTestCase):
	def stored(self, *fields: str) -> list[tuple]:
		names = ("like", "bulk-%")
		found = frappe.get_all(DOCTYPE, {"name": names}, ["name", *fields], order_by="name", as_list=True)
		return [tuple(one[1:]) for one in found]

	def empty(self) -> None:
		frappe.db.delete(DOCTYPE, {"name": ("like", "bulk-%")})

	@settings(max_examples=60)
	@given(st.lists(st.tuples(TEXTS, st.none() | TEXTS, st.integers(0, 1)), min_size=1, max_size=8))
	def test_what_is_inserted_is_what_is_read(self, wanted: list[tuple]) -> None:
		self.empty()
		rows = [
			row(number, user_agent=agent, referrer=referrer, is_bot=robot)
			for number, (agent, referrer, robot) in enumerate(wanted)
		]
		bulk.insert(DOCTYPE, rows)
		expected = [(agent or None, referrer or None, robot) for agent, referrer, robot in wanted]
		self.assertEqual(self.stored("user_agent", "referrer", "is_bot"), expected)

	@settings(max_examples=40)
	@given(st.lists(TEXTS, min_size=1, max_size=6))
	def test_what_is_changed_is_what_is_read(self, texts: list[str]) -> None:
		self.empty()
		bulk.insert(DOCTYPE, [row(number, user_agent="old") for number in range(len(texts))])
		changes = {f"bulk-{number:04d}": {"user_agent": text} for number, text in enumerate(texts)}
		bulk.update(DOCTYPE, changes | {"bulk-gone": {"user_agent": "x"}})
		self.assertEqual(self.stored("user_agent"), [(text or None,) for text in texts])

	@settings(max_examples=40)
	@given(st.lists(TEXTS.map(lambda text: f"x{text}x"), min_size=1, max_size=5, unique=True), TEXTS)
	def test_the_rows_that_have_one_of_these_texts(self, texts: list[str], other: str) -> None:
		self.empty()
		rows = [row(number, user_agent=text) for number, text in enumerate([*texts, f"y{other}"])]
		bulk.insert(DOCTYPE, rows)
		found = bulk.load(DOCTYPE, {"user_agent": ("in", texts)}, ["user_agent"])
		# MariaDB's collation takes some texts for equal that are not; those asked for are found in any case.
		self.assertTrue({f"bulk-{number:04d}" for number in range(len(texts))} <= found.keys())

	def test_mixed_columns_and_missing_fields(self) -> None:
		rows = [
			row(1, user_agent="a"),
			row(2, referrer="b"),
			row(3, user_agent=None, click_timestamp=None),
		]
		bulk.insert(DOCTYPE, rows)
		self.assertEqual(
			self.stored("user_agent", "referrer", "click_timestamp"),
			[
				("a", None, MOMENT + timedelta(seconds=1)),
				(None, "b", MOMENT + timedelta(seconds=2)),
				(None, None, None),
			],
		)

	def test_figures_are_added_to_in_the_statement(self) -> None:
		link = frappe.get_doc(doctype="Tracked Link", target_url="https://shop.example.com/").insert()
		for _time in range(2):
			bulk.add("Tracked Link", {link.name: {"click_count": 2}, "none": {"click_count": 5}})
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "click_count"), 4)


class TestTexts(TrackFlowTestCase):
	"""DATA-4: what is written in bulk is what was meant, whatever the text."""

	TEXTS = (
		"plain", "", "it's", 'a "quote"', "back\\slash", "\\", "'; drop", "100 % %s %%s %(a)s", "line\nbreak\r\0", "\x1f",
		"a\x1fb\x1fc", "ifnull(a, b)", "IFNULL(", "x\\ifnull(", "`tick`", "snow ☃ 🎉", "?", "(?,?)",
	)  # fmt: skip

	def test_texts_come_back_as_they_were(self) -> None:
		rows = {f"b-{number}": text for number, text in enumerate(self.TEXTS)}
		bulk.insert("Click Event", [{"name": name, "referrer": text} for name, text in rows.items()])
		found = bulk.load("Click Event", {"name": ("in", list(rows))}, ["referrer"])
		self.assertEqual({name: row.referrer or "" for name, row in found.items()}, rows)
		turned = dict(zip(rows, reversed(self.TEXTS), strict=True))
		bulk.update("Click Event", {name: {"referrer": text} for name, text in turned.items()})
		found = bulk.load("Click Event", {"name": ("in", list(rows))}, ["referrer"])
		self.assertEqual({name: row.referrer or "" for name, row in found.items()}, turned)
		table = frappe.qb.DocType("Click Event")
		for text in filter(None, self.TEXTS):
			query = frappe.qb.from_(table).select(table.name).where(bulk.among(table.referrer, [text]))
			self.assertIn(("b-" + str(list(turned.values()).index(text)),), query.run())

	def test_what_is_gone_is_not_made_anew(self) -> None:
		bulk.update("Click Event", {"never": {"referrer": "x"}})
		bulk.add("Tracked Link", {"never": {"click_count": 1}})
		self.assertEqual((frappe.db.count("Click Event"), frappe.db.count("Tracked Link")), (0, 0))

	def test_what_no_column_holds_is_refused(self) -> None:
		if frappe.db.db_type != "mariadb":
			self.skipTest("SQLite's driver has its own ways with lists")
		with self.assertRaises(Exception):
			bulk.insert("Click Event", [{"name": "x", "referrer": ["a"]}])
