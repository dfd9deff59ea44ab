"""`frappe.get_list` and `frappe.get_all`: filters with Frappe's treatment of NULL, permissions, joins, grouping.

Built on PyPika, so that a list means the same on both databases. Texts are parsed, never pasted.
"""

import datetime
import json
import re
from typing import Any

import frappe
from frappe import _
from frappe.database.query import OPERATORS, parse_field
from frappe.database.utils import DefaultOrderBy
from frappe.model import child_table_fields, default_fields, get_permitted_fields, optional_fields
from frappe.model.meta import get_default_df
from frappe.permissions import get_role_permissions
from frappe.query_builder import Criterion, Field, Order
from frappe.query_builder.functions import Function
from frappe.query_builder.terms import RawCriterion
from frappe.utils import cint, cstr, flt, get_datetime, getdate, nowdate

NUMBERS = ("Check", "Float", "Int", "Currency", "Percent", "Long Int", "Rating", "Duration")
DATES = ("Date", "Datetime")
EARLIEST = {"Date": "0001-01-01", "Datetime": "0001-01-01 00:00:00.000000"}
NEVER_NULL = ("name", "creation", "modified")
AGGREGATES = ("count(", "min(", "max(", "sum(", "avg(")
PATH = re.compile(r"^(\w+)\.(\w+|\*)(?:\s+as\s+(\w+))?$", re.IGNORECASE)


def _refuse(message: str) -> None:
	frappe.throw(message, frappe.DataError)


