"""The arithmetic of the conversion funnel: from how far each one came to figures by step (RPT-1). Pure.

A funnel is a chain of steps, step 0 being the entry. Who reached a step has passed all before it, so no step can have more
than the one before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trackflow.reports.groups import MOST_GROUPS, OTHERS, folded


@dataclass(frozen=True, slots=True)
class Tally:
	"""So many of a group that came as far as `step` of their chain, and are lost there or still open (or won)."""

	group: str
	step: int
	is_lost: bool
	count: int


@dataclass(frozen=True, slots=True)
class Visits:
	"""The visits of a group in the period, and by how many visitors."""

	group: str
	sessions: int
	visitors: int


@dataclass(frozen=True, slots=True)
class Reached:
	"""A step: how many reached it, what share that is (per cent; None where there is nothing to be a share of), and how many
	of them came no further, lost or open. The last step is the goal, where nobody is either."""

	count: int
	of_step_before: float | None
	of_entry: float | None
	lost: int
	still_open: int


@dataclass(slots=True)
class Group:
	"""What the report says of a campaign, source or medium; `name` is OTHERS for the small ones together."""

	name: str | None
	sessions: int = 0
	visitors: int = 0
	leads: list[Tally] = field(default_factory=list)
	deals: list[Tally] = field(default_factory=list)

	@property
	def size(self) -> tuple[int, int, int]:
		"""What groups are ordered by: leads, deals without a lead, visitors."""
		return total(self.leads), total(self.deals), self.visitors

	def add(self, other: "Group") -> None:
		self.sessions += other.sessions
		self.visitors += other.visitors
		self.leads += other.leads
		self.deals += other.deals


@dataclass(frozen=True, slots=True)
class Shape:
	"""How long the two chains are. A lead's: lead, its statuses, deal, its stages, won. A deal's own: deal, its stages, won.
	`lead_steps` and `deal_steps` are the numbers of statuses and stages that are steps."""

	lead_steps: int
	deal_steps: int

	@property
	def of_leads(self) -> int:
		return 1 + self.lead_steps + self.of_deals

	@property
	def of_deals(self) -> int:
		return 1 + self.deal_steps + 1

	def lead_step(self, status: int, stage: int | None, is_won: bool) -> int:
		"""Where on its chain a lead stands whose furthest status is `status` and whose deals' furthest stage is `stage`, both
		numbered from 1, 0 for none of the steps; without a deal `stage` is None."""
		return status if stage is None else 1 + self.lead_steps + self.deal_step(stage, is_won)

	def deal_step(self, stage: int, is_won: bool) -> int:
		"""The same of a deal on its own chain."""
		return 1 + self.deal_steps if is_won else stage


def total(tallies: Iterable[Tally]) -> int:
	return sum(tally.count for tally in tallies)


def share(part: int, whole: int) -> float | None:
	"""Per cent; None of nothing."""
	return 100 * part / whole if whole else None


def chain(tallies: Sequence[Tally], length: int) -> list[Reached]:
	"""The figures of a chain of `length` steps."""
	lost, rest = [0] * length, [0] * length
	for tally in tallies:
		(lost if tally.is_lost else rest)[min(tally.step, length - 1)] += tally.count
	counts, reached = [0] * length, 0
	for step in reversed(range(length)):
		reached += lost[step] + rest[step]
		counts[step] = reached
	return [
		Reached(
			counts[step],
			share(counts[step], counts[step - 1]) if step else None,
			share(counts[step], counts[0]),
			lost[step],
			rest[step] if step < length - 1 else 0,
		)
		for step in range(length)
	]


def groups(visits: Iterable[Visits], leads: Iterable[Tally], deals: Iterable[Tally]) -> list[Group]:
	"""All by group, largest first; names that differ in case alone are one, and what is beyond MOST_GROUPS is one too."""
	found: dict[str, Group] = {}

	def group(name: str) -> Group:
		return found.setdefault(folded(name), Group(name.strip()))

	for tally in leads:
		group(tally.group).leads.append(tally)
	for tally in deals:
		group(tally.group).deals.append(tally)
	for one in visits:
		group(one.group).sessions += one.sessions
		group(one.group).visitors += one.visitors
	ordered = sorted(found.items(), key=lambda item: ([-size for size in item[1].size], item[0]))
	shown, rest = ordered[:MOST_GROUPS], ordered[MOST_GROUPS:]
	if rest:
		shown.append(("", together((one for _key, one in rest), OTHERS)))
	return [one for _key, one in shown]


def together(some: Iterable[Group], name: str | None) -> Group:
	"""The sum of groups, under a name."""
	sum_of_all = Group(name)
	for one in some:
		sum_of_all.add(one)
	return sum_of_all
