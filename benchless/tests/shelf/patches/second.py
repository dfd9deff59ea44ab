"""Runs after the DocTypes."""

import frappe


def execute() -> None:
	frappe.db.set_global("shelf_second", (frappe.db.table_exists("Shelf Book") and "table") or "none")
