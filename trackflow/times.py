"""Times. Inside they are naive and in the site's time zone, as Frappe's; the API speaks ISO 8601 with offset."""

from datetime import datetime
from zoneinfo import ZoneInfo


def site_time(epoch_seconds: float, zone: ZoneInfo) -> datetime:
	"""An instant as Frappe stores it: naive, in the site's time zone."""
	return datetime.fromtimestamp(epoch_seconds, zone).replace(tzinfo=None)


def iso(moment: datetime | None, zone: ZoneInfo) -> str | None:
	"""A stored time with the site's offset."""
	return moment.replace(tzinfo=zone).isoformat() if moment else None
