"""Which of the site's campaigns a cost belongs to: by the platform's ids, the finest first, else by name. Pure.

Nothing is guessed: names must be the same but for case, and a campaign that names its platform takes costs of no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from trackflow.costs.facts import Fact, tidy
from trackflow.costs.platforms import platform_of


@dataclass(frozen=True, slots=True)
class Campaign:
	name: str
	slug: str
	platform: str
	campaign_id: str
	adset_id: str
	ad_id: str


@dataclass(slots=True)
class Campaigns:
	"""Campaigns by what finds them, in the order of their names."""

	_found_by: dict[tuple[str, str], list[Campaign]] = field(default_factory=dict)

	@classmethod
	def of(cls, campaigns: Iterable[Campaign]) -> Campaigns:
		known = cls()
		for campaign in sorted(campaigns, key=lambda one: one.name):
			for key in _keys(campaign):
				known._found_by.setdefault(key, []).append(campaign)
		return known

	def of_fact(self, fact: Fact) -> str:
		"""The name of the campaign; "" for none."""
		wanted = (
			("ad", fact.ad_id),
			("adset", fact.adset_id),
			("campaign", fact.campaign_id),
			("name", fact.campaign.casefold()),
			("slug", fact.campaign.casefold()),
		)
		for kind, value in wanted:
			fitting = [
				one
				for one in (self._found_by.get((kind, value), ()) if value else ())
				if not one.platform or platform_of(one.platform) == fact.platform
			]
			if fitting:
				# One that names the platform before one that names none.
				return next((one for one in fitting if one.platform), fitting[0]).name
		return ""


def _keys(campaign: Campaign) -> list[tuple[str, str]]:
	"""By its finest id alone: a campaign that stands for one ad does not take the costs of its neighbours."""
	keys = [("name", tidy(campaign.name).casefold()), ("slug", campaign.slug.casefold())]
	for kind, value in (
		("ad", campaign.ad_id),
		("adset", campaign.adset_id),
		("campaign", campaign.campaign_id),
	):
		if value:
			return [*keys, (kind, value)]
	return keys
