"""Sums up a person's journey for the fields of a CRM document, under the default model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import frappe

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
	model = default_model()
	if not model:
		return None
	touches = journeys.touches_of([conversion], model.lookback_days).get(conversion["name"], ())
	found = within(touches, conversion["conversion_date"], model.lookback_days)
	return Summary(model.name, found, _winner(model, found, conversion))


def set_fields(doctype: str, name: str, values: Row) -> None:
	"""Set those of `values` that the installed version has fields for and that differ, without a new `modified`: a form
	that somebody has open stays savable."""
	meta = frappe.get_meta(doctype)
	wanted = {field: value for field, value in values.items() if meta.has_field(field)}
	if not wanted:
		return
	stored = frappe.db.get_value(doctype, name, list(wanted), as_dict=True)
	changed = {field: value for field, value in wanted.items() if stored and stored[field] != value}
	if changed:
		frappe.db.set_value(doctype, name, changed, update_modified=False)
		frappe.clear_document_cache(doctype, name)


def _winner(model: Model, touches: Sequence[JourneyTouch], conversion: Row) -> JourneyTouch | None:
	milestones: tuple[datetime | None, datetime | None] = (
		conversion.get("lead_created_at"),
		conversion.get("deal_created_at"),
	)
	shares = credits(model, touches, conversion["conversion_date"], Decimal(0), "", *milestones)
	return max(shares, key=lambda credit: credit.weight).touch
