"""The site's database: SQLite, or MariaDB where the configuration says so."""

from typing import Any

import frappe
from frappe.database.database import savepoint


def get_db(cur_db_name: str | None = None, **kwargs: Any) -> Any:
	"""A `frappe.db` for the current site."""
	if frappe.conf.db_type == "mariadb":
		from frappe.database.mariadb import MariaDBDatabase

		return MariaDBDatabase(cur_db_name)
	from frappe.database.sqlite import SQLiteDatabase

	return SQLiteDatabase(cur_db_name)


__all__ = ["get_db", "savepoint"]
