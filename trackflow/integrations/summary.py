"""Sums up people's journeys for the fields of CRM documents, under the default model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import frappe

from trackflow import bulk
from trackflow.attribution import journeys
from trackflow.attribution.credits import credits
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.attribution.window import within

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Summary:
	"""The journey within the default model's window; `winner` is the touch with the largest credit, the first of equals."""

	model: str
	touches: Sequence[JourneyTouch]
	winner: JourneyTouch | None

	@property
	def fields(self) -> Row:
		"""The fields that leads and deals have in common."""
		winner = self.winner
		return {
			"trackflow_source": winner.source if winner else None,
			"trackflow_medium": winner.medium if winner else None,
			"trackflow_campaign": campaign_of(winner) if winner else None,
			"trackflow_first_touch_date": self.touches[0].occurred_at if self.touches else None,
			"trackflow_last_touch_date": self.touches[-1].occurred_at if self.touches else None,
			"trackflow_touch_count": len(self.touches),
		}

	@property
	def is_influenced(self) -> bool:
		"""Whether any marketing took part: a touch other than direct."""
		return any(not touch.is_direct for touch in self.touches)


def campaign_of(touch: JourneyTouch) -> str | None:
	"""The campaign of a touch: ours, else what the address said."""
	return touch.link_campaign or touch.campaign or None


def default_model() -> Model | None:
	"""The default Attribution Model, if it is active."""
	return next((model for model in journeys.active_models() if model.is_default), None)


def summarise(conversion: Row) -> Summary | None:
	"""Sum up the journey of a conversion's row (a stored one, or what would be one); None without a default model."""
	return summarise_all([conversion]).get(conversion["name"])


def summarise_all(conversions: Sequence[Row]) -> dict[str, Summary]:
	"""`summarise` for many conversions by a handful of queries; by their names."""
	model = default_model()
	if not model or not conversions:
		return {}
	touches = journeys.touches_of(conversions, model.lookback_days)
	found = {}
	for row in conversions:
		journey = within(touches.get(row["name"], ()), row["conversion_date"], model.lookback_days)
		found[row["name"]] = Summary(model.name, journey, _winner(model, journey, row))
	return found


def set_fields(doctype: str, name: str, values: Row) -> None:
	"""Set those of `values` that the installed version has fields for and that differ, without a new `modified`: a form
	that somebody has open stays savable."""
	set_all(doctype, {name: values})


def set_all(doctype: str, values: Mapping[str, Row]) -> Mapping[str, Row]:
	"""`set_fields` for many documents by name, which all get the same fields; answers those that changed."""
	meta = frappe.get_meta(doctype)
	fields = [field for field in next(iter(values.values()), {}) if meta.has_field(field)]
	if not fields:
		return {}
	stored = bulk.load(doctype, {"name": ("in", values)}, fields)
	wanted = {name: {field: values[name][field] for field in fields} for name in stored if name in values}
	changed = {name: row for name, row in wanted.items() if not bulk.same(row, stored[name])}
	bulk.update(doctype, changed)
	for name in changed:
		frappe.clear_document_cache(doctype, name)
	return changed


def _winner(model: Model, touches: Sequence[JourneyTouch], conversion: Row) -> JourneyTouch | None:
	milestones: tuple[datetime | None, datetime | None] = (
		conversion.get("lead_created_at"),
		conversion.get("deal_created_at"),
	)
	shares = credits(model, touches, conversion["conversion_date"], Decimal(0), "", *milestones)
	return max(shares, key=lambda credit: credit.weight).touch
