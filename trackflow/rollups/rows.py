"""The Daily Rollups of one day under one model, as they should be: the figures of each place, and what is judged of them."""

import json
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any

from trackflow.costs import rates
from trackflow.costs.exchange import held
from trackflow.naming import key_name, timed_name
from trackflow.rollups import facts
from trackflow.rollups.grains import ZERO, Counted, Figures, Place, amounts_text, figures_by_grain
from trackflow.tracking.conversions import types_that_count
from trackflow.waste import terms
from trackflow.waste.judge import Performance, judge

Row = dict[str, Any]

FIELDS = (
	"date", "grain", "platform", "campaign", "adset", "ad", "attribution_model", "impressions", "clicks", "spend", "conversions",
	"conversion_value", "currency", "original_spend", "original_value", "other_conversions", "spend_without_rate",
	"value_without_rate", "waste_spend", "waste_pct", "waste_reason", "severity", "explanation",
)  # fmt: skip

DAY_MILLISECONDS = 24 * 60 * 60 * 1000


def row_name(day: date, grain: str, place: Place, model: str) -> str:
	"""Follows from the key. Rows of one day, grain and model, which are read together, are neighbours in the database."""
	milliseconds = int(key_name(grain, model), 16) % DAY_MILLISECONDS
	return timed_name(
		datetime.combine(day, time.min) + timedelta(milliseconds=milliseconds), grain, *place, model
	)


class Day:
	"""A day as it stands in the database: what is the same under all models is read once, by four statements."""

	def __init__(self, day: date) -> None:
		self.day = day
		self._rates = rates.load(day, day)
		self._costs = facts.costs(day)
		self._counted = Counted(*types_that_count())
		self._terms = terms.read(self._rates, day)

	def figures(
		self, model: str, campaigns: Collection[str] | None = None
	) -> dict[str, dict[Place, Figures]]:
		"""The figures by grain and place; one statement. Credits may be narrowed to some campaigns."""
		credits = facts.credits(self.day, model, campaigns)
		return figures_by_grain(self.day, self._costs, credits, self._rates, self._counted)

	def rows(self, model: str) -> dict[str, Row]:
		"""The rows of all grains, by name."""
		rows = (
			self._row(grain, place, figures, model)
			for grain, places in self.figures(model).items()
			for place, figures in places.items()
		)
		return {row["name"]: row for row in rows}

	def _row(self, grain: str, place: Place, figures: Figures, model: str) -> Row:
		return {
			"name": row_name(self.day, grain, place, model),
			"date": self.day,
			"grain": grain,
			**{part: text or None for part, text in place._asdict().items()},
			"attribution_model": model,
			"impressions": figures.impressions,
			"clicks": figures.clicks,
			"spend": held(figures.spend or ZERO),
			"conversions": figures.conversions,
			"conversion_value": held(figures.value or ZERO),
			"currency": self._rates.into,
			"original_spend": amounts_text(figures.original),
			"original_value": amounts_text(figures.original_value),
			"other_conversions": amounts_text(figures.others),
			"spend_without_rate": _named(figures.spend_lacks),
			"value_without_rate": _named(figures.value_lacks),
			**self._judged(place, figures),
		}

	def _judged(self, place: Place, figures: Figures) -> Row:
		of = Performance(figures.spend, figures.conversions, figures.value)
		found = judge(of, self._terms.of(place.campaign), self._terms.bounds)
		if found is None:
			nothing = dict.fromkeys(("waste_reason", "severity", "explanation"))
			return {"waste_spend": 0, "waste_pct": 0, **nothing}
		return {
			"waste_spend": held(found.waste),
			"waste_pct": found.share,
			"waste_reason": found.reason,
			"severity": found.severity,
			"explanation": json.dumps(found.explanation(of, self._terms.bounds)),
		}


def _named(currencies: set[str]) -> str | None:
	return ", ".join(sorted(currencies))[:140] or None
