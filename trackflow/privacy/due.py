"""What is due to be deleted by its age, and how far back derived data can be derived again (RET-1, DATA-3). Pure.

A touch point stays at least as long as its session, or the session would look as if it lacked one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Table:
	"""A DocType whose rows grow old: by which field, and whose they are ("" for nobody's). `statuses` are those that go. `by_day`:
	the field is a day. `archived`: rows become a file before they go, where the site keeps an archive. `credited`: a row on which
	a credit rests does not go, and becomes nobody's."""

	doctype: str
	time: str
	visitor: str = ""
	statuses: tuple[str, ...] = ()
	by_day: bool = False
	archived: bool = False
	credited: bool = False

	@property
	def setting(self) -> str:
		"""The field of the settings with its days."""
		return "retention_" + self.doctype.lower().replace(" ", "_")


# Never go, as totals rest on them: they become nobody's, with all that is credited for them (`kept`).
CONVERSIONS = Table("Conversion", "conversion_date", "visitor")
TABLES = (
	Table("Visitor Event", "timestamp", "visitor"),
	Table("Click Event", "click_timestamp", "visitor_id", archived=True),
	Table("Visitor Session", "session_start", "visitor_id", archived=True, credited=True),
	Table("Touch Point", "occurred_at", "visitor_id", credited=True),
	Table("Visitor", "last_seen", "name"),
	# What still waits to be stored is nobody's to delete.
	Table("Click Queue", "creation", statuses=("Processed", "Failed")),
	Table("Deal Stage Change", "change_date"),
	Table("Lead Status Change", "change_date"),
	Table("Daily Campaign Metric", "date", by_day=True),
	# Without them an import can no longer be undone; all of an import have one time.
	Table("Cost Import Row", "creation"),
	Table("Daily Rollup", "date", by_day=True),
	Table("Daily Click Rollup", "date", by_day=True),
	Table("TrackFlow Exchange Rate", "date", by_day=True),
	Table(
		"Email Campaign Log",
		"creation",
		statuses=("Sent", "Opened", "Clicked", "Bounced", "Unsubscribed", "Failed", "Skipped"),
	),
	Table("API Request Log", "request_time"),
	Table("Webhook Delivery", "creation", statuses=("Delivered", "Failed")),
	Table("CRM Sync Log", "creation", statuses=("synced", "not_found", "error")),
)
ALL = (CONVERSIONS, *TABLES)
HITS = ("Click Event", "Visitor Event", "Visitor Session")


def cutoffs(now: datetime, days: Mapping[str, int], whole_days: bool = False) -> dict[str, datetime]:
	"""By DocType, before when its rows are due; what is kept for good (0 days) is not in it. With `whole_days` no day is due in
	part, so that each is archived at once."""
	if whole_days:
		now = now.replace(hour=0, minute=0, second=0, microsecond=0)
	found = {doctype: now - timedelta(days=number) for doctype, number in days.items() if number > 0}
	if "Touch Point" in found:
		session = found.get("Visitor Session")
		found["Touch Point"] = min(found["Touch Point"], session) if session else found["Touch Point"]
		if session is None and "Visitor Session" in days:
			del found["Touch Point"]
	return found


def horizon(now: datetime, days: Mapping[str, int], deleted_until: datetime | None = None) -> datetime | None:
	"""Since when every hit and session is surely there; None where nothing is deleted. What was deleted before the days were
	raised does not come back."""
	due = cutoffs(now, days)
	found = [due[doctype] for doctype in HITS if doctype in due]
	return max([*found, *([deleted_until] if deleted_until else [])], default=None)
