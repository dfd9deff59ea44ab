"""Lists, values and built queries: the same answers, and the same types, on both databases."""

import datetime
from typing import Any

import frappe
import pytest
from frappe.query_builder import Case, Criterion, DocType, Order
from frappe.query_builder.functions import (
	Avg,
	Coalesce,
	Concat,
	Count,
	Date,
	DateFormat,
	IfNull,
	Lower,
	Max,
	Min,
	Sum,
)
from frappe.query_builder.terms import Values

DAY = datetime.date(2026, 1, 2)
MIDNIGHT = datetime.datetime(2026, 1, 2)
# name: title, status, pages, price, published, read_at
BOOKS = {
	"a": ("Alpha", "Open", 10, 1.5, "2026-01-01", "2026-01-01 10:00:00"),
	"b": ("beta", "Lent", 20, 0.1, "2026-01-02", "2026-01-02 00:00:00"),
	"c": ("Gamma", "", 0, 0.2, None, None),
	"d": ("Ünder_score", None, 7, 0, "2026-01-03", "2026-01-02 23:59:59.999999"),
}
FIELDS = ["name", "title", "status", "pages", "price", "published", "read_at"]

pytestmark = pytest.mark.usefixtures("on_shelf")


@pytest.fixture(autouse=True)
def books(on_shelf: None) -> None:
	stamp = frappe.utils.now()
	fields = [*FIELDS, "creation", "modified", "owner"]
	rows = [(name, *values, stamp, stamp, "Administrator") for name, values in BOOKS.items()]
	frappe.db.bulk_insert("Shelf Book", fields, rows)


def names(filters: Any = None, **kwargs: Any) -> str:
	found = frappe.get_all("Shelf Book", filters=filters, pluck="name", order_by="name asc", **kwargs)
	return "".join(found)