class DatabaseQuery:
	"""One list query on a DocType."""

	def __init__(self, doctype: str, user: str | None = None) -> None:
		self.doctype = doctype
		self.user = user or frappe.session.user
		self.table = frappe.qb.DocType(doctype)
		self.joined: dict[str, Any] = {}
		self.permitted: dict[str, set[str]] = {}

	def execute(
		self,
		fields: Any = None,
		filters: Any = None,
		or_filters: Any = None,
		docstatus: Any = None,
		group_by: str | None = None,
		order_by: str | None = DefaultOrderBy,
		limit_start: int | bool = False,
		limit_page_length: int | None = None,
		as_list: bool = False,
		with_childnames: bool = False,
		debug: bool = False,
		ignore_permissions: bool = False,
		user: str | None = None,
		with_comment_count: bool = False,
		join: str = "left join",
		distinct: bool = False,
		start: int | None = None,
		page_length: int | None = None,
		limit: int | None = None,
		ignore_ifnull: bool = False,
		save_user_settings: bool = False,
		save_user_settings_fields: bool = False,
		update: dict | None = None,
		add_total_row: Any = None,
		user_settings: Any = None,
		reference_doctype: str | None = None,
		run: bool = True,
		strict: bool = True,
		pluck: str | None = None,
		ignore_ddl: bool = False,
		*,
		parent_doctype: str | None = None,
	) -> list:
		"""Rows as dicts, as tuples (`as_list`), or one value of each (`pluck`)."""
		self.user = user or self.user
		self.ignore_permissions = ignore_permissions
		self.parent_doctype = parent_doctype
		self.group_by = group_by
		if not ignore_permissions:
			self.check_read_permission(self.doctype)
		fields, filters = self._unswap(fields, filters)
		if ignore_ddl and not frappe.db.table_exists(self.doctype):
			return []
		self.query = frappe.qb.from_(self.table)
		terms, names = self._fields(fields or [pluck or "name"])
		if not terms:
			return []
		conditions = self._filters(filters)
		if alternatives := self._filters(or_filters):
			conditions.append(Criterion.any(alternatives))
		for condition in (*conditions, *self._permission_conditions()):
			self.query = self.query.where(condition)
		self.query = self.query.select(*terms)
		for term in self._expressions(group_by):
			self.query = self.query.groupby(term[0])
		if distinct:
			self.query = self.query.distinct()
		else:
			self._order(order_by, names)
		if length := cint(limit or page_length or limit_page_length):
			self.query = self.query.limit(length).offset(cint(start or limit_start))
		rows = self.query.run(as_dict=not as_list, debug=debug, update=update, ignore_ddl=ignore_ddl, run=run)
		return [row[pluck] for row in rows] if pluck and run else rows

	@staticmethod
	def _unswap(fields: Any, filters: Any) -> tuple[Any, Any]:
		"""Fields and filters may come in either order."""
		if isinstance(fields, dict) or (isinstance(fields, list) and fields and isinstance(fields[0], list)):
			return filters, fields
		if fields and isinstance(filters, list) and len(filters) > 1 and isinstance(filters[0], str):
			return filters, fields
		return fields, filters

	# fields

	def _is_dropped(self, field: str) -> bool:
		"""Version 15 takes whatever holds "_seen" and the like for a column that only some tables have, `last_seen` too."""
		columns = frappe.db.get_table_columns(self.doctype)
		return any(one in field and one not in columns for one in optional_fields)

	def _fields(self, fields: Any) -> tuple[list, list[str]]:
		if isinstance(fields, str):
			fields = ["*"] if fields == "*" else _from_text(fields)
		terms, names = [], []
		for field in fields:
			if not field or (isinstance(field, str) and self._is_dropped(field)):
				continue
			if not isinstance(field, str):
				terms.append(field)
				continue
			if field.strip() == "*" and not self.ignore_permissions:
				allowed = self._permitted(self.doctype)
				columns = [name for name in frappe.db.get_table_columns(self.doctype) if name in allowed]
				terms += [self.table[name] for name in columns]
				continue
			term = self._field(field)
			if self._may_read(term):
				terms.append(term)
				names.append(field.strip().lower())
		return terms, names

	def _field(self, text: str) -> Any:
		"""A field of this table, of a child table (`items.qty`), or of a linked document (`customer.name`)."""
		if (match := PATH.match(text.strip())) and not text.startswith("tab"):
			fieldname, column, alias = match.groups()
			df = frappe.get_meta(self.doctype).get_field(fieldname)
			if df:
				child = df.fieldtype != "Link"
				table = self._join_child(df.options) if child else self._join_link(df)
				term = table[column]
				return term.as_(alias) if alias else term
		term = parse_field(text, self.table, _refuse)
		for node in term.find_(Field) if hasattr(term, "find_") else ():
			name = getattr(node.table, "_table_name", "").removeprefix("tab")
			if name and name != self.doctype:
				self._join_child(name)
		return term

	def _join_child(self, doctype: str) -> Any:
		"""Join a child table once."""
		if doctype == self.doctype:
			return self.table
		if doctype not in self.joined:
			self.check_read_permission(doctype, self.doctype)
			table = self.joined[doctype] = frappe.qb.DocType(doctype)
			on = (table.parent == self.table.name) & (table.parenttype == self.doctype)
			self.query = self.query.left_join(table).on(on)
		return self.joined[doctype]

	def _join_link(self, df: Any) -> Any:
		key = f"{df.options}.{df.fieldname}"
		if key not in self.joined:
			self.check_read_permission(df.options)
			table = self.joined[key] = frappe.qb.DocType(df.options).as_(
				f"tab{df.options}_{len(self.joined)}"
			)
			self.query = self.query.left_join(table).on(table.name == self.table[df.fieldname])
		return self.joined[key]

	def _permitted(self, doctype: str) -> set[str]:
		if doctype not in self.permitted:
			parenttype = self.parent_doctype if doctype == self.doctype else self.doctype
			self.permitted[doctype] = set(
				get_permitted_fields(doctype, parenttype=parenttype, user=self.user)
			)
		return self.permitted[doctype]

	def _may_read(self, term: Any) -> bool:
		if self.ignore_permissions:
			return True
		nodes = term.find_(Field) if hasattr(term, "find_") else []
		for node in nodes:
			table = getattr(node.table, "_table_name", None)
			doctype = table.removeprefix("tab") if table else self.doctype
			if node.name != "*" and node.name not in self._permitted(doctype):
				return False
		return True

	# filters

	def _filters(self, filters: Any) -> list:
		if isinstance(filters, str):
			filters = json.loads(filters)
		if not filters:
			return []
		if isinstance(filters, dict):
			filters = [
				[self.doctype, key, *(value if isinstance(value, list | tuple) else ("=", value))]
				for key, value in filters.items()
			]
		return [self._filter(item) for item in filters]

	def _filter(self, item: Any) -> Any:
		if isinstance(item, Criterion):
			return item
		if isinstance(item, dict):
			return Criterion.all(self._filters(item))
		item = list(item)
		if len(item) == 2:
			item = [item[0], "=", item[1]]
		if len(item) == 3:
			item = [self.doctype, *item]
		doctype, fieldname, operator, value = item[:4]
		doctype = doctype or self.doctype
		meta = frappe.get_meta(doctype)
		if (match := PATH.match(fieldname)) and meta.get_field(match.group(1)):
			field = self._field(fieldname)
			df = frappe.get_meta(meta.get_field(match.group(1)).options).get_field(match.group(2))
		else:
			df = meta.get_field(fieldname) or get_default_df(fieldname)
			doctype = self._doctype_of(doctype, fieldname, df)
			table = self.table if doctype == self.doctype else self._join_child(doctype)
			df = df or frappe.get_meta(doctype).get_field(fieldname)
			field = table[_plain(fieldname)]
		if operator.lower() not in OPERATORS:
			frappe.throw(_("Operator must be one of {0}").format(", ".join(OPERATORS)))
		return self.condition(field, operator.lower(), value, df)

	def _doctype_of(self, doctype: str, fieldname: str, df: Any) -> str:
		"""A field that this DocType lacks may be one of its child tables."""
		standard = (*default_fields, *child_table_fields, *optional_fields)
		if doctype != self.doctype or df or fieldname in standard:
			return doctype
		for table in frappe.get_meta(doctype).get_table_fields():
			if frappe.get_meta(table.options).has_field(fieldname):
				return table.options
		return doctype

	def condition(self, field: Any, operator: str, value: Any, df: Any) -> Any:
		"""A filter with NULL taken for the empty value of its type, as Frappe takes it."""
		kind = df.fieldtype if df else None
		nullable = field.name not in NEVER_NULL and kind not in NUMBERS
		if isinstance(value, Field):
			return OPERATORS[operator](field, value)
		if operator == "is":
			return _is_set(field, cstr(value).lower() == "set", kind)
		if operator == "between":
			return field.between(*_range(value, kind or _kind_of(value)))
		if operator in ("in", "not in"):
			return _listed(field, operator, value, kind, nullable)
		empty, value = _typed(value, kind, operator)
		condition = OPERATORS[operator](field, value)
		unset_value = not value and value != 0
		if not nullable or (operator in ("=", "like") and not unset_value):
			return condition
		if operator in (">", ">=") and kind in DATES:
			return condition
		return condition | field.isnull() if _matches_empty(operator, empty, value) else condition

	# permissions

	def check_read_permission(self, doctype: str, parent_doctype: str | None = None) -> None:
		if self.ignore_permissions:
			return
		frappe.has_permission(
			doctype,
			"select" if frappe.only_has_select_perm(doctype, user=self.user) else "read",
			parent_doctype=parent_doctype or self.parent_doctype or self.doctype,
			throw=True,
			user=self.user,
		)

	def _permission_conditions(self) -> list:
		"""The owner's documents only, where a role says so; what hooks add."""
		if self.ignore_permissions:
			return []
		conditions = []
		meta = frappe.get_meta(self.doctype)
		permissions = get_role_permissions(meta, user=self.user)
		if not meta.istable and not (permissions.get("read") or permissions.get("select")):
			frappe.throw(_("No permission to read {0}").format(_(self.doctype)), frappe.PermissionError)
		if permissions.get("has_if_owner_enabled") and "read" in permissions.get("if_owner", {}):
			conditions.append(self.table.owner == self.user)
		hooks = frappe.get_hooks("permission_query_conditions", {})
		for method in hooks.get(self.doctype, []) + hooks.get("*", []):
			if sql := frappe.call(frappe.get_attr(method), self.user, doctype=self.doctype):
				conditions.append(RawCriterion(sql))
		return conditions

	# order

	def _expressions(self, text: str | None) -> list[tuple[Any, Order]]:
		"""Parts of an order or group clause."""
		found = []
		for part in re.split(r",\s*(?![^()]*\))", text or ""):
			part = part.strip()
			if not part:
				continue
			if match := re.match(r"^(.*?)\s+(asc|desc)$", part, re.IGNORECASE | re.DOTALL):
				part, order = match.group(1), Order[match.group(2).lower()]
			else:
				order = Order.asc
			found.append((self._ordered(part), order))
		return found

	def _ordered(self, text: str) -> Any:
		name = text.strip(" `")
		aliases = {term.alias for term in self.query._selects if getattr(term, "alias", None)}
		return Field(name) if name in aliases else self._field(text)

	def _order(self, order_by: str | None, names: list[str]) -> None:
		if order_by and order_by != DefaultOrderBy:
			for term, order in self._expressions(order_by):
				self.query = self.query.orderby(term, order=order)
			return
		only_aggregate = len(names) == 1 and names[0].startswith(AGGREGATES) and not self.group_by
		if not order_by or only_aggregate:
			return
		meta = frappe.get_meta(self.doctype)
		if any(isinstance(term, Function) and term.is_aggregate for term in self.query._selects):
			if not self.group_by:
				return
		for part in (meta.sort_field or "modified").split(","):
			name, _space, direction = part.strip().partition(" ")
			direction = direction or (meta.sort_order if meta.sort_field else None) or "desc"
			self.query = self.query.orderby(self.table[name], order=Order[direction.strip().lower()])


