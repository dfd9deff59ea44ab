"""Google Ads: the CSV of *Import conversions from clicks*. Pure.

Rules, and where Google publishes them:

- Columns *Google Click ID*, *GBRAID*, *WBRAID*, *Conversion Name*, *Conversion Time*, *Conversion Value*, *Conversion Currency*; no
  other columns and no personal information (Google Ads Help 7014069, guidelines for spreadsheets). So no e-mail address.
- One click id in each line (Google Ads API, ClickConversion: gclid, gbraid and wbraid exclude each other).
- *Conversion Name* is that of a conversion action in the account, letter by letter (7014069).
- *Conversion Time* as `yyyy-MM-dd HH:mm:ss+z`, such as 2012-08-14 13:00:00+0500 (7014069). With its offset in every line, a
  `Parameters:TimeZone` line is left out, as the same page says.
- The conversion is after the click and not in the future; the click is at most 90 days old, and at least 6 hours
  (OfflineConversionError: CONVERSION_PRECEDES_CLICK, FUTURE_CONVERSION_TIME, EXPIRED_CLICK, TOO_RECENT_CLICK).
- Currency: ISO 4217 (ClickConversion.currency_code). A value is optional.

A line's length and the number of lines are not published; `MOST` bounds a file.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from trackflow.links.csv_text import lines as csv_lines
from trackflow.links.csv_text import neutral
from trackflow.offline import reasons
from trackflow.offline.formats import decimal_text, name_error
from trackflow.offline.shapes import Event, Platform, elapsed, later

KINDS = ("gclid", "gbraid", "wbraid")
COLUMNS = (
	"Google Click ID", "GBRAID", "WBRAID", "Conversion Name", "Conversion Time", "Conversion Value", "Conversion Currency",
)  # fmt: skip
WINDOW = timedelta(days=90)
SETTLED = timedelta(hours=6)
MOST = 10_000
LONGEST_NAME = 100


def action_error(name: str) -> str:
	if neutral(name) != name.strip():
		return "it begins as a formula of a spreadsheet does"
	return name_error(name, LONGEST_NAME)


def refused(event: Event, now: datetime) -> str:
	if event.click is None:
		return reasons.NO_CLICK
	age = elapsed(event.click.at, now)
	if age > WINDOW:
		return reasons.CLICK_TOO_OLD
	return reasons.CLICK_TOO_RECENT if age < SETTLED else ""


def until(event: Event) -> datetime:
	return later(event.click.at, WINDOW)


def line(event: Event) -> str:
	ids = [event.click.value if event.click.kind == kind else "" for kind in KINDS]
	value = "" if event.value is None else decimal_text(event.value)
	return _row([*ids, event.called, event.at.strftime("%Y-%m-%d %H:%M:%S%z"), value, event.currency])


def document(lines: Iterable[str]) -> str:
	return "\r\n".join((_row(COLUMNS), *lines, ""))


def _row(cells: Iterable[str]) -> str:
	return csv_lines([cells], end="")


GOOGLE = Platform(
	"Google Ads",
	KINDS,
	WINDOW,
	WINDOW,
	MOST,
	"csv",
	False,
	False,
	action_error,
	refused,
	until,
	line,
	document,
)
