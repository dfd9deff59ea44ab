"""Realtime events. There is no socket server here: events end in the debug log, and with the listeners of tests."""

from collections.abc import Callable
from typing import Any

import frappe

# Called with (event, message, keyword arguments); for tests.
listeners: list[Callable[[str | None, Any, dict], None]] = []


def publish_realtime(
	event: str | None = None, message: Any = None, *args: Any, after_commit: bool = False, **kwargs: Any
) -> None:
	def emit() -> None:
		for listener in listeners:
			listener(event, message, kwargs)

	if not listeners:
		return
	if after_commit:
		frappe.db.after_commit.add(emit)
	else:
		emit()


def publish_progress(percent: float, title: str | None = None, **kwargs: Any) -> None:
	publish_realtime("progress", {"percent": percent, "title": title}, **kwargs)