def _from_text(fields: str) -> list:
	try:
		found = json.loads(fields)
	except ValueError:
		return [part.strip() for part in re.split(r",\s*(?![^()]*\))", fields)]
	return found if isinstance(found, list) else [fields]


def _plain(fieldname: str) -> str:
	name = fieldname.split(".")[-1].strip("` ")
	if not re.fullmatch(r"\w+", name):
		frappe.throw(_("Invalid filter: {0}").format(fieldname))
	return name


def _kind_of(value: Any) -> str | None:
	first = value[0] if isinstance(value, list | tuple) and value else value
	return "Datetime" if isinstance(first, datetime.datetime) else None


def _is_set(field: Any, wanted: bool, kind: str | None) -> Any:
	if kind in NUMBERS:
		return (field != 0) if wanted else field.isnull()
	if kind in (*DATES, "Time"):
		return field.isnotnull() if wanted else field.isnull()
	return (field != "") if wanted else (field.isnull() | (field == ""))


def _range(value: Any, kind: str | None) -> tuple[Any, Any]:
	"""Bounds of `between`; a date as upper bound of a moment means its end."""
	bounds = list(value.split(",") if isinstance(value, str) else value or ())
	if kind not in DATES:
		return bounds[0], bounds[1]
	bounds = (bounds + [nowdate()] * 2)[:2]
	if kind == "Date":
		return tuple(cstr(getdate(bound)) for bound in bounds)
	ends = (datetime.time(), datetime.time(23, 59, 59, 999999))
	return tuple(_moment(bound, end) for bound, end in zip(bounds, ends, strict=True))


