"""Makes rows nobody's (CRM-8, RET-1): what stood for a person becomes a keyed hash whose key is thrown away, and what tells of the
person is emptied, as the table of `personal` says.

Nothing that counts or joins may change, so references are replaced one for one, and names that follow from them too. Erasures do it for
a person (`erasure`), the retention by age (`kept`). Each function is part of its caller's transaction, and writes by name: a look-up
without an index would lock a whole table.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import frappe
from frappe.query_builder import Case
from pypika.terms import Term

from trackflow import bulk
from trackflow.attribution import deal_rows, run
from trackflow.naming import keyed_hash
from trackflow.offline import files
from trackflow.offline.gather import row_name
from trackflow.offline.platforms import PLATFORMS
from trackflow.privacy.personal import BY_DOCTYPE, VISITOR, Table
from trackflow.tracking import identity

Row = dict[str, Any]

# A term for each row stands in the statement, and the database looks through them for each.
AT_ONCE = 200
EXPORTED = "Conversion Export Row"


@dataclass(slots=True)
class Pseudonyms:
	"""What stands for visitors, documents and conversions from now on: always the same for one key, untraceable once that is thrown
	away. `exports` are those whose files are to be written anew before the commit."""

	key: bytes
	exports: set[str] = field(default_factory=set)

	def of_visitor(self, visitor_id: str | None) -> str | None:
		return identity.erased_id(self.key, visitor_id) if visitor_id else None

	def of(self, kind: str, name: str, length: int = 20) -> str:
		"""What stands for a document."""
		return keyed_hash(self.key, kind, name)[:length]

	def of_conversion(self, name: str) -> str:
		return self.of("conversion", name, 32)

	def commit(self) -> None:
		"""End a transaction that emptied rows of exports."""
		files.rewrite(self.exports)
		frappe.db.commit()
		self.exports.clear()


def rename_conversions(
	names: Pseudonyms, changes: Mapping[str, Row], with_visitors: bool = False
) -> Counter[str]:
	"""Give locked conversions names that do not follow from what they stood for, their credits theirs by it, and empty what tells of
	them; `changes` are fields of theirs to be set, by name. `with_visitors` parts their credits from visitors too. Answers rows by
	DocType."""
	new = {name: names.of_conversion(name) for name in changes}
	empty = {**dict.fromkeys(BY_DOCTYPE["Conversion"].empties), "crm_lead": None, "crm_deal": None}
	write("Conversion", {name: {**empty, **values, "name": new[name]} for name, values in changes.items()})
	done = Counter({"Conversion": len(changes)})

	def renamed(row: Row, visitor: str) -> Row:
		who = {visitor: names.of_visitor(row[visitor])} if with_visitors else {}
		return {**who, "conversion": new[row["conversion"]]}

	for doctype, beside, name_of in (
		("Attribution Link", ("touch_point", "attribution_model"), run.credit_name),
		("Link Conversion", ("click_event",), run.link_conversion_name),
	):
		rows = bulk.load(doctype, {"conversion": ("in", new)}, ("conversion", "visitor_id", *beside))
		empty = dict.fromkeys(BY_DOCTYPE[doctype].empties)
		some = {}
		for old, row in rows.items():
			name = name_of(new[row.conversion], *(row[column] for column in beside))
			some[old] = {**empty, **renamed(row, "visitor_id"), "name": name}
		write(doctype, some)
		done[doctype] = len(rows)
	done[EXPORTED] = empty_exported(
		names,
		{"conversion": ("in", new)},
		lambda row: {
			**renamed(row, "visitor"),
			"name": row_name(PLATFORMS[row.platform], new[row.conversion]),
		},
	)
	return done


def empty_exported(names: Pseudonyms, filters: Row, changed: Callable[[Row], Row]) -> int:
	"""Empty what platforms were told of somebody in these rows, and set what `changed` says; the files follow with the commit.
	Answers how many lines there were."""
	rows = bulk.load(EXPORTED, filters, ["export", "platform", "conversion", "visitor", "line"])
	exports = {row.export for row in rows.values()}
	files.empty(exports, {name: changed(row) for name, row in rows.items()})
	names.exports |= exports
	return sum(bool(row.line) for row in rows.values())


def rename_documents(doctype: str, pseudonyms: Mapping[str, Mapping[str, str]]) -> int:
	"""Give rows of leads and deals others' names, by their kind; names of rows that follow from a deal's follow its new one. Answers
	how many rows."""
	table = BY_DOCTYPE[doctype]
	beside, name_of = {
		"Deal Attribution": ("attribution_model", deal_rows.attribution_name),
		"Deal Link Association": ("tracked_link", deal_rows.association_name),
	}.get(doctype, ("", None))
	columns = [column for kind, column in table.found_by if kind in pseudonyms]
	of_column = {column: pseudonyms[kind] for kind, column in table.found_by if kind in pseudonyms}
	stored: dict[str, Row] = {}
	for column in columns:
		stored |= bulk.load(doctype, {column: ("in", of_column[column])}, ())
	locked = bulk.lock(doctype, stored, [*columns, *([beside] if beside else [])])
	empty = dict.fromkeys(table.empties)
	changes = {}
	for name, row in locked.items():
		values = {column: of_column[column].get(row[column], row[column]) for column in columns}
		if name_of:
			values["name"] = name_of(values["deal_id"], row[beside])
		changes[name] = {**empty, **values}
	write(doctype, changes)
	return len(changes)


def empty_rows(table: Table, visitors: Mapping[str, str]) -> None:
	"""Empty what is personal in rows of visitors; `visitors` says whose they are from then on, by name."""
	column, empty = table.field_of(VISITOR), dict.fromkeys(table.empties)
	write(table.doctype, {name: {**empty, column: erased} for name, erased in visitors.items()})


def write(doctype: str, changes: Mapping[str, Row]) -> None:
	"""Set fields of rows by name, the same fields of all, their names among them: which neither the ORM nor `bulk.update` would."""
	table = frappe.qb.DocType(doctype)
	for some in pieces(changes, AT_ONCE):
		query = frappe.qb.update(table).where(bulk.among(table.name, some))
		# A database may set one field after the other, and each looks at the name.
		for column in sorted(changes[some[0]], key="name".__eq__):
			query = query.set(table[column], _value(table, {name: changes[name][column] for name in some}))
		query.run()


def _value(table: Any, values: Mapping[str, Any]) -> Term | Any:
	if len(different := set(values.values())) == 1:
		return different.pop()
	case = Case()
	for name, value in values.items():
		case = case.when(table.name == name, value)
	return case


def pieces(names: Iterable[str], size: int) -> Iterator[list[str]]:
	names = list(names)
	return (names[start : start + size] for start in range(0, len(names), size))