class TestLists:
	@pytest.mark.parametrize(
		("filters", "expected"),
		[
			({"title": "ALPHA"}, "a"),
			({"status": ""}, "cd"),
			({"status": ["!=", "Open"]}, "bcd"),
			({"status": ["in", ["open", "Lent"]]}, "ab"),
			({"status": ["in", "Open,Lent"]}, "ab"),
			({"status": ["in", []]}, "cd"),
			({"status": ["in", ["Open", ""]]}, "acd"),
			({"status": ["not in", ["Open"]]}, "bcd"),
			({"status": ["not in", ["Open", ""]]}, "b"),
			({"status": ["is", "set"]}, "ab"),
			({"status": ["is", "not set"]}, "cd"),
			({"title": ["like", "%a"]}, "abc"),
			({"title": ["like", "%r\\_s%"]}, "d"),
			({"title": ["like", "_NDER%"]}, "d"),
			({"title": ["not like", "%a"]}, "d"),
			({"pages": 0}, "c"),
			({"pages": [">", 7]}, "ab"),
			({"pages": ["in", [10, "20"]]}, "ab"),
			({"pages": ["not in", [10, 20]]}, "cd"),
			({"pages": ["between", [7, 10]]}, "ad"),
			({"pages": ["is", "set"]}, "abd"),
			({"price": 0.1}, "b"),
			({"price": [">=", 0.2]}, "ac"),
			({"published": DAY}, "b"),
			({"published": "2026-01-02"}, "b"),
			({"published": [">", "2026-01-01"]}, "bd"),
			# a missing date counts as the earliest
			({"published": ["<", "2026-01-02"]}, "ac"),
			({"published": ["between", ["2026-01-01", DAY]]}, "ab"),
			({"published": ["is", "not set"]}, "c"),
			({"read_at": ["between", ["2026-01-02", "2026-01-02"]]}, "bd"),
			({"read_at": ["<=", MIDNIGHT]}, "abc"),
			({"read_at": MIDNIGHT}, "b"),
			({"read_at": "2026-01-02 00:00:00"}, "b"),
			({"read_at": ["is", "set"]}, "abd"),
			([["pages", ">", 5], ["Shelf Book", "price", "<", 1]], "bd"),
			({"name": ["!=", "a"]}, "bcd"),
		],
	)
	def test_filters(self, filters: Any, expected: str) -> None:
		assert names(filters) == expected

	def test_alternatives(self) -> None:
		assert names({"pages": [">", 0]}, or_filters={"title": "alpha", "status": "Lent"}) == "ab"

	def test_shapes(self) -> None:
		first = frappe.get_all("Shelf Book", order_by="name", limit=1)
		assert first == [{"name": "a"}] and first[0].name == "a"
		assert frappe.get_all(
			"Shelf Book", fields=["name", "pages"], order_by="pages desc", as_list=True
		) == (
			("b", 20),
			("a", 10),
			("d", 7),
			("c", 0),
		)
		row = frappe.get_all("Shelf Book", {"name": "a"}, "*")[0]
		assert (row.title, row.price, row.published) == ("Alpha", 1.5, datetime.date(2026, 1, 1))
		assert row.read_at == datetime.datetime(2026, 1, 1, 10)
		assert frappe.get_all("Shelf Book", ["name"], {"name": "a"}) == [{"name": "a"}]

	def test_pages_and_order(self) -> None:
		assert names(start=1, page_length=2) == "bc"
		assert names(limit_start=2, limit=5) == "cd"
		ordered = frappe.get_all("Shelf Book", pluck="name", order_by="status desc, pages asc")
		assert ordered[0] == "a"
		# text is ordered without case
		titles = frappe.get_all("Shelf Book", {"name": ["!=", "d"]}, pluck="title", order_by="title asc")
		assert titles == ["Alpha", "beta", "Gamma"]

	def test_groups(self) -> None:
		rows = frappe.get_all(
			"Shelf Book",
			fields=["status", "count(name) as total", "max(read_at) as last", "sum(pages) as pages"],
			filters={"status": ["is", "set"]},
			group_by="status",
			order_by="total desc, status asc",
		)
		assert rows == [
			{"status": "Lent", "total": 1, "last": MIDNIGHT, "pages": 20.0},
			{"status": "Open", "total": 1, "last": datetime.datetime(2026, 1, 1, 10), "pages": 10.0},
		]
		assert frappe.get_all("Shelf Book", fields=["count(name) as total"])[0].total == 4
		assert len(frappe.get_all("Shelf Book", pluck="owner", distinct=True)) == 1

	def test_child_tables_and_links(self) -> None:
		frappe.get_doc(doctype="Shelf Author", author_name="Ann", email="ann@example.com").insert()
		book = frappe.get_doc(
			doctype="Shelf Book", title="New", author="Ann", chapters=[{"heading": "X", "length": 4}]
		).insert()
		assert names([["Shelf Chapter", "heading", "=", "x"]]) == book.name
		row = frappe.get_all(
			"Shelf Book",
			filters={"name": book.name},
			fields=["name", "chapters.length as length", "author.email as email"],
		)
		assert row == [{"name": book.name, "length": 4, "email": "ann@example.com"}]

	def test_what_is_no_field_is_refused(self) -> None:
		for fields in (["sleep(3)"], ["name, (select 1)"], ["version()"], ["name; drop table x"]):
			with pytest.raises(frappe.DataError):
				frappe.get_all("Shelf Book", fields=fields)
		with pytest.raises(frappe.DataError):
			frappe.get_all("Shelf Book", order_by="sleep(3)")

	def test_unknown_columns(self) -> None:
		with pytest.raises(Exception) as caught:
			frappe.get_all("Shelf Book", {"nothing": 1})
		assert frappe.db.is_missing_column(caught.value)


