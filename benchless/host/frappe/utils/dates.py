"""Dates and times as `frappe.utils` gives them: naive values in the site's time zone.

Part of `frappe.utils.data`. Texts are read as ISO first and by dateutil otherwise.
"""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import parser
from dateutil.relativedelta import relativedelta

import frappe

DATE_FORMAT = "%Y-%m-%d"
TIME_FORMAT = "%H:%M:%S.%f"
DATETIME_FORMAT = f"{DATE_FORMAT} {TIME_FORMAT}"

DateTimeLikeObject = str | datetime.date | datetime.datetime


def get_system_timezone() -> str:
	"""Time zone of the site: System Settings, else the configuration, else UTC."""
	conf = getattr(frappe.local, "conf", None) or {}
	if not getattr(frappe.local, "db", None) or frappe.flags.in_install_db:
		return conf.get("time_zone") or "UTC"
	return frappe.get_system_settings("time_zone") or conf.get("time_zone") or "UTC"


def convert_utc_to_timezone(utc_timestamp: datetime.datetime, time_zone: str) -> datetime.datetime:
	if utc_timestamp.tzinfo is None:
		utc_timestamp = utc_timestamp.replace(tzinfo=datetime.UTC)
	return utc_timestamp.astimezone(ZoneInfo(time_zone))


def convert_utc_to_system_timezone(utc_timestamp: datetime.datetime) -> datetime.datetime:
	return convert_utc_to_timezone(utc_timestamp, get_system_timezone())


def get_datetime_in_timezone(time_zone: str) -> datetime.datetime:
	return convert_utc_to_timezone(datetime.datetime.now(datetime.UTC), time_zone)


def now_datetime() -> datetime.datetime:
	"""Now in the site's time zone, naive."""
	return get_datetime_in_timezone(get_system_timezone()).replace(tzinfo=None)


def now() -> str:
	"""Now as text; `frappe.flags.current_date` fixes the date (tests)."""
	if fixed := frappe.flags.current_date:
		return f"{getdate(fixed).strftime(DATE_FORMAT)} {now_datetime().strftime(TIME_FORMAT)}"
	return now_datetime().strftime(DATETIME_FORMAT)


def nowdate() -> str:
	return now_datetime().strftime(DATE_FORMAT)


def today() -> str:
	return nowdate()


def nowtime() -> str:
	return now_datetime().strftime(TIME_FORMAT)


def is_invalid_date_string(date_string: Any) -> bool:
	return not isinstance(date_string, str) or (
		(not date_string) or date_string.startswith(("0001-01-01", "0000-00-00"))
	)


def getdate(
	string_date: DateTimeLikeObject | None = None, parse_day_first: bool = False
) -> datetime.date | None:
	"""A date; today if nothing is given, None for a zero date."""
	if not string_date:
		return now_datetime().date()
	if isinstance(string_date, datetime.datetime):
		return string_date.date()
	if isinstance(string_date, datetime.date):
		return string_date
	if is_invalid_date_string(string_date):
		return None
	try:
		return parser.parse(string_date, dayfirst=parse_day_first).date()
	except (parser.ParserError, OverflowError):
		frappe.throw(
			frappe._("{} is not a valid date string.").format(frappe.bold(string_date)),
			title=frappe._("Invalid Date"),
		)


def get_datetime(datetime_str: Any = None) -> datetime.datetime | datetime.timedelta | None:
	"""A datetime; now if None is given, None for an empty or zero date."""
	if datetime_str is None:
		return now_datetime()
	if isinstance(datetime_str, datetime.datetime | datetime.timedelta):
		return datetime_str
	if isinstance(datetime_str, list | tuple):
		return datetime.datetime(*datetime_str)
	if isinstance(datetime_str, datetime.date):
		return datetime.datetime.combine(datetime_str, datetime.time())
	if is_invalid_date_string(datetime_str):
		return None
	try:
		return datetime.datetime.strptime(datetime_str, DATETIME_FORMAT)
	except ValueError:
		return parser.parse(datetime_str)


def to_timedelta(time_str: Any) -> Any:
	if isinstance(time_str, datetime.time):
		return datetime.timedelta(
			hours=time_str.hour,
			minutes=time_str.minute,
			seconds=time_str.second,
			microseconds=time_str.microsecond,
		)
	return get_timedelta(time_str) if isinstance(time_str, str) else time_str


