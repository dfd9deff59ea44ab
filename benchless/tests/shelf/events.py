"""What the hooks call: each notes that it was called."""

from typing import Any

import frappe

calls: list[tuple] = []


def before_install() -> None:
	calls.append(("before_install", frappe.db.exists("DocType", "Shelf Book")))


def after_install() -> None:
	calls.append(("after_install", frappe.db.exists("DocType", "Shelf Book")))


def before_uninstall() -> None:
	calls.append(("before_uninstall", frappe.db.exists("DocType", "Shelf Book")))


def after_uninstall() -> None:
	calls.append(("after_uninstall", frappe.db.exists("DocType", "Shelf Book")))


def before_app_install(app: str) -> None:
	calls.append(("before_app_install", app))


def after_app_install(app: str) -> None:
	calls.append(("after_app_install", app))


def before_app_uninstall(app: str) -> None:
	calls.append(("before_app_uninstall", app))


def after_app_uninstall(app: str) -> None:
	calls.append(("after_app_uninstall", app))


def after_migrate() -> None:
	calls.append(("after_migrate", frappe.db.exists("DocType", "Shelf Book")))


def on_book(doc: Any, method: str) -> None:
	calls.append(("book", method))


def on_note(doc: Any, method: str) -> None:
	calls.append((doc.doctype, method))


def on_any(doc: Any, method: str) -> None:
	calls.append(("*", doc.doctype, method))


def log_conditions(user: str) -> str:
	return "" if user == "Administrator" else "`tabShelf Log`.`line` like 'open%'"


def may_log(doc: Any, ptype: str, user: str) -> bool:
	return doc.line != "secret"
