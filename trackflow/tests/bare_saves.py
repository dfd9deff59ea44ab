"""Saves of documents without TrackFlow, to compare its own with (CRM-2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import frappe


@contextmanager
def without_our_hooks() -> Iterator[None]:
	"""The site's documents as they would be saved if TrackFlow were not there."""
	hooks = {
		doctype: {
			event: [handler for handler in handlers if not handler.startswith("trackflow.")]
			for event, handlers in events.items()
		}
		for doctype, events in frappe.get_doc_hooks().items()
	}
	with patch.object(frappe.local, "doc_events_hooks", hooks):
		yield
