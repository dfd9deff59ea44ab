"""What is left alone: campaigns that are young, and waste that somebody knows of. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from trackflow.rollups.grains import Place


class Acknowledged(NamedTuple):
	"""Until when (None: for good) and up to which amount (0: any) a waste is known and quiet."""

	until: date | None
	amount: Decimal

	def covers(self, today: date, waste: Decimal) -> bool:
		return (self.until is None or today <= self.until) and (not self.amount or waste <= self.amount)


class Young(NamedTuple):
	"""Tells which campaigns were too young on a day to be judged: those that began in the `days` before it.

	A campaign began on its start date (`starts`, by folded name); one without on its first spend, so it is old if it is in `spent_before`.
	"""

	day: date
	days: int
	starts: Mapping[str, date]
	spent_before: frozenset[Place]

	def includes(self, place: Place) -> bool:
		campaign = place.at("Campaign").folded
		if not self.days or not campaign.campaign:
			return False
		start = self.starts.get(campaign.campaign)
		return start > self.since if start else campaign not in self.spent_before

	@property
	def since(self) -> date:
		"""Who began after this day is young."""
		return self.day - timedelta(days=self.days)


def places(rows: Iterable[Iterable[str]]) -> frozenset[Place]:
	"""Folded places of platforms and campaigns."""
	return frozenset(Place(*row).folded for row in rows)
