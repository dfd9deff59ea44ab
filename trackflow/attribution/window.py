"""The lookback window: which touches a conversion can be credited to, in the order of the journey (ATT-3).

Promises that the edge belongs to the window, that nothing after the conversion does, and one order for touches of
one moment. Never drops a touch for what it is: direct ones are the models' business.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from trackflow.attribution.models import TouchLike

Touched = TypeVar("Touched", bound=TouchLike)

# More days than a calendar has; a longer window is the same window.
_MOST_DAYS = timedelta.max.days


def within(touches: Iterable[Touched], converted_at: datetime, lookback_days: float) -> list[Touched]:
	"""Return the touches from `lookback_days` before the conversion up to its own moment, by time and then by id."""
	if not lookback_days >= 0:
		raise ValueError(f"The lookback window must not be negative: {lookback_days} days.")
	length = timedelta(days=min(lookback_days, _MOST_DAYS))
	nothing = timedelta()
	inside = [touch for touch in touches if nothing <= converted_at - touch.occurred_at <= length]
	return sorted(inside, key=_order)


def _order(touch: TouchLike) -> tuple[datetime, str]:
	return touch.occurred_at, str(getattr(touch, "id", ""))