def get_timedelta(time: str | datetime.timedelta | None = None) -> datetime.timedelta | None:
	"""A duration from a time of day, None where it is none."""
	if isinstance(time, datetime.timedelta):
		return time
	try:
		return to_timedelta(parser.parse(time or "0:0:0").time())
	except (parser.ParserError, OverflowError):
		return None


def get_time(time_str: Any) -> datetime.time:
	if isinstance(time_str, datetime.datetime):
		return time_str.time()
	if isinstance(time_str, datetime.time):
		return time_str
	if isinstance(time_str, datetime.timedelta):
		return (datetime.datetime.min + time_str).time()
	try:
		return parser.parse(time_str).time()
	except parser.ParserError:
		frappe.throw(frappe._("{0} is not a valid time.").format(time_str))


def add_to_date(
	date: DateTimeLikeObject | None,
	years: float = 0,
	months: float = 0,
	weeks: float = 0,
	days: float = 0,
	hours: float = 0,
	minutes: float = 0,
	seconds: float = 0,
	as_string: bool = False,
	as_datetime: bool = False,
) -> Any:
	"""A date moved on; text comes back as text, a date as a date."""
	if date is None:
		date = now_datetime()
	if hours:
		as_datetime = True
	if isinstance(date, str):
		as_string = True
		as_datetime = as_datetime or " " in date
		try:
			date = parser.parse(date)
		except (parser.ParserError, OverflowError):
			frappe.throw(frappe._("Please select a valid date filter"), title=frappe._("Invalid Date"))
	date = date + relativedelta(
		years=years, months=months, weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds
	)
	if as_string:
		return date.strftime(DATETIME_FORMAT if as_datetime else DATE_FORMAT)
	return date


def add_days(date: DateTimeLikeObject | None, days: float) -> Any:
	return add_to_date(date, days=days)


def add_months(date: DateTimeLikeObject | None, months: int) -> Any:
	return add_to_date(date, months=months)


def add_years(date: DateTimeLikeObject | None, years: int) -> Any:
	return add_to_date(date, years=years)


def date_diff(string_ed_date: DateTimeLikeObject, string_st_date: DateTimeLikeObject) -> int:
	return (getdate(string_ed_date) - getdate(string_st_date)).days


days_diff = date_diff


def month_diff(string_ed_date: DateTimeLikeObject, string_st_date: DateTimeLikeObject) -> int:
	end, start = getdate(string_ed_date), getdate(string_st_date)
	return (end.year - start.year) * 12 + end.month - start.month + 1


def time_diff(string_ed_date: DateTimeLikeObject, string_st_date: DateTimeLikeObject) -> datetime.timedelta:
	return get_datetime(string_ed_date) - get_datetime(string_st_date)


def time_diff_in_seconds(string_ed_date: DateTimeLikeObject, string_st_date: DateTimeLikeObject) -> float:
	return time_diff(string_ed_date, string_st_date).total_seconds()


def time_diff_in_hours(string_ed_date: DateTimeLikeObject, string_st_date: DateTimeLikeObject) -> float:
	return round(time_diff_in_seconds(string_ed_date, string_st_date) / 3600, 6)


def get_timestamp(date: DateTimeLikeObject) -> float:
	return datetime.datetime.combine(getdate(date), datetime.time()).timestamp()


def get_first_day(dt: Any, d_years: int = 0, d_months: int = 0, as_str: bool = False) -> Any:
	first = getdate(dt).replace(day=1) + relativedelta(years=d_years, months=d_months)
	return first.strftime(DATE_FORMAT) if as_str else first


def get_last_day(dt: Any) -> datetime.date:
	return get_first_day(dt, 0, 1) - datetime.timedelta(days=1)


def get_first_day_of_week(dt: Any, as_str: bool = False) -> Any:
	"""The Sunday on or before a day, Frappe's default."""
	date = getdate(dt)
	first = date - datetime.timedelta(days=(date.weekday() + 1) % 7)
	return first.strftime(DATE_FORMAT) if as_str else first


