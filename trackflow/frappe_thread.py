"""Frappe in a thread of our own: its state is kept by context, so each thread enters a site by itself and leaves it."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe


@contextmanager
def entered(site: str, sites_path: str | None = None) -> Iterator[None]:
	"""Work on `site` with a database connection that opens when it is needed.

	This is no web request: a site in maintenance mode, which refuses those, is read all the same.
	"""
	frappe.init(site=site, **({"sites_path": sites_path} if sites_path else {}))
	try:
		frappe.connect()
		yield
	finally:
		frappe.destroy()