class TestValues:
	def test_get_value(self) -> None:
		assert frappe.db.get_value("Shelf Book", "a") == "a"
		assert frappe.db.get_value("Shelf Book", "A", "title") == "Alpha"
		assert frappe.db.get_value("Shelf Book", "a", ["title", "pages"]) == ("Alpha", 10)
		row = frappe.db.get_value("Shelf Book", {"pages": [">", 10]}, ["title", "price"], as_dict=True)
		assert row == {"title": "beta", "price": 0.1}
		assert frappe.db.get_value("Shelf Book", "nobody", "title") is None
		assert frappe.db.get_value("Shelf Book", {"status": None}, "name") == "d"
		assert frappe.db.get_value("Shelf Book", {}, "name", order_by="pages desc") == "b"
		assert frappe.db.get_values("Shelf Book", {"pages": ["<", 10]}, "name", order_by="name asc") == (
			("c",),
			("d",),
		)
		assert frappe.db.get_value("Shelf Settings", None, "shelves") is not None

	def test_exists_and_count(self) -> None:
		assert frappe.db.exists("Shelf Book", "a") == "a"
		assert frappe.db.exists("Shelf Book", {"title": "alpha"}) == "a"
		assert frappe.db.exists({"doctype": "Shelf Book", "title": "nothing"}) is None
		assert frappe.db.exists("No Such DocType", "a") is None
		assert frappe.db.exists("Shelf Settings", "Shelf Settings")
		assert frappe.db.count("Shelf Book") == 4
		assert frappe.db.count("Shelf Book", {"read_at": [">=", "2026-01-02"]}) == 2
		assert frappe.db.count("Shelf Book", [["status", "in", ["Open", "Lent"]]]) == 2

	def test_set_value_and_delete(self) -> None:
		frappe.db.set_value("Shelf Book", "a", "title", "Other")
		frappe.db.set_value("Shelf Book", {"pages": [">", 5]}, {"status": "Lost", "pages": 1})
		assert frappe.db.count("Shelf Book", {"status": "Lost", "pages": 1}) == 3
		before = frappe.db.get_value("Shelf Book", "c", "modified")
		frappe.db.set_value("Shelf Book", "c", "pages", 5, update_modified=False)
		assert frappe.db.get_value("Shelf Book", "c", ["modified", "pages"]) == (before, 5)
		frappe.db.delete("Shelf Book", {"status": "Lost"})
		assert names() == "c"

	def test_bulk(self) -> None:
		frappe.db.bulk_update(
			"Shelf Book",
			{"a": {"pages": 1, "read_at": "2026-02-03 04:05:06"}, "b": {"pages": 2}},
			update_modified=False,
		)
		assert frappe.db.get_value("Shelf Book", "a", ["pages", "read_at"]) == (
			1,
			datetime.datetime(2026, 2, 3, 4, 5, 6),
		)
		assert frappe.db.get_value("Shelf Book", "b", "read_at") == MIDNIGHT
		rows = [("a", "Again"), *((f"n{i}", f"Number {i}") for i in range(2500))]
		frappe.db.bulk_insert("Shelf Book", ["name", "title"], rows, ignore_duplicates=True, chunk_size=1000)
		assert frappe.db.count("Shelf Book") == 2504
		assert frappe.db.get_value("Shelf Book", "a", "title") == "Alpha"
		with pytest.raises(Exception) as caught:
			frappe.db.bulk_insert("Shelf Book", ["name", "title"], [("A", "Again")])
		assert frappe.db.is_duplicate_entry(caught.value)
		assert frappe.db.is_primary_key_violation(caught.value)

	def test_very_many_names(self) -> None:
		many = ["a", "it's", *(f"n{i}" for i in range(40_000))]
		frappe.db.max_parameters = 1000
		assert names({"name": ["in", many]}) == "a"
		rows = [(name, name) for name in many[1:5000]]
		frappe.db.bulk_insert("Shelf Book", ["name", "title"], rows)
		assert frappe.db.get_value("Shelf Book", "it's", "title") == "it's"

	def test_too_long(self) -> None:
		for write in (
			lambda: frappe.db.set_value("Shelf Book", "a", "title", "x" * 141),
			lambda: frappe.db.bulk_insert("Shelf Book", ["name", "title"], [("z", "x" * 141)]),
		):
			with pytest.raises(Exception) as caught:
				write()
			assert frappe.db.is_data_too_long(caught.value)

	def test_defaults(self) -> None:
		frappe.db.set_default("shelf_key", "1")
		assert frappe.db.get_default("shelf_key") == "1"
		frappe.db.set_global("shelf_key", "2")
		assert frappe.db.get_global("shelf_key") == "2"
		frappe.db.set_default("shelf_key", None)
		assert frappe.db.get_default("shelf_key") is None


