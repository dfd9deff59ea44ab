"""A range of days, as people ask for figures: both days belong to it, and they are the site's."""

from datetime import date, datetime, time, timedelta

import frappe
from frappe import _
from frappe.utils import getdate

DAYS = 30
MOST_DAYS = 1100
# Far from the ends of what a date can be, so that a range around one is one too.
EARLIEST, LATEST = date(1900, 1, 1), date(9000, 1, 1)


def day_range(from_date: str | None, to_date: str | None) -> tuple[date, date]:
	"""The first and the last day asked for; 30 days up to the last one, or to today, where they are not given."""
	last = _day(to_date) or _day(from_date, plus=DAYS - 1) or getdate()
	first = _day(from_date) or last - timedelta(days=DAYS - 1)
	if last < first:
		frappe.throw(_("The range ends on {0}, before it begins on {1}.").format(last, first))
	if (last - first).days >= MOST_DAYS:
		frappe.throw(_("A range has at most {0} days.").format(MOST_DAYS))
	return first, last


def each_day(first: date, last: date) -> list[date]:
	"""Every day from the first to the last."""
	return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def moments(first: date, last: date) -> tuple[datetime, datetime]:
	"""The moment with which the range begins, and that with which it is over."""
	return datetime.combine(first, time.min), datetime.combine(last + timedelta(days=1), time.min)


def _day(text: str | None, plus: int = 0) -> date | None:
	if not text:
		return None
	try:
		day = date.fromisoformat(text)
	except ValueError:
		day = date.min
	if not EARLIEST <= day <= LATEST:
		frappe.throw(_("{0} is no day such as 2026-03-31.").format(text))
	return day + timedelta(days=plus)
