"""When a form is synced, and what becomes of it (SYN-1). Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from trackflow.naming import key_name

PENDING, SYNCED, NOT_FOUND, ERROR = "pending", "synced", "not_found", "error"

# A sync that failed for a reason that may pass is begun anew this often, by later runs.
ATTEMPTS = 5
FIRST_PAUSE = timedelta(minutes=5)

# Why a form is in its state, by its name in CRM Sync Log; the words stand in `run`.
NOBODY, SEVERAL, REFUSED, UNREACHABLE, NOTHING = "nobody", "several", "refused", "unreachable", "nothing"
EXPIRED = "expired"


class Outcome(NamedTuple):
	"""What became of a form; `due_at` when it is begun anew, for one that is pending."""

	status: str
	reason: str = ""
	remote_id: str = ""
	message: str = ""
	due_at: datetime | None = None


def idempotency_key(provider: str, event: str) -> str:
	"""One sync for each submission, whose name follows from site key and event id: a browser that sends it again, for as long as
	the log is kept (a day at least), adds nothing."""
	return key_name("crm sync", provider, event)


def found(ids: Collection[str]) -> Outcome | None:
	"""What a search without one person comes to; None where there is one."""
	if len(ids) == 1:
		return None
	if not ids:
		return Outcome(NOT_FOUND, NOBODY)
	return Outcome(ERROR, SEVERAL)


def unreachable(attempts: int, now: datetime, message: str) -> Outcome:
	"""After the so-manieth attempt that failed for a reason that may pass."""
	if attempts >= ATTEMPTS:
		return Outcome(ERROR, UNREACHABLE, message=message)
	return Outcome(PENDING, UNREACHABLE, message=message, due_at=now + FIRST_PAUSE * 2 ** (attempts - 1))
