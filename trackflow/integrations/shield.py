"""Keeps a document's save safe from tracking: whatever a shielded hook does wrong is undone and logged, never raised."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import frappe
from frappe.model.document import Document

from trackflow.runs import note_failure

Hook = Callable[..., None]
SAVE_POINT = "trackflow_hook"


def shielded(hook: Hook) -> Hook:
	"""A doc_events hook that cannot fail its document."""

	@wraps(hook)
	def safe(doc: Document, method: str | None = None, *args: Any) -> None:
		frappe.db.savepoint(SAVE_POINT)
		try:
			hook(doc, method, *args)
		except Exception:
			frappe.db.rollback(save_point=SAVE_POINT)
			note_failure(f"TrackFlow: {hook.__module__}.{hook.__name__} failed for {doc.name}")

	return safe
