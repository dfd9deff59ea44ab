"""Times. Inside they are naive and in the site's time zone, as Frappe's; the API speaks ISO 8601 with offset."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1)


def site_time(epoch_seconds: float, zone: ZoneInfo) -> datetime:
	"""An instant as Frappe stores it: naive, in the site's time zone."""
	if (offset := _offset_within(int(epoch_seconds // 60), zone)) is not None:
		return _EPOCH + timedelta(0, epoch_seconds) + offset
	return datetime.fromtimestamp(epoch_seconds, zone).replace(tzinfo=None)


def advancing_time(epoch_seconds: float, zone: ZoneInfo) -> datetime:
	"""The same for comparing with times that people entered: it never goes back.

	Where the clock is put back and an hour comes twice, the second one is the last moment of the first. So a time in
	that hour is when the clock shows it first, and what is over by then is over.
	"""
	if (offset := _offset_within(int(epoch_seconds // 60), zone)) is not None:
		return _EPOCH + timedelta(0, epoch_seconds) + offset
	moment = datetime.fromtimestamp(epoch_seconds, zone)
	if not moment.fold:
		return moment.replace(tzinfo=None)
	put_back = moment.replace(fold=0).utcoffset() - moment.utcoffset()
	# The change lies between these two; whole seconds are fine enough for any zone.
	before, after = int(epoch_seconds - put_back.total_seconds()), int(epoch_seconds)
	while after - before > 1:
		between = (before + after) // 2
		if datetime.fromtimestamp(between, zone).fold:
			after = between
		else:
			before = between
	return site_time(before, zone) + timedelta(seconds=1) - datetime.resolution


@lru_cache(maxsize=64)
def _offset_within(minute: int, zone: ZoneInfo) -> timedelta | None:
	"""By how much the clock is ahead of UTC within a minute since 1970; None where it changes, or shows an hour again."""
	first, last = (datetime.fromtimestamp(minute * 60 + second, zone) for second in (0, 60))
	settled = not first.fold and not last.fold and first.utcoffset() == last.utcoffset()
	return first.utcoffset() if settled else None


def iso(moment: datetime | None, zone: ZoneInfo) -> str | None:
	"""A stored time with the site's offset."""
	return moment.replace(tzinfo=zone).isoformat() if moment else None
