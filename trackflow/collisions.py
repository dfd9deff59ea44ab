"""What to do when two jobs get into each other's way in the database: undo, wait a little, do it again."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import frappe

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS = 6


def is_collision(error: Exception) -> bool:
	"""Whether the same work again will pass: a deadlock, a lock that was not let go of, a row that somebody else made."""
	collisions = (frappe.QueryDeadlockError, frappe.QueryTimeoutError)
	# Frappe looks at the first of an error's arguments, and some have none.
	return isinstance(error, collisions) or bool(error.args and frappe.db.is_duplicate_entry(error))


def retried(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
	"""A function that begins a transaction of its own, done again after a collision."""

	@wraps(work)
	def again(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
		for attempt in range(1, ATTEMPTS):
			try:
				return work(*args, **kwargs)
			except Exception as error:
				if not is_collision(error):
					raise
				frappe.db.rollback()
				time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 a pause
		return work(*args, **kwargs)

	return again
