"""The waste of a range of days at one grain under one model: the sums of the range are judged, not the days (WST-1).

Reads only, by some ten statements whatever the number of days and entities.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, getdate

from trackflow import bulk
from trackflow.costs import rates
from trackflow.costs.exchange import as_number, exact
from trackflow.rollups import reading
from trackflow.rollups.grains import CAMPAIGN, ZERO, Figures, Place, folded
from trackflow.waste import quiet, terms, words
from trackflow.waste.judge import SEVERITIES, Finding, Performance, judge

Row = dict[str, Any]

ACKNOWLEDGEMENT = "Waste Acknowledgement"
# What managers are told of, and what the rate of waste is of.
DAYS = 30
# A campaign that spent nothing for longer than this begins anew. Most spent something lately: only for the others more days are read.
LOOKS_BACK, LATELY = timedelta(days=365), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wasted:
	"""An entity, its figures, and what was found."""

	place: Place
	figures: Figures
	finding: Finding


@dataclass(slots=True)
class Judged:
	"""Findings, the worst first; how many others are known or of young campaigns; the range that was judged."""

	read: reading.Range
	terms: terms.Terms
	# Currencies of targets that no rate converts, and the day that they were to be converted of.
	unknown_targets: list[tuple[date, str]] = field(default_factory=list)
	found: list[Wasted] = field(default_factory=list)
	acknowledged: int = 0
	young: int = 0

	@property
	def notices(self) -> list[str]:
		"""What keeps this from being complete, in words."""
		return self.read.notices + [
			_(
				"No exchange rate from {0} to {1} for {2}: campaigns are not held to a target CPA in {0}."
			).format(currency, self.read.currency, day)
			for day, currency in self.unknown_targets
		]


def judged(first: date, last: date, grain: str, model: str) -> Judged:
	"""What was wasted in these days."""
	read = reading.read(first, last, grain, model)
	of_last = rates.load(last, last)
	held_to = terms.read(of_last, last)
	some = [
		Wasted(place, figures, finding)
		for place, figures in read.places.items()
		if (finding := judge(performance(figures), held_to.of(place.campaign), held_to.bounds))
	]
	young, known = _young(last, model, [one.place for one in some]), _acknowledged(grain)
	answer = Judged(read, held_to, sorted(of_last.missing))
	for one in some:
		mark = known.get((one.place.folded, one.finding.reason))
		if young.includes(one.place):
			answer.young += 1
		elif mark and mark.covers(getdate(), one.finding.waste):
			answer.acknowledged += 1
		else:
			answer.found.append(one)
	answer.found.sort(key=lambda one: (-one.finding.waste, one.place))
	return answer


def performance(figures: Figures) -> Performance:
	return Performance(figures.spend, figures.conversions, figures.value)


def of_days_until(last: date, limit: int) -> Row:
	"""The answer for the 30 days up to this one, by campaigns under the default model."""
	first = last - timedelta(days=DAYS - 1)
	return answer(first, last, CAMPAIGN, reading.model_named(""), ZERO, "", limit)


def answer(
	first: date,
	last: date,
	grain: str,
	model: str,
	least_waste: Decimal,
	severity: str,
	limit: int,
	start: int = 0,
) -> Row:
	"""The findings of at least this waste, of one severity or of all, as JSON: so many from `start` on. The summary is of all of
	these, listed or not."""
	everything = judged(first, last, grain, model)
	some = [
		one
		for one in everything.found
		if one.finding.waste >= least_waste and severity in ("", one.finding.severity)
	]
	total, waste = everything.read.total, sum((one.finding.waste for one in some), Decimal(0))
	return {
		"from_date": str(first),
		"to_date": str(last),
		"grain": grain,
		"attribution_model": model,
		"currency": everything.read.currency,
		"findings": [_finding(one, grain, everything) for one in some[start : start + limit]],
		"summary": {
			"spend": as_number(total.spend),
			"waste": as_number(waste),
			"share": as_number(100 * waste / total.spend) if total.spend else None,
			"findings": len(some),
			"by_severity": {
				name: sum(one.finding.severity == name for one in some) for name in reversed(SEVERITIES)
			},
			"acknowledged": everything.acknowledged,
			"young": everything.young,
		},
		"notices": everything.notices,
	}


def _finding(one: Wasted, grain: str, everything: Judged) -> Row:
	of, currency = performance(one.figures), everything.read.currency
	return {
		"grain": grain,
		**one.place._asdict(),
		"reason": one.finding.reason,
		"label": words.table()[one.finding.reason].label,
		"severity": one.finding.severity,
		"waste_spend": as_number(one.finding.waste),
		"waste_share": as_number(one.finding.share),
		"impressions": one.figures.impressions,
		"clicks": one.figures.clicks,
		"explanation": one.finding.explanation(of, everything.terms.bounds),
		"words": words.said(one.finding, of, currency),
		"recommendation": words.recommended(one.finding),
	}


def _young(last: date, model: str, places: Collection[Place]) -> quiet.Young:
	"""Tells which of these places are of young campaigns."""
	days = cint(frappe.get_cached_doc("TrackFlow Settings").waste_quiet_days)
	campaign = frappe.qb.DocType("Link Campaign")
	starts = (
		frappe.qb.from_(campaign)
		.select(campaign.name, campaign.start_date)
		.where(campaign.start_date.isnotnull())
		.run()
	)
	young = quiet.Young(last, days, {folded(name): getdate(day) for name, day in starts}, frozenset())
	for before in (LATELY, LOOKS_BACK):
		if any(map(young.includes, places)):
			young = young._replace(spent_before=_spent(young.since - before, young.since, model))
	return young


def _spent(after: date, until: date, model: str) -> frozenset[Place]:
	"""What something was spent on in these days, the last one among them."""
	rollup = frappe.qb.DocType("Daily Rollup")
	rows = (
		frappe.qb.from_(rollup)
		.select(bulk.as_hex(rollup.platform).as_("platform"), bulk.as_hex(rollup.campaign).as_("campaign"))
		.distinct()
		.where((rollup.grain == CAMPAIGN) & (rollup.attribution_model == model))
		.where((rollup.date <= until) & (rollup.date > after))
		.where((rollup.spend > 0) | (rollup.spend_without_rate != ""))
		.run()
	)
	return quiet.places(map(bulk.of_hex, pair) for pair in rows)


def _acknowledged(grain: str) -> dict[tuple[Place, str], quiet.Acknowledged]:
	rows = bulk.load(ACKNOWLEDGEMENT, {"grain": grain}, (*Place._fields, "reason", "until", "amount"))
	return {
		(Place(*(row[part] or "" for part in Place._fields)).folded, row.reason): quiet.Acknowledged(
			getdate(row.until) if row.until else None, exact(row.amount)
		)
		for row in rows.values()
	}
