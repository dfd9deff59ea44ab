"""Reading and writing values past the ORM: `frappe.db.get_value`, `set_value`, `bulk_insert` and their like.

No document events, no permissions. Whoever writes here clears the cached documents concerned.
"""

import itertools
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import frappe
from frappe.database.utils import DefaultOrderBy, FallBackDateTimeStr
from frappe.utils import cast_fieldtype, get_datetime, get_table_name, getdate, now, sbool

# More values in one statement cost more than they save.
MAX_VALUES = 100_000


class ValuesMixin:
	"""The part of `frappe.db` that knows DocTypes."""

	value_cache: dict

	# reading

	def get(self, doctype: str, filters: Any = None, as_dict: bool = True, cache: bool = False) -> Any:
		return self.get_value(doctype, filters, "*", as_dict=as_dict, cache=cache)

	def get_value(
		self,
		doctype: str,
		filters: Any = None,
		fieldname: Any = "name",
		ignore: bool | None = None,
		as_dict: bool = False,
		debug: bool = False,
		order_by: str | None = DefaultOrderBy,
		cache: bool = False,
		for_update: bool = False,
		*,
		run: bool = True,
		pluck: bool = False,
		distinct: bool = False,
		skip_locked: bool = False,
		wait: bool = True,
	) -> Any:
		"""One value, a row of values, or a dict of the first document that matches; None if none does."""
		rows = self.get_values(
			doctype,
			filters,
			fieldname,
			ignore,
			as_dict,
			debug,
			order_by,
			cache=cache,
			for_update=for_update,
			run=run,
			pluck=pluck,
			distinct=distinct,
			limit=1,
			skip_locked=skip_locked,
			wait=wait,
		)
		if not run:
			return rows
		if not rows:
			return None
		row = rows[0]
		if pluck:
			return row
		return row if as_dict or len(row) > 1 else row[0]

	def get_values(
		self,
		doctype: str,
		filters: Any = None,
		fieldname: Any = "name",
		ignore: bool | None = None,
		as_dict: bool = False,
		debug: bool = False,
		order_by: str | None = DefaultOrderBy,
		update: dict | None = None,
		cache: bool = False,
		for_update: bool = False,
		*,
		run: bool = True,
		pluck: bool = False,
		distinct: bool = False,
		limit: int | None = None,
		skip_locked: bool = False,
		wait: bool = True,
	) -> Any:
		"""Rows of values. Without filters (or with the DocType's own name) the values of a single."""
		cache_key = (doctype, filters, _hashable(fieldname), as_dict)
		cache = cache and isinstance(filters, str)
		if cache and cache_key in self.value_cache:
			return self.value_cache[cache_key]
		if isinstance(filters, list) and not filters:
			return {}
		if filters is None or (filters == doctype and doctype != "DocType"):
			out = self.get_values_from_single(
				fieldname, filters, doctype, as_dict, debug, update, pluck=pluck
			)
		else:
			order_by = None if distinct else "modified" if order_by == DefaultOrderBy else order_by
			query = {
				"table": doctype,
				"filters": filters,
				"order_by": order_by,
				"for_update": for_update,
				"skip_locked": skip_locked,
				"wait": wait,
				"fields": fieldname if fieldname == "*" or not isinstance(fieldname, str) else [fieldname],
				"distinct": distinct,
				"limit": limit,
				"validate_filters": True,
			}
			as_dict = as_dict or fieldname == "*"
			try:
				built = frappe.qb.get_query(**query)
				out = built.run(as_dict=as_dict, debug=debug, update=update, run=run, pluck=pluck)
			except Exception as error:
				if not self.is_missing_table_or_column(error) or not (ignore or self.is_table_missing(error)):
					raise
				# no such table: a single, perhaps
				out = None
				if not ignore:
					out = self.get_values_from_single(fieldname, filters, doctype, as_dict, debug, update)
		if cache:
			self.value_cache[cache_key] = out
		return out

	def get_values_from_single(
		self,
		fields: Any,
		filters: Any,
		doctype: str,
		as_dict: bool = False,
		debug: bool = False,
		update: dict | None = None,
		*,
		run: bool = True,
		pluck: bool = False,
		distinct: bool = False,
	) -> list:
		values = self.get_singles_dict(doctype, debug=debug)
		if isinstance(filters, dict) and any(values.get(key) != value for key, value in filters.items()):
			return []
		if not values:
			return []
		if fields == "*":
			return [values]
		fields = [fields] if isinstance(fields, str) else fields
		values = frappe._dict({field: values.get(field) for field in fields}, **(update or {}))
		if as_dict:
			return [values]
		row = [values.get(field) for field in fields]
		return row[:1] if pluck else [row]

	def get_singles_dict(
		self, doctype: str, debug: bool = False, *, for_update: bool = False, cast: bool = False
	) -> frappe._dict:
		"""All stored values of a single, as text unless `cast`."""
		query = frappe.qb.get_query(
			"Singles", filters={"doctype": doctype}, fields=["field", "value"], for_update=for_update
		)
		values = frappe._dict(query.run(debug=debug))
		if not cast:
			return values
		fields = frappe.get_meta(doctype)
		return frappe._dict(
			{
				key: cast_fieldtype(df.fieldtype, value) if (df := fields.get_field(key)) else value
				for key, value in values.items()
			}
		)

	def get_single_value(self, doctype: str, fieldname: str, cache: bool = True) -> Any:
		"""A value of a single as the type of its field; kept for the life of the connection's cache."""
		known = self.value_cache.setdefault(doctype, {})
		if cache and fieldname in known:
			return known[fieldname]
		filters = {"doctype": doctype, "field": fieldname}
		rows = frappe.qb.get_query("Singles", filters=filters, fields="value").run()
		df = frappe.get_meta(doctype).get_field(fieldname)
		if not df:
			frappe.throw(
				frappe._("Field {0} does not exist on {1}").format(
					frappe.bold(fieldname), frappe.bold(doctype)
				),
				self.InvalidColumnName,
			)
		known[fieldname] = cast_fieldtype(df.fieldtype, rows[0][0] if rows else None)
		return known[fieldname]

	get_singles_value = get_single_value

	@staticmethod
	def get_all(*args: Any, **kwargs: Any) -> list:
		return frappe.get_all(*args, **kwargs)

	@staticmethod
	def get_list(*args: Any, **kwargs: Any) -> list:
		return frappe.get_list(*args, **kwargs)

	def exists(self, dt: str | dict, dn: Any = None, cache: bool = False) -> Any:
		"""Name of a document that matches, or None. A single always exists."""
		if isinstance(dt, dict):
			dn = dt.copy()
			dt = dn.pop("doctype")
		if dt != "DocType" and dt == dn:
			return dn
		return self.get_value(dt, dn, ignore=True, cache=cache, order_by=None)

	def a_row_exists(self, doctype: str) -> Any:
		return frappe.get_all(doctype, limit=1, order_by=None, as_list=True)

	def count(
		self,
		dt: str,
		filters: Any = None,
		debug: bool = False,
		cache: bool = False,
		distinct: bool = True,
	) -> int:
		"""How many rows match."""
		from frappe.query_builder.functions import Count

		key = f"doctype:count:{dt}"
		if cache and not filters and (known := frappe.cache.get_value(key)) is not None:
			return known
		query = frappe.qb.get_query(
			table=dt, filters=filters, fields=Count("*"), distinct=distinct, validate_filters=True
		)
		number = query.run(debug=debug)[0][0]
		if cache and not filters:
			frappe.cache.set_value(key, number, expires_in_sec=86400)
		return number

	def get_last_created(self, doctype: str) -> Any:
		rows = self.get_all(doctype, fields=["creation"], limit=1, order_by="creation desc")
		return get_datetime(rows[0].creation) if rows else None

	@staticmethod
	def format_date(date: Any) -> str:
		return getdate(date).strftime("%Y-%m-%d")

	@staticmethod
	def format_datetime(datetime: Any) -> str:
		return get_datetime(datetime).strftime("%Y-%m-%d %H:%M:%S.%f") if datetime else FallBackDateTimeStr

	# writing

	@staticmethod
	def _get_update_dict(
		fieldname: str | dict, value: Any, *, modified: Any, modified_by: Any, update_modified: bool
	) -> dict[str, Any]:
		update = dict(fieldname) if isinstance(fieldname, dict) else {fieldname: value}
		if update_modified:
			update["modified"] = modified or now()
			update["modified_by"] = modified_by or frappe.session.user
		return update

	def set_value(
		self,
		dt: str,
		dn: Any,
		field: str | dict,
		val: Any = None,
		modified: Any = None,
		modified_by: str | None = None,
		update_modified: bool = True,
		debug: bool = False,
	) -> None:
		"""Write values of a document (by name) or of all that match (by filters)."""
		stamp = {"modified": modified, "modified_by": modified_by, "update_modified": update_modified}
		if dn is None or dt == dn:
			if frappe.get_meta(dt).issingle:
				self.set_single_value(dt, field, val, debug=debug, **stamp)
			return
		query = frappe.qb.get_query(table=dt, filters=dn, update=True, validate_filters=True)
		for column, value in self._get_update_dict(field, val, **stamp).items():
			query = query.set(column, value)
		frappe.clear_document_cache(dt, dn if isinstance(dn, str) else None)
		query.run(debug=debug)
		self._forget(dt)

	def _forget(self, doctype: str) -> None:
		"""Drop what `cache=True` kept of a DocType."""
		for key in [key for key in self.value_cache if key == doctype or key[0] == doctype]:
			del self.value_cache[key]

	def set_single_value(
		self,
		doctype: str,
		fieldname: str | dict,
		value: Any = None,
		*,
		modified: Any = None,
		modified_by: str | None = None,
		update_modified: bool = True,
		debug: bool = False,
	) -> None:
		update = self._get_update_dict(
			fieldname, value, modified=modified, modified_by=modified_by, update_modified=update_modified
		)
		self.delete("Singles", {"field": ("in", tuple(update)), "doctype": doctype}, debug=debug)
		rows = [(doctype, key, single_text(sbool(value))) for key, value in update.items()]
		frappe.qb.into("Singles").columns("doctype", "field", "value").insert(*rows).run(debug=debug)
		frappe.clear_document_cache(doctype, doctype)
		self.value_cache.pop(doctype, None)

	def delete(self, doctype: str, filters: Any = None, debug: bool = False, **kwargs: Any) -> Any:
		"""Delete rows without asking anybody."""
		filters = filters or kwargs.pop("conditions", None)
		query = frappe.qb.get_query(table=doctype, filters=filters, delete=True, validate_filters=True)
		return query.run(debug=debug, **kwargs)

	def bulk_insert(
		self,
		doctype: str,
		fields: list[str],
		values: Iterable[Sequence[Any]],
		ignore_duplicates: bool = False,
		*,
		chunk_size: int = 10_000,
	) -> None:
		"""Insert many rows, `chunk_size` per statement."""
		table = get_table_name(doctype)
		columns = ", ".join(f"`{field}`" for field in fields)
		head = f"INSERT {'IGNORE ' if ignore_duplicates else ''}INTO `{table}` ({columns}) VALUES "
		row = f"({', '.join(['%s'] * len(fields))})"
		limit = min(self.max_parameters, MAX_VALUES)
		size = max(min(chunk_size, limit // max(len(fields), 1)), 1)
		iterator = iter(values)
		while chunk := list(itertools.islice(iterator, size)):
			flat = list(itertools.chain.from_iterable(self.adapt_rows(table, fields, chunk)))
			self.sql(head + ", ".join([row] * len(chunk)), flat)

	max_parameters = sys.maxsize

	def adapt_rows(self, table: str, fields: list[str], rows: list[Sequence[Any]]) -> Iterable[Sequence[Any]]:
		return rows

	def bulk_update(
		self,
		doctype: str,
		doc_updates: dict[str, dict[str, Any]],
		*,
		chunk_size: int = 100,
		modified: Any = None,
		modified_by: str | None = None,
		update_modified: bool = True,
		debug: bool = False,
	) -> None:
		"""Write different values into many documents: {name: {field: value}}."""
		from frappe.query_builder import Case

		stamp = self._get_update_dict(
			{}, None, modified=modified, modified_by=modified_by, update_modified=update_modified
		)
		table = frappe.qb.DocType(doctype)
		iterator = iter(doc_updates.items())
		while chunk := dict(itertools.islice(iterator, chunk_size)):
			cases: dict[str, Any] = {}
			for name, row in chunk.items():
				for field, value in row.items():
					cases[field] = cases.get(field, Case()).when(table.name == name, value)
			query = frappe.qb.update(table)
			for field, case in cases.items():
				query = query.set(table[field], case.else_(table[field]))
			for column, value in stamp.items():
				query = query.set(table[column], value)
			query.where(table.name.isin(list(chunk))).run(debug=debug)

	# defaults

	def set_global(self, key: str, val: Any, user: str = "__global") -> None:
		self.set_default(key, val, user)

	def get_global(self, key: str, user: str = "__global") -> Any:
		return self.get_default(key, user)

	def get_default(self, key: str, parent: str = "__default") -> Any:
		value = self.get_defaults(key, parent)
		return value[0] if isinstance(value, list) and value else value

	@staticmethod
	def set_default(key: str, val: Any, parent: str = "__default", parenttype: str | None = None) -> None:
		import frappe.defaults

		frappe.defaults.set_default(key, val, parent, parenttype)

	@staticmethod
	def add_default(key: str, val: Any, parent: str = "__default", parenttype: str | None = None) -> None:
		import frappe.defaults

		frappe.defaults.add_default(key, val, parent, parenttype)

	@staticmethod
	def get_defaults(key: str | None = None, parent: str = "__default") -> Any:
		import frappe.defaults

		defaults = frappe.defaults.get_defaults_for(parent)
		return defaults if not key else defaults.get(key, defaults.get(frappe.scrub(key)))

	def get_system_setting(self, key: str) -> Any:
		return frappe.get_system_settings(key)


def _hashable(fieldname: Any) -> Any:
	return fieldname if isinstance(fieldname, str) else tuple(map(str, fieldname))


def single_text(value: Any) -> Any:
	"""A value for tabSingles, whose column is text."""
	if value is None or isinstance(value, str):
		return value
	if isinstance(value, bool):
		return str(int(value))
	return json.dumps(value) if isinstance(value, dict | list) else str(value)