def _moment(value: Any, end: datetime.time) -> datetime.datetime:
	if isinstance(value, str):
		value = get_datetime(value) if " " in value.strip() else getdate(value)
	return value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, end)


def _listed(field: Any, operator: str, value: Any, kind: str | None, nullable: bool) -> Any:
	values = value.split(",") if isinstance(value, str) else list(value or ())
	if kind in NUMBERS:
		values = [flt(item) for item in values]
		has_empty = False
	else:
		has_empty = not values or any(item is None or item == "" for item in values)
		values = [cstr(item).strip() for item in values]
	listed = field.isin(values or [""]) if operator == "in" else field.notin(values or [""])
	if not nullable:
		return listed
	if operator == "in":
		return listed | field.isnull() if has_empty else listed
	return listed & field.isnotnull() if has_empty else listed | field.isnull()


def _typed(value: Any, kind: str | None, operator: str) -> tuple[Any, Any]:
	"""What NULL counts as in this comparison, and the value in the type of its field."""
	if kind in NUMBERS:
		is_pattern = operator in ("like", "not like")
		return 0, value if is_pattern else flt(value)
	if kind == "Date":
		return EARLIEST["Date"], cstr(getdate(value))
	if kind == "Datetime" or isinstance(value, datetime.datetime):
		return EARLIEST["Datetime"], get_datetime(value) if value else EARLIEST["Datetime"]
	if kind == "Time":
		return "00:00:00", value
	if isinstance(value, bool):
		return "", int(value)
	return "", "" if value is None else value


def _matches_empty(operator: str, empty: Any, value: Any) -> bool:
	"""Whether the empty value itself meets the condition."""
	from frappe.utils.data import compare

	if isinstance(value, datetime.date | datetime.datetime):
		value = cstr(value)
	return compare(empty, operator, value if isinstance(empty, int) else cstr(value))
