"""Counts how often it runs."""

import frappe


def execute() -> None:
	frappe.db.set_global("shelf_first", int(frappe.db.get_global("shelf_first") or 0) + 1)
