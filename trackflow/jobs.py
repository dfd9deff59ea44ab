"""The one way to a background job: identified, deduplicated, after the commit.

A caller names the method and the job's identity; two calls with one identity are one job while it waits or runs. Frappe
drops a call whose job is running already, which may have read what it works on before the change that the call is about:
so the identity names the state that the job must see (a document's version, a set of names), not only the document.
"""

from typing import Any

import frappe

try:
	# Raised wherever a job is when its time is over, so that none may take it for an error of its own work.
	from rq.timeouts import BaseTimeoutException as TimeIsUp
except ImportError:

	class TimeIsUp(Exception):
		"""A host without rq does not interrupt its jobs."""


def enqueue(
	method: str, *, job_id: str, queue: str = "default", timeout: int = 300, **arguments: Any
) -> None:
	"""Queue `method` (a dotted path) with JSON-like `arguments`, to run once the current transaction is stored."""
	frappe.enqueue(
		method,
		queue=queue,
		timeout=timeout,
		enqueue_after_commit=True,
		job_id=f"trackflow::{job_id}",
		deduplicate=True,
		**arguments,
	)
