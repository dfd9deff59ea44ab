"""What TrackFlow relies on of its host, part two: `frappe.db` and `frappe.qb` (HOST-2, DATA-3, DATA-4).

Rows that the app writes in bulk must come back with the types, the order and the notion of "empty" that MariaDB
gives.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Max, Min, Sum
from frappe.utils import now_datetime
from pypika.analytics import Sum as OfAll
from pypika.terms import Function, ValueWrapper

from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import make_campaign, make_link, make_visitor

DAY = datetime(2026, 3, 1, 12, 30, 15, 250000)
FIELDS = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"docstatus",
	"idx",
	"visitor_id",
	"occurred_at",
)
TEXTS = ("channel", "source")


def insert(name: str, days: float = 0, source: str | None = "a", channel: str | None = "Email") -> str:
	"""A Touch Point, past the document lifecycle."""
	at = DAY + timedelta(days=days)
	row = [name, DAY, DAY, "Administrator", "Administrator", 0, 0, "v_00000000000000aa", at, channel, source]
	frappe.db.bulk_insert("Touch Point", [*FIELDS, *TEXTS], [row])
	return name


def names(filters: Any = None, **options: Any) -> list[str]:
	"""The Touch Points that match."""
	return frappe.get_all("Touch Point", filters=filters, pluck="name", order_by="name", **options)


class DatabaseTestCase(TrackFlowTestCase):
	"""Five Touch Points, a day apart, of which one has no source and one an empty one."""

	def setUp(self) -> None:
		super().setUp()
		for number, (name, source) in enumerate(zip("abcde", ("x", "X", "y", None, ""), strict=True)):
			insert(name, number, source)


class TestReading(DatabaseTestCase):
	"""HOST-2: get_value, get_all, exists, count."""

	def test_get_value(self) -> None:
		get = frappe.db.get_value
		self.assertEqual(get("Touch Point", "a", "source"), "x")
		self.assertEqual(get("Touch Point", "a", ["name", "source"]), ("a", "x"))
		self.assertEqual(
			get("Touch Point", "a", ("name", "source"), as_dict=True), {"name": "a", "source": "x"}
		)
		self.assertEqual(get("Touch Point", {"source": "y"}), "c")
		self.assertEqual(get("Touch Point", {"source": "y", "channel": ("!=", "Email")}), None)
		self.assertEqual(get("Touch Point", "none", "source"), None)
		self.assertEqual(get("Touch Point", "none", ["name", "source"]), None)
		self.assertEqual(get("Touch Point", "none", ["name", "source"], as_dict=True), None)
		self.assertEqual(get("Touch Point", {"name": ("in", ["d", "e"])}, "name", order_by="name desc"), "e")
		self.assertEqual(get("Touch Point", "a", "source as origin", as_dict=True), {"origin": "x"})

	def test_get_value_with_none_for_a_name_finds_nothing_of_a_table(self) -> None:
		make_campaign()
		self.assertIsNone(frappe.db.get_value("Link Campaign", {"name": None}, "name"))

	def test_exists_and_count(self) -> None:
		self.assertEqual(frappe.db.exists("Touch Point", "a"), "a")
		self.assertFalse(frappe.db.exists("Touch Point", "none"))
		self.assertEqual(frappe.db.exists("Touch Point", {"source": "y"}), "c")
		self.assertFalse(frappe.db.exists("Touch Point", {"source": "none"}))
		self.assertEqual(frappe.db.exists("DocType", "Touch Point"), "Touch Point")
		self.assertFalse(frappe.db.exists("DocType", "No Such DocType"))
		self.assertEqual(
			(frappe.db.count("Touch Point"), frappe.db.count("Touch Point", {"source": "y"})), (5, 1)
		)
		self.assertEqual(frappe.db.count("Touch Point", {"name": ("in", ["a", "b", "z"])}), 2)

	def test_shapes_of_get_all(self) -> None:
		get = frappe.get_all
		self.assertEqual(get("Touch Point", pluck="source", order_by="name", limit=2), ["x", "X"])
		self.assertEqual(
			get("Touch Point", {"name": "a"}, ["name", "source"]), [{"name": "a", "source": "x"}]
		)
		self.assertEqual(get("Touch Point", {"name": "a"}, ["name", "source"])[0].source, "x")
		self.assertEqual(get("Touch Point", {"name": "a"}), [{"name": "a"}])
		self.assertEqual(get("Touch Point", {"name": "a"}, ["name", "source"], as_list=True), (("a", "x"),))
		(row,) = get("Touch Point", {"name": "a"}, ["*"])
		self.assertLessEqual({*FIELDS, *TEXTS}, row.keys())
		self.assertEqual(names(limit_start=1, limit_page_length=2), ["b", "c"])
		self.assertEqual(len(names()), 5)
		self.assertEqual(get("Touch Point", {"name": "none"}), [])

	def test_order(self) -> None:
		ordered = frappe.get_all("Touch Point", pluck="name", order_by="occurred_at desc, name")
		self.assertEqual(ordered, ["e", "d", "c", "b", "a"])
		insert("f", 4)
		self.assertEqual(
			frappe.get_all("Touch Point", pluck="name", order_by="occurred_at desc, name")[:2], ["e", "f"]
		)

	def test_distinct_and_group(self) -> None:
		channels = frappe.get_all("Touch Point", pluck="channel", distinct=True, order_by="channel")
		self.assertEqual(channels, ["Email"])

	def test_single_rows_of_defaults(self) -> None:
		frappe.db.set_global("trackflow_contract", "1")
		stored = frappe.db.get_value(
			"DefaultValue", {"parent": "__global", "defkey": "trackflow_contract"}, "defvalue"
		)
		self.assertEqual(stored, "1")
		frappe.db.set_global("trackflow_contract", None)
		left = frappe.db.exists("DefaultValue", {"parent": "__global", "defkey": "trackflow_contract"})
		self.assertFalse(left)
		self.assertIsNone(frappe.db.get_default("trackflow_contract"))


class TestFilters(DatabaseTestCase):
	"""HOST-2: every operator that the app uses, and what it takes for empty."""

	def test_operators(self) -> None:
		expected = {
			("=", "y"): ["c"],
			("in", ("x", "y")): ["a", "b", "c"],
			("like", "x%"): ["a", "b"],
			("is", "set"): ["a", "b", "c"],
			("is", "not set"): ["d", "e"],
		}
		for (operator, value), found in expected.items():
			with self.subTest(operator):
				value = list(value) if isinstance(value, tuple) else value
				self.assertEqual(names({"source": (operator, value)}), found)
				self.assertEqual(names([["source", operator, value]]), found)
				self.assertEqual(names([["Touch Point", "source", operator, value]]), found)

	def test_null_is_empty(self) -> None:
		self.assertEqual(names({"source": ""}), ["d", "e"])
		self.assertEqual(names({"source": ("in", ["", "y"])}), ["c", "d", "e"])
		self.assertEqual(names({"source": ("!=", "x")}), ["c", "d", "e"])
		self.assertEqual(names({"source": ("not in", ["x"])}), ["c", "d", "e"])
		self.assertEqual(names({"source": ("is", "set"), "name": ("!=", "a")}), ["b", "c"])

	def test_comparison(self) -> None:
		self.assertEqual(names({"name": (">", "c")}), ["d", "e"])
		self.assertEqual(names([["name", ">=", "b"], ["name", "<", "d"]]), ["b", "c"])
		self.assertEqual(names({"occurred_at": ("<=", DAY + timedelta(days=1))}), ["a", "b"])
		self.assertEqual(names({"occurred_at": (">", DAY + timedelta(days=3))}), ["e"])
		self.assertEqual(names({"occurred_at": (">=", date(2026, 3, 4))}), ["d", "e"])
		self.assertEqual(names({"occurred_at": (">=", "2026-03-04 12:30:15.250000")}), ["d", "e"])

	def test_between_takes_both_ends(self) -> None:
		ends = [DAY + timedelta(days=1), DAY + timedelta(days=3)]
		self.assertEqual(names({"occurred_at": ("between", ends)}), ["b", "c", "d"])
		inside = [ends[0] + timedelta(microseconds=1), ends[1] - timedelta(microseconds=1)]
		self.assertEqual(names({"occurred_at": ("between", inside)}), ["c"])
		days = [date(2026, 3, 2), date(2026, 3, 4)]
		self.assertEqual(names({"occurred_at": ("between", days)}), ["b", "c", "d"])

	def test_empty_lists(self) -> None:
		self.assertEqual(names({"name": ("in", [])}), [])
		self.assertEqual(names({"name": ("in", [""])}), [])
		self.assertEqual(names({"name": ("not in", [])}), list("abcde"))

	def test_several_names(self) -> None:
		self.assertEqual(names({"name": ("in", {"a", "c"})}), ["a", "c"])
		self.assertEqual(names({"name": ("in", ("a", "c"))}), ["a", "c"])

	def test_comparison_ignores_case(self) -> None:
		self.assertEqual(names({"source": "X"}), ["a", "b"])
		self.assertEqual(names({"name": "A"}), ["a"])
		self.assertEqual(names({"source": ("in", ["X"])}), ["a", "b"])
		self.assertEqual(frappe.db.get_value("Touch Point", "A", "name"), "a")

	def test_like_takes_percent_and_underscore_as_wildcards(self) -> None:
		insert("trackflow.links", source="a_b")
		self.assertEqual(names({"name": ("like", "trackflow.%")}), ["trackflow.links"])
		self.assertEqual(names({"name": ("like", "%FLOW%")}), ["trackflow.links"])
		self.assertEqual(names({"source": ("like", "a_b")}), ["trackflow.links"])

	def test_numbers_and_flags(self) -> None:
		make_link("abc", max_clicks=5)
		self.assertEqual(frappe.db.count("Tracked Link", {"max_clicks": (">", 4)}), 1)
		self.assertEqual(frappe.db.count("Tracked Link", {"max_clicks": "5", "forward_query": 0}), 1)
		self.assertEqual(frappe.db.count("Tracked Link", {"forward_query": 1}), 0)

	def test_quotes_and_wildcards_are_only_text(self) -> None:
		insert("odd", source='it\'s "100%" \\ {0} ü 漢 😀')
		self.assertEqual(frappe.db.get_value("Touch Point", "odd", "source"), 'it\'s "100%" \\ {0} ü 漢 😀')
		self.assertEqual(names({"source": 'it\'s "100%" \\ {0} ü 漢 😀'}), ["odd"])


class TestTypes(DatabaseTestCase):
	"""HOST-2: the types that come back, and what an unset column holds."""

	def test_of_columns(self) -> None:
		values = {
			"start_date": "2026-02-03",
			"budget": Decimal("12.5"),
			"target_roas": 3,
			"expected_roi": 7.5,
		}
		name = make_campaign(**values).name
		row = frappe.db.get_value("Link Campaign", name, [*values, "total_clicks", "creation"], as_dict=True)
		types = (date, float, float, float, int, datetime)
		self.assertEqual(tuple(type(value) for value in row.values()), types)
		self.assertEqual((row.start_date, row.budget, row.total_clicks), (date(2026, 2, 3), 12.5, 0))

	def test_of_microseconds(self) -> None:
		self.assertEqual(frappe.db.get_value("Touch Point", "a", "occurred_at"), DAY)
		insert("f", (datetime(2026, 1, 1) - DAY) / timedelta(days=1))
		self.assertEqual(frappe.db.get_value("Touch Point", "f", "occurred_at"), datetime(2026, 1, 1))

	def test_of_aggregates(self) -> None:
		touch = frappe.qb.DocType("Touch Point")
		columns = (
			Min(touch.occurred_at),
			Max(touch.occurred_at),
			Count("*"),
			Sum(touch.is_direct),
			Max(touch.source),
		)
		((least, most, number, direct, source),) = frappe.qb.from_(touch).select(*columns).run()
		self.assertEqual((least, most), (DAY, DAY + timedelta(days=4)))
		self.assertEqual((type(number), number, float(direct), source), (int, 5, 0.0, "y"))

	def test_of_sums_of_money(self) -> None:
		make_campaign("One", budget=0.1)
		make_campaign("Two", budget=0.2)
		table = frappe.qb.DocType("Link Campaign")
		((total,),) = frappe.qb.from_(table).select(Sum(table.budget)).run()
		self.assertEqual(round(float(total), 9), 0.3)
		((nothing,),) = frappe.qb.from_(table).select(Sum(table.budget)).where(table.name == "none").run()
		self.assertIsNone(nothing)

	def test_of_what_was_never_set(self) -> None:
		row = frappe.db.get_value(
			"Touch Point", "a", ["platform", "link_campaign", "is_direct"], as_dict=True
		)
		self.assertEqual(row, {"platform": None, "link_campaign": None, "is_direct": 0})
		name = make_campaign().name
		row = frappe.db.get_value("Link Campaign", name, ["platform", "start_date", "budget"], as_dict=True)
		self.assertEqual(row, {"platform": None, "start_date": None, "budget": 0})

	def test_null_and_empty_are_kept_apart_in_rows(self) -> None:
		self.assertEqual(
			frappe.get_all("Touch Point", pluck="source", order_by="name"), ["x", "X", "y", None, ""]
		)

	def test_of_weights(self) -> None:
		row = ["w", DAY, DAY, "Administrator", "Administrator", 0, 0, Decimal("0.333333333"), 0.1]
		fields = [*FIELDS[:7], "weight", "credited_value"]
		frappe.db.bulk_insert("Attribution Link", fields, [row])
		stored = frappe.db.get_value("Attribution Link", "w", ["weight", "credited_value"])
		self.assertEqual(stored, (0.333333333, 0.1))


class TestWriting(DatabaseTestCase):
	"""HOST-2: set_value, bulk_insert, bulk_update, delete."""

	def test_set_value(self) -> None:
		frappe.db.set_value("Touch Point", "a", "source", "new")
		frappe.db.set_value("Touch Point", "b", {"source": None, "medium": "m"}, update_modified=False)
		frappe.db.set_value(
			"Touch Point", {"name": ("in", ["c", "d"])}, "source", "both", update_modified=False
		)
		rows = frappe.get_all("Touch Point", fields=["source", "modified"], order_by="name")
		self.assertEqual([row.source for row in rows], ["new", None, "both", "both", ""])
		self.assertGreater(rows[0].modified, DAY)
		self.assertEqual({row.modified for row in rows[1:]}, {DAY})

	def test_bulk_insert_ignores_duplicates_only_if_told(self) -> None:
		row = [
			"a",
			DAY,
			DAY,
			"Administrator",
			"Administrator",
			0,
			0,
			"v_00000000000000bb",
			DAY,
			"Email",
			"other",
		]
		frappe.db.bulk_insert(
			"Touch Point", [*FIELDS, *TEXTS], [row, ["f", *row[1:]]], ignore_duplicates=True
		)
		self.assertEqual((names(), frappe.db.get_value("Touch Point", "a", "source")), (list("abcdef"), "x"))
		frappe.db.commit()
		with self.assertRaises(Exception) as caught:
			frappe.db.bulk_insert("Touch Point", [*FIELDS, *TEXTS], [row])
		self.assertTrue(frappe.db.is_duplicate_entry(caught.exception))
		frappe.db.rollback()
		self.assertFalse(frappe.db.is_duplicate_entry(ValueError("no")))

	def test_bulk_insert_in_chunks_and_of_none(self) -> None:
		rows = [
			[f"n{n:03}", DAY, DAY, "Administrator", "Administrator", 0, 0, None, DAY, None, None]
			for n in range(25)
		]
		frappe.db.bulk_insert("Touch Point", [*FIELDS, *TEXTS], rows, chunk_size=10)
		self.assertEqual(frappe.db.count("Touch Point", {"name": ("like", "n0%")}), 25)

	def test_bulk_update(self) -> None:
		changes = {"a": {"source": "1", "is_direct": 1}, "b": {"source": None, "is_direct": 0}}
		frappe.db.bulk_update("Touch Point", changes, update_modified=False)
		rows = frappe.get_all(
			"Touch Point", fields=["source", "is_direct", "modified"], order_by="name", limit=3
		)
		self.assertEqual([(row.source, row.is_direct) for row in rows], [("1", 1), (None, 0), ("y", 0)])
		self.assertEqual({row.modified for row in rows}, {DAY})

	def test_delete(self) -> None:
		frappe.db.delete("Touch Point", {"name": ("in", ["a", "b"])})
		self.assertEqual(names(), ["c", "d", "e"])
		frappe.db.delete("Touch Point", {"source": "y"})
		self.assertEqual(names(), ["d", "e"])
		frappe.db.delete("Touch Point")
		self.assertEqual(names(), [])

	def test_columns_tables_and_indexes(self) -> None:
		self.assertTrue(frappe.db.table_exists("Touch Point"))
		self.assertFalse(frappe.db.table_exists("No Such DocType"))
		self.assertTrue(frappe.db.has_column("Touch Point", "source"))
		self.assertFalse(frappe.db.has_column("Touch Point", "nonsense"))
		self.assertFalse(frappe.db.has_index("tabTouch Point", "no_such_index"))
		frappe.db.add_index("Tracked Link", ["campaign"], index_name="idx_tracked_link_campaign")
		self.assertTrue(frappe.db.has_index("tabTracked Link", "idx_tracked_link_campaign"))


class TestQueries(DatabaseTestCase):
	"""HOST-2: the query builder."""

	def test_select(self) -> None:
		touch = frappe.qb.DocType("Touch Point")
		query = (
			frappe.qb.from_(touch)
			.select(touch.name, touch.source)
			.where(touch.name.isin(["a", "c"]))
			.orderby(touch.name)
		)
		self.assertEqual(tuple(query.run()), (("a", "x"), ("c", "y")))
		self.assertEqual(
			query.run(as_dict=True), [{"name": "a", "source": "x"}, {"name": "c", "source": "y"}]
		)
		self.assertEqual(query.run(as_dict=True)[0].source, "x")
		self.assertEqual(len(query.for_update().run()), 2)
		self.assertEqual(query.run(pluck=True), ["a", "c"])
		nothing = frappe.qb.from_(touch).select(touch.name).where(touch.name == "none")
		self.assertEqual((len(nothing.run()), nothing.run(as_dict=True)), (0, []))

	def test_conditions(self) -> None:
		touch = frappe.qb.DocType("Touch Point")
		conditions = {
			"ab": touch.source == "X",
			"c": (touch.source == "y") & (touch.occurred_at > DAY),
			"cd": touch.source.isnull() | (touch.source == "y"),
			"abc": touch.occurred_at < DAY + timedelta(days=3),
			"de": touch.occurred_at >= DAY + timedelta(days=3),
		}
		for expected, condition in conditions.items():
			with self.subTest(expected):
				found = frappe.qb.from_(touch).select(touch.name).where(condition).orderby(touch.name).run()
				self.assertEqual("".join(name for (name,) in found), expected)

	def test_distinct_join_and_group(self) -> None:
		make_visitor("v_00000000000000aa", source="news")
		touch, visitor = frappe.qb.DocType("Touch Point"), frappe.qb.DocType("Visitor")
		found = frappe.qb.from_(touch).select(touch.visitor_id, touch.channel).distinct().run()
		self.assertEqual(tuple(found), (("v_00000000000000aa", "Email"),))
		joined = (
			frappe.qb.from_(touch)
			.join(visitor)
			.on(visitor.name == touch.visitor_id)
			.select(visitor.source, Count("*").as_("number"))
			.where(touch.name != "a")
			.groupby(visitor.source)
		)
		self.assertEqual(joined.run(as_dict=True), [{"source": "news", "number": 4}])

	def test_grouping_ignores_case(self) -> None:
		touch = frappe.qb.DocType("Touch Point")
		query = (
			frappe.qb.from_(touch)
			.select(Count("*"))
			.where(touch.source.isin(["x", "y"]))
			.groupby(touch.source)
		)
		self.assertEqual(sorted(number for (number,) in query.run()), [1, 2])

	def test_update(self) -> None:
		visitor = frappe.qb.DocType("Visitor")
		make_visitor("v_00000000000000aa", page_views=3)
		later = (
			Case()
			.when(visitor.last_activity.isnull() | (visitor.last_activity < DAY), DAY)
			.else_(visitor.last_activity)
		)
		update = (
			frappe.qb.update(visitor)
			.set(visitor.page_views, visitor.page_views + 2)
			.set(visitor.last_activity, later)
		)
		update.where(visitor.name == "v_00000000000000aa").run()
		row = frappe.db.get_value("Visitor", "v_00000000000000aa", ["page_views", "last_activity"])
		self.assertEqual(row, (5, DAY))
		frappe.qb.update(visitor).set(visitor.crm_lead, None).set(visitor["source"], "it's").run()
		self.assertEqual(
			frappe.db.get_value("Visitor", "v_00000000000000aa", ["crm_lead", "source"]), (None, "it's")
		)

	def test_sorting_ignores_case_and_puts_null_first(self) -> None:
		self.assertEqual(
			frappe.get_all("Touch Point", pluck="name", order_by="source, name"), ["d", "e", "a", "b", "c"]
		)


class TestDerivedTables(DatabaseTestCase):
	"""RPT-1: sums of sums, and results that are too large to be held."""

	def last(self) -> Any:
		touch = frappe.qb.DocType("Touch Point")
		query = frappe.qb.from_(touch).select(touch.visitor_id, Max(touch.occurred_at).as_("last"))
		return query.groupby(touch.visitor_id).as_("last_touch")

	def test_a_moment_in_one_is_a_moment(self) -> None:
		last, touch = self.last(), frappe.qb.DocType("Touch Point")
		(value,) = frappe.db.get_all("Touch Point", pluck="occurred_at", order_by="occurred_at desc", limit=1)
		query = (
			frappe.qb.from_(touch)
			.left_join(last)
			.on((last.visitor_id == touch.visitor_id) & (last.last == touch.occurred_at))
			.select(Count(last.last), Max(last.last))
		)
		self.assertEqual(query.run(), ((1, value),))
		for than, number in ((value, 1), (value + timedelta(microseconds=1), 0)):
			query = frappe.qb.from_(last).select(Count("*")).where(last.last >= than)
			self.assertEqual(query.run(), ((number,),))

	def test_rows_of_two_tables(self) -> None:
		"""One under the other they are a table too, whose moments are moments."""
		touch = frappe.qb.DocType("Touch Point")
		query = frappe.qb.from_(touch).select(touch.name, touch.occurred_at.as_("at"))
		both = query.union_all(frappe.qb.from_(touch).select(touch.name, touch.occurred_at)).as_("both")
		(value,) = frappe.db.get_all("Touch Point", pluck="occurred_at", order_by="occurred_at desc", limit=1)
		number = frappe.db.count("Touch Point")
		found = frappe.qb.from_(both).select(Count("*"), Count(both.name).distinct(), Max(both.at)).run()
		self.assertEqual(found, ((2 * number, number, value),))

	def test_a_sum_beside_each_group(self) -> None:
		touch = frappe.qb.DocType("Touch Point")
		query = frappe.qb.from_(touch).select(touch.name, Count("*"), OfAll(Count("*")).over())
		rows = query.groupby(touch.name).orderby(touch.name).limit(1).run()
		self.assertEqual(rows[0][1:], (1, frappe.db.count("Touch Point")))

	def test_parts_of_a_text(self) -> None:
		def part(text: str, mark: str, which: int) -> str:
			cut = Function("SUBSTRING_INDEX", ValueWrapper(text), mark, which)
			touch = frappe.qb.DocType("Touch Point")
			return frappe.qb.from_(touch).select(cut).limit(1).run()[0][0]

		self.assertEqual(part("https://a.example/b?c", "?", 1), "https://a.example/b")
		self.assertEqual(part("https://a.example/b", "://", -1), "a.example/b")
		self.assertEqual(part("nothing", "?", 1), "nothing")

	def test_rows_one_after_the_other(self) -> None:
		touch = frappe.qb.DocType("Touch Point")
		query = frappe.qb.from_(touch).select(touch.name, touch.occurred_at).orderby(touch.name)
		with frappe.db.unbuffered_cursor():
			rows = query.run(as_list=True, as_iterator=True)
			first = next(rows)
			rest = list(rows)
		self.assertEqual([first, *rest], [list(row) for row in query.run()])


class TestTransactions(DatabaseTestCase):
	"""HOST-2: what commit, rollback and savepoints keep, and the callbacks that hang on them."""

	def test_rollback(self) -> None:
		frappe.db.commit()
		insert("f", 5)
		self.assertIn("f", names())
		frappe.db.rollback()
		self.assertNotIn("f", names())

	def test_savepoints(self) -> None:
		frappe.db.commit()
		insert("f", 5)
		frappe.db.savepoint("contract")
		insert("g", 6)
		frappe.db.rollback(save_point="contract")
		self.assertEqual(names()[-1], "f")
		frappe.db.savepoint("contract")
		insert("h", 7)
		frappe.db.release_savepoint("contract")
		frappe.db.commit()
		frappe.db.rollback()
		self.assertEqual(names()[-2:], ["f", "h"])

	def test_a_savepoint_survives_a_violation(self) -> None:
		frappe.db.savepoint("contract")
		with self.assertRaises(Exception) as caught:
			insert("a")
		self.assertTrue(frappe.db.is_duplicate_entry(caught.exception))
		frappe.db.rollback(save_point="contract")
		self.assertEqual(names(), list("abcde"))

	def test_callbacks_after_commit(self) -> None:
		callback = Mock()
		frappe.db.after_commit.add(callback)
		callback.assert_not_called()
		frappe.db.commit()
		callback.assert_called_once_with()
		frappe.db.commit()
		callback.assert_called_once_with()

	def test_callbacks_after_commit_are_dropped_by_a_rollback(self) -> None:
		callback = Mock()
		frappe.db.after_commit.add(callback)
		frappe.db.rollback()
		frappe.db.commit()
		callback.assert_not_called()

	def test_a_savepoints_rollback_keeps_callbacks(self) -> None:
		callback = Mock()
		frappe.db.savepoint("contract")
		frappe.db.after_commit.add(callback)
		frappe.db.rollback(save_point="contract")
		frappe.db.commit()
		callback.assert_called_once_with()

	def test_now_is_naive_and_of_the_site(self) -> None:
		self.assertIsNone(now_datetime().tzinfo)
		insert("f", (now_datetime() - DAY) / timedelta(days=1))
		self.assertLess(
			abs(now_datetime() - frappe.db.get_value("Touch Point", "f", "occurred_at")), timedelta(seconds=5)
		)

	def test_kind_of_database(self) -> None:
		self.assertIn(frappe.db.db_type, ("mariadb", "sqlite", "postgres"))
		self.assertTrue(issubclass(frappe.QueryDeadlockError, Exception))
		self.assertTrue(issubclass(frappe.QueryTimeoutError, Exception))
