"""What spend is held to: the bounds and targets of the settings, and the targets of campaigns, in the reporting currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import frappe

from trackflow.costs.exchange import Rates, exact
from trackflow.rollups.grains import folded
from trackflow.waste.judge import CAMPAIGN, SETTINGS, Bounds, Target, Targets


@dataclass(frozen=True, slots=True)
class Terms:
	"""`by_campaign` holds those that have a target of their own, by folded name."""

	bounds: Bounds
	targets: Targets
	by_campaign: Mapping[str, Targets]

	def of(self, campaign: str) -> Targets:
		"""The targets of a campaign, for each of them its own or else that of the settings."""
		return self.by_campaign.get(folded(campaign), self.targets)


def read(rates: Rates, day: date) -> Terms:
	"""The terms of a day; by one statement. A campaign's target that has no exchange rate that day is none."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	targets = Targets(
		Target(exact(settings.target_cpa), SETTINGS), Target(exact(settings.target_roas), SETTINGS)
	)
	campaign = frappe.qb.DocType("Link Campaign")
	rows = (
		frappe.qb.from_(campaign)
		.select(campaign.name, campaign.currency, campaign.target_cpa, campaign.target_roas)
		.where((campaign.target_cpa > 0) | (campaign.target_roas > 0))
		.run()
	)
	return Terms(
		Bounds(
			exact(settings.waste_high_amount),
			exact(settings.waste_high_percent),
			exact(settings.waste_medium_amount),
			exact(settings.waste_medium_percent),
			exact(settings.waste_least_spend),
		),
		targets,
		{folded(name): _own(*row, targets, rates, day) for name, *row in rows},
	)


def _own(
	currency: str | None, cpa: float, roas: float, otherwise: Targets, rates: Rates, day: date
) -> Targets:
	amount = rates.convert(exact(cpa), currency or rates.into, day) if cpa else None
	return Targets(
		Target(amount or Decimal(0), CAMPAIGN) if cpa else otherwise.cpa,
		Target(exact(roas), CAMPAIGN) if roas else otherwise.roas,
	)
