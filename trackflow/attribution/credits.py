"""Computes a conversion's credits under a model: which touch gets which share of it, and of its value. Pure.

Every conversion has credits under every model: where no touch is in the window, one that says "Unattributed". Weights sum
to 1 with nine places, money sums to the value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from trackflow.attribution import models
from trackflow.attribution.channel_rules import ChannelRule, renamed, rules_along
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.attribution.window import within

UNATTRIBUTED = "Unattributed"


@dataclass(frozen=True, slots=True)
class Credit:
	"""One touch's share of a conversion; `touch` is None and `position` 0 where nothing led to it. `weight` is the exact `share`
	with nine places."""

	touch: JourneyTouch | None
	channel: str
	position: int
	touch_count: int
	weight: Decimal
	value: Decimal
	share: Fraction


def credits(
	model: Model,
	touches: Sequence[JourneyTouch],
	converted_at: datetime,
	value: Decimal,
	currency: str,
	lead_created_at: datetime | None = None,
	deal_created_at: datetime | None = None,
	channel_values: Mapping[str, Fraction] | None = None,
) -> list[Credit]:
	"""The credits of a conversion of `value` in `currency`: one per touch in the window, in order, zeros included.
	`channel_values` are what a data-driven model learnt."""
	journey = within(touches, converted_at, model.lookback_days)
	if not journey:
		return [Credit(None, UNATTRIBUTED, 0, 0, Decimal(1), value, Fraction(1))]
	journey, touch_weights = _renamed(journey, converted_at, model.rules) if model.rules else (journey, None)
	shares = models.weights(
		model.model_type,
		journey,
		converted_at,
		half_life_days=model.half_life_days,
		first_weight=model.first_weight,
		last_weight=model.last_weight,
		lead_created_at=lead_created_at,
		deal_created_at=deal_created_at,
		base_model=model.base_model,
		channel_weights=model.channel_weights,
		touch_weights=touch_weights,
		count_direct=model.count_direct,
		channel_values=channel_values,
	)
	parts = zip(
		journey,
		models.round_weights(shares),
		models.split_money(value, shares, currency),
		shares,
		strict=True,
	)
	return [
		Credit(touch, touch.channel, position, len(journey), weight, part, share)
		for position, (touch, weight, part, share) in enumerate(parts, start=1)
	]


def _renamed(
	journey: Sequence[JourneyTouch], converted_at: datetime, rules: Sequence[ChannelRule]
) -> tuple[list[JourneyTouch], list[Fraction]]:
	"""The touches under the channels of the rules, and the weights that these give them."""
	deciding = rules_along(journey, converted_at, rules)
	found = [renamed(touch, rule) for touch, rule in zip(journey, deciding, strict=True)]
	touches = [
		replace(touch, channel=channel) for touch, (channel, _weight) in zip(journey, found, strict=True)
	]
	return touches, [weight for _channel, weight in found]