def get_last_day_of_week(dt: Any) -> datetime.date:
	return get_first_day_of_week(dt) + datetime.timedelta(days=6)


def get_quarter_start(dt: Any, as_str: bool = False) -> Any:
	date = getdate(dt)
	first = date.replace(month=(date.month - 1) // 3 * 3 + 1, day=1)
	return first.strftime(DATE_FORMAT) if as_str else first


def get_year_start(dt: Any, as_str: bool = False) -> Any:
	first = getdate(dt).replace(month=1, day=1)
	return first.strftime(DATE_FORMAT) if as_str else first


def get_datetime_str(datetime_obj: DateTimeLikeObject) -> str:
	return get_datetime(datetime_obj).strftime(DATETIME_FORMAT)


def get_date_str(date_obj: DateTimeLikeObject) -> str:
	return get_datetime(date_obj).strftime(DATE_FORMAT)


def get_time_str(timedelta_obj: Any) -> str:
	return format_timedelta(to_timedelta(timedelta_obj))


def format_timedelta(o: datetime.timedelta) -> str:
	"""`H:MM:SS[.ffffff]`, with a sign where negative."""
	total = o.total_seconds()
	sign, total = ("-", -total) if total < 0 else ("", total)
	whole, micro = int(total), round((total - int(total)) * 1_000_000)
	text = f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
	return f"{text}.{micro:06}" if micro else text


# Letters of a user's format, longest first, and what strftime calls them.
_TOKENS = (
	("yyyy", "%Y"),
	("YYYY", "%Y"),
	("yy", "%y"),
	("MMMM", "%B"),
	("MMM", "%b"),
	("MM", "%m"),
	("EEEE", "%A"),
	("dd", "%d"),
	("DD", "%d"),
	("HH", "%H"),
	("hh", "%I"),
	("mm", "%M"),
	("ss", "%S"),
	("a", "%p"),
)


def _strftime(value: datetime.date | datetime.time, pattern: str) -> str:
	out, i = "", 0
	while i < len(pattern):
		for token, code in _TOKENS:
			if pattern.startswith(token, i):
				out += value.strftime(code)
				i += len(token)
				break
		else:
			out += pattern[i]
			i += 1
	return out


def get_user_date_format() -> str:
	return frappe.get_system_settings("date_format") or "yyyy-mm-dd"


def get_user_time_format() -> str:
	return frappe.get_system_settings("time_format") or "HH:mm:ss"


def formatdate(
	string_date: Any = None, format_string: str | None = None, parse_day_first: bool = False
) -> str:
	"""A date in the user's format; empty for nothing and for what is no date."""
	if not string_date:
		return ""
	date = getdate(string_date, parse_day_first)
	# in a date, mm is the month
	pattern = (format_string or get_user_date_format()).replace("mm", "MM")
	return _strftime(date, pattern) if date else ""


format_date = formatdate


def format_time(time_string: Any = None, format_string: str | None = None) -> str:
	if time_string is None or time_string == "":
		return ""
	return _strftime(get_time(time_string), format_string or get_user_time_format())


def format_datetime(datetime_string: Any, format_string: str | None = None) -> str:
	if not datetime_string:
		return ""
	value = get_datetime(datetime_string)
	pattern = format_string or f"{get_user_date_format().replace('mm', 'MM')} {get_user_time_format()}"
	return _strftime(value, pattern) if value else ""


def format_duration(seconds: float, hide_days: bool = False) -> str:
	"""`1d 2h 3m 4s`, without the parts that are zero."""
	seconds = int(float(seconds or 0))
	days, rest = (0, seconds) if hide_days else divmod(seconds, 86400)
	parts = ((days, "d"), (rest // 3600, "h"), (rest // 60 % 60, "m"), (rest % 60, "s"))
	return " ".join(f"{value}{unit}" for value, unit in parts if value)


def pretty_date(iso_datetime: Any) -> str:
	"""How long ago, in words."""
	if not iso_datetime:
		return ""
	seconds = int((now_datetime() - get_datetime(iso_datetime)).total_seconds())
	steps = ((86400, "days"), (3600, "hours"), (60, "minutes"))
	for size, word in steps:
		if seconds >= size:
			return frappe._(f"{{0}} {word} ago").format(seconds // size)
	return frappe._("just now")
