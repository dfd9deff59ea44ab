"""When a delivery is tried again, and what becomes of a webhook whose deliveries fail (WHK-1). Pure.

A delivery is tried 14 times within about a day: after a minute, two, four and so on, at last every four hours, each pause up to a
quarter longer or shorter so that what failed together does not come back together.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_MINUTES = (1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240, 240, 240)
SPREAD = 0.25
# A target that wants to be left alone for longer is asked all the same.
LONGEST = timedelta(days=1)
NOTICE_AT, PAUSE_AT = 5, 20


def pause_after(attempts: int, chance: float, asked_for: timedelta | None = None) -> timedelta | None:
	"""How long to wait after so many attempts that failed (1 or more), where the target did not ask for longer; None: it is given up.
	`chance` is anything from 0 to 1."""
	if attempts > len(_MINUTES):
		return None
	own = timedelta(minutes=_MINUTES[attempts - 1]) * (1 - SPREAD + 2 * SPREAD * chance)
	return max(own, min(asked_for or own, LONGEST))


def asked_for(retry_after: str, now: datetime) -> timedelta | None:
	"""What a Retry-After header asks for, in seconds or as a date; None for what is neither, or over. `now` is aware."""
	text = retry_after.strip()
	if text.isascii() and text.isdigit():
		return timedelta(seconds=min(int(text[:9]), 10 * 86400)) or None
	try:
		until = parsedate_to_datetime(text)
	except (ValueError, TypeError, IndexError, OverflowError):
		return None
	pause = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
	return pause if pause > timedelta(0) else None


class Standing(NamedTuple):
	"""How a webhook fares: deliveries in a row that failed, and whether it is paused."""

	failures: int = 0
	is_paused: bool = False

	def delivered(self) -> "Standing":
		"""After a delivery that arrived. Only people resume what is paused."""
		return self._replace(failures=0)

	def failed(self, attempts: int) -> "Standing":
		"""After an attempt that failed, of a delivery that was tried so often before: only its first failure counts, or one delivery
		would pause a webhook by itself."""
		failures = self.failures + (attempts == 0)
		return Standing(failures, self.is_paused or failures >= PAUSE_AT)

	def is_worth_a_notice(self, before: "Standing") -> bool:
		"""Whether managers are told of the change."""
		crossed = before.failures < NOTICE_AT <= self.failures
		return crossed or (self.is_paused and not before.is_paused)