class TestBuilder:
	def test_types_of_expressions(self) -> None:
		book = DocType("Shelf Book")
		row = (
			frappe.qb.from_(book)
			.select(
				Count("*").as_("total"),
				Sum(book.price).as_("price"),
				Sum(book.pages).as_("pages"),
				Avg(book.pages).as_("mean"),
				Max(book.read_at).as_("last"),
				Min(book.published).as_("first"),
				Max(Date(book.read_at)).as_("day"),
				Sum(Case().when(book.pages > 5, 1).else_(0)).as_("long"),
				Coalesce(Sum(book.price), 0).as_("some"),
				Max(book.pages).as_("most"),
			)
			.run(as_dict=True)[0]
		)
		assert row == {
			"total": 4,
			"price": 1.8,
			"pages": 37.0,
			"mean": 9.25,
			"last": datetime.datetime(2026, 1, 2, 23, 59, 59, 999999),
			"first": datetime.date(2026, 1, 1),
			"day": DAY,
			"long": 3.0,
			"some": 1.8,
			"most": 20,
		}
		assert {type(row[key]) for key in ("price", "pages", "mean", "some")} == {float}
		assert (type(row.total), type(row.most)) == (int, int)

	def test_arithmetic_and_functions(self) -> None:
		book = DocType("Shelf Book")
		query = frappe.qb.from_(book).where(book.name == "d")
		values = query.select(
			book.pages / 2,
			(book.pages + 1) / 4,
			book.pages * book.price,
			Lower(book.title),
			IfNull(book.status, "none"),
			Concat(book.name, "-", book.pages),
			DateFormat(book.read_at, "%Y-%m"),
		).run()[0]
		assert values[:3] == (3.5, 2.0, 0.0)
		assert values[4:] == ("none", "d-7", "2026-01")

	def test_subqueries_joins_unions(self) -> None:
		book = DocType("Shelf Book")
		latest = frappe.qb.from_(book).select(book.owner, Max(book.read_at).as_("last")).groupby(book.owner)
		found = frappe.qb.from_(latest).select(latest.last).run(pluck=True)
		assert found == [datetime.datetime(2026, 1, 2, 23, 59, 59, 999999)]
		other = DocType("Shelf Book").as_("other")
		pairs = (
			frappe.qb.from_(book)
			.join(other)
			.on((book.owner == other.owner) & (book.pages < other.pages))
			.select(Count("*"))
			.run()
		)
		assert pairs[0][0] == 6
		small = frappe.qb.from_(book).select(book.name).where(book.pages < 5)
		large = frappe.qb.from_(book).select(book.name).where(book.pages > 15)
		assert sorted((small + large).run(pluck=True)) == ["b", "c"]
		both = frappe.qb.from_(book).select(book.read_at).where(book.pages < 5)
		both = both.union_all(frappe.qb.from_(book).select(book.read_at)).as_("both")
		found = frappe.qb.from_(both).select(Max(both.read_at)).run(pluck=True)
		assert found == [datetime.datetime(2026, 1, 2, 23, 59, 59, 999999)]
		inner = frappe.qb.from_(book).select(book.name).where(book.pages > 5)
		query = frappe.qb.from_(book).select(book.name).where(book.name.notin(inner))
		assert query.run(pluck=True) == ["c"]

	def test_conditions(self) -> None:
		book = DocType("Shelf Book")

		def found(criterion: Criterion) -> str:
			query = frappe.qb.from_(book).select(book.name).where(criterion).orderby(book.name)
			return "".join(query.run(pluck=True))

		assert found(book.title == "ALPHA") == "a"
		assert found(book.title.isin(["ALPHA", "BETA"])) == "ab"
		assert found(book.title.like("%ETA")) == "b"
		assert found(book.read_at == MIDNIGHT) == "b"
		assert found(book.read_at >= "2026-01-02") == "bd"
		assert found(book.read_at <= "2026-01-02") == "ab"
		assert found(book.read_at[MIDNIGHT : MIDNIGHT + datetime.timedelta(days=1)]) == "bd"
		assert found(book.published == MIDNIGHT) == "b"
		assert found(book.status.isnull() & (book.pages == 7)) == "d"
		assert found(Criterion.any([book.pages == 0, book.pages == 7])) == "cd"

	def test_order_groups_limits(self) -> None:
		book = DocType("Shelf Book")
		query = frappe.qb.from_(book).select(book.name).orderby(book.pages, order=Order.desc)
		assert query.limit(2).offset(1).run(pluck=True) == ["a", "d"]
		counted = (
			frappe.qb.from_(book)
			.select(Date(book.read_at).as_("day"), Count("*").as_("n"))
			.where(book.read_at.isnotnull())
			.groupby(Date(book.read_at))
			.having(Count("*") > 1)
			.run(as_dict=True)
		)
		assert counted == [{"day": DAY, "n": 2}]

	def test_writes(self) -> None:
		book = DocType("Shelf Book")
		frappe.qb.update(book).set(book.pages, book.pages + 1).where(book.name == "a").run()
		later = Case().when(book.read_at.isnull(), "2026-05-06 07:08:09").else_(book.read_at)
		frappe.qb.update(book).set(book.read_at, later).run()
		assert frappe.db.get_value("Shelf Book", "a", "pages") == 11
		assert frappe.db.get_value("Shelf Book", {"read_at": datetime.datetime(2026, 5, 6, 7, 8, 9)}) == "c"
		frappe.qb.into(book).columns("name", "title").insert("x", "X").insert("y", "Y").run()
		frappe.qb.into(book).columns("name", "title").insert("x", "Z").ignore().run()
		assert frappe.db.get_value("Shelf Book", "x", "title") == "X"
		frappe.qb.from_(book).delete().where(book.pages >= 0).limit(2).run()
		assert frappe.db.count("Shelf Book") == 4

	def test_upserts(self) -> None:
		book = DocType("Shelf Book")
		for pages in (5, 6):
			(
				frappe.qb.into(book)
				.columns(book.name, book.pages, book.read_at)
				.insert("a", pages, "2026-03-04 05:06:07")
				.on_duplicate_key_update(book.pages, book.pages + Values(book.pages))
				.on_duplicate_key_update(book.read_at, Values(book.read_at))
				.run()
			)
		assert frappe.db.get_value("Shelf Book", "a", ["pages", "read_at"]) == (
			21,
			datetime.datetime(2026, 3, 4, 5, 6, 7),
		)

	def test_hand_written_statements(self) -> None:
		rows = frappe.db.sql(
			"select name, read_at from `tabShelf Book` where name in %(names)s and pages > %(pages)s",
			{"names": ("a", "b"), "pages": 15},
			as_dict=True,
		)
		assert rows == [{"name": "b", "read_at": MIDNIGHT}]
		assert frappe.db.sql("select max(read_at) from `tabShelf Book`")[0][0].year == 2026
		assert frappe.db.sql("select name from `tabShelf Book` where name = %s", "a") == (("a",),)
		assert frappe.db.sql("select name from `tabShelf Book` where name like 'a%'", pluck=True) == ["a"]


def test_fields_that_look_like_optional_columns_are_dropped() -> None:
	"""As in version 15, wherever the name stands."""
	(row,) = frappe.get_all("Shelf Book", {"name": "a"}, ["name", "title as last_seen", "pages"])
	assert row == {"name": "a", "pages": 10}
