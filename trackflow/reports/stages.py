"""What the statuses of a CRM mean to reports: steps on the way in their order, won, lost, or waiting. Pure.

The CRM says by a status's type where its version has one; else its own names for won and lost count, and everything else is
a step.
"""

from collections.abc import Iterable
from dataclasses import dataclass

WON, LOST, ON_HOLD = "Won", "Lost", "On Hold"
# What versions without types call these; a status that somebody named otherwise is a step.
_WON_NAMES = frozenset({"won"})
_LOST_NAMES = frozenset({"lost", "unqualified", "junk"})


@dataclass(frozen=True, slots=True)
class Status:
	"""A lead's or deal's status as the CRM has it; `kind` is its type, None where the version has none."""

	name: str
	position: int
	kind: str | None = None

	@property
	def meaning(self) -> str:
		"""WON, LOST, ON_HOLD, or "" for a step."""
		if self.kind is not None:
			return self.kind if self.kind in (WON, LOST, ON_HOLD) else ""
		name = self.name.casefold()
		return WON if name in _WON_NAMES else LOST if name in _LOST_NAMES else ""


@dataclass(frozen=True, slots=True)
class Stages:
	"""The statuses of leads or of deals by what they mean, each in the CRM's order."""

	steps: tuple[str, ...]
	won: tuple[str, ...] = ()
	lost: tuple[str, ...] = ()
	on_hold: tuple[str, ...] = ()


def of_deals(statuses: Iterable[Status]) -> Stages:
	"""Steps, and what ends them."""
	by_meaning = _by_meaning(statuses)
	return Stages(by_meaning[""], by_meaning[WON], by_meaning[LOST], by_meaning[ON_HOLD])


def of_leads(statuses: Iterable[Status]) -> Stages:
	"""As with deals, but a lead that is won goes on as a deal: its won statuses are its last steps."""
	by_meaning = _by_meaning(statuses)
	return Stages(by_meaning[""] + by_meaning[WON], (), by_meaning[LOST], by_meaning[ON_HOLD])


def _by_meaning(statuses: Iterable[Status]) -> dict[str, tuple[str, ...]]:
	ordered = sorted(statuses, key=lambda status: (status.position, status.name))
	return {
		meaning: tuple(status.name for status in ordered if status.meaning == meaning)
		for meaning in ("", WON, LOST, ON_HOLD)
	}
