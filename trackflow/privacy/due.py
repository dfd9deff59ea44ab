"""What is due to be deleted by its age, and how far back derived data can be derived again (RET-1, DATA-3). Pure.

A touch point stays at least as long as its session, or the session would look as if it lacked one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Table:
	"""A DocType whose rows grow old: by which field, and whose they are ("" for nobody's). `statuses` are those that go."""

	doctype: str
	time: str
	visitor: str = ""
	statuses: tuple[str, ...] = ()

	@property
	def setting(self) -> str:
		"""The field of the settings with its days."""
		return "retention_" + self.doctype.lower().replace(" ", "_")


TABLES = (
	Table("Visitor Event", "timestamp", "visitor"),
	Table("Click Event", "click_timestamp", "visitor_id"),
	Table("Visitor Session", "session_start", "visitor_id"),
	Table("Touch Point", "occurred_at", "visitor_id"),
	Table("Visitor", "last_seen", "name"),
	# What still waits to be stored is nobody's to delete.
	Table("Click Queue", "creation", statuses=("Processed", "Failed")),
)
HITS = ("Click Event", "Visitor Event", "Visitor Session")


def cutoffs(now: datetime, days: Mapping[str, int]) -> dict[str, datetime]:
	"""By DocType, before when its rows are due; what is kept for good (0 days) is not in it."""
	found = {doctype: now - timedelta(days=number) for doctype, number in days.items() if number > 0}
	if "Touch Point" in found:
		session = found.get("Visitor Session")
		found["Touch Point"] = min(found["Touch Point"], session) if session else found["Touch Point"]
		if session is None and "Visitor Session" in days:
			del found["Touch Point"]
	return found


def horizon(now: datetime, days: Mapping[str, int]) -> datetime | None:
	"""Since when every hit and session is surely there; None where nothing is deleted."""
	due = cutoffs(now, days)
	return max((due[doctype] for doctype in HITS if doctype in due), default=None)
