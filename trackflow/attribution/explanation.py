"""Why each touch has its credit: the window, the channel and what made it, and the terms of the arithmetic (ATT-6). Pure.

Shares, weights and money are those of `credits`; what stands beside them are the terms that give them, exact, so that anybody can
work them out again. Answers plain mappings; `words` makes sentences of them.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from trackflow.attribution import models
from trackflow.attribution.channel_rules import ChannelRule, rules_along
from trackflow.attribution.credits import Credit
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.attribution.versions import Version
from trackflow.attribution.window import within
from trackflow.tracking.channels import CLICK_IDS, reason, source_of_referrer
from trackflow.tracking.parameters import host_of

Row = dict[str, Any]
# What a model goes by, and for each touch that takes part its part and its role.
Parts = tuple[Row, list[Row]]
One, Other = TypeVar("One"), TypeVar("Other")

# Touches outside of the window that are named, on each side: the nearest ones. All are counted.
MOST_LEFT_OUT = 5
# Credits that are told one by one: those that get most. The rest is summed up.
SHOWN = 100

# What makes a channel that the definitions would not give: a link or parameters without source and medium; what is not kept.
LINK, NOT_KEPT = "link", "not kept"
NO_VISITOR, NO_TOUCH, OUTSIDE = "no visitor", "no touch", "outside"
DIRECT = "direct"
NOT_TRAINED, TOO_LITTLE, NO_VALUE = "not trained", "too little", "no value"

ZERO, ONE = Fraction(0), Fraction(1)
_PLACES = Decimal("1E-9")


@dataclass(frozen=True, slots=True)
class Converted:
	"""A conversion as it is explained; times are the site's."""

	name: str
	conversion_type: str
	at: datetime
	value: Decimal
	currency: str
	lead_created_at: datetime | None = None
	deal_created_at: datetime | None = None
	status: str = ""

	@property
	def unit(self) -> Decimal:
		"""What its value is split into."""
		return models.money_unit(self.value, self.currency)


@dataclass(frozen=True, slots=True)
class Origin:
	"""What a touch's channel was read from besides its source, medium and campaign."""

	referrer: str = ""
	click_id: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
	"""A person's touches in order; `before` and `after` more of them that are older and younger are not among these.
	`origins` are by touch; `visitors` is how many browsers the person is known by."""

	touches: Sequence[JourneyTouch]
	visitors: int
	before: int = 0
	after: int = 0
	origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learnt:
	"""What a data-driven model credits the conversion by: a version, the first day that it learnt from, the channels' values."""

	version: Version | None = None
	from_date: date | None = None
	values: Mapping[str, Fraction] = field(default_factory=dict)


def explain(
	model: Model,
	conversion: Converted,
	journey: Journey,
	credits: Sequence[Credit],
	learnt: Learnt | None = None,
	limit: int | None = None,
) -> Row:
	"""Why these credits of the conversion under the model are what they are; `learnt` for models that learn. With a `limit` those
	that get most are told one by one, so many of them, and the others together."""
	inside = within(journey.touches, conversion.at, model.lookback_days)
	touches = [credit.touch for credit in credits if credit.touch]
	rules = rules_along(inside, conversion.at, model.rules)
	rule, terms = _terms(model, conversion, touches, rules, learnt or Learnt())
	shown = largest(credits, limit)
	return {
		"model": model.name,
		"model_type": model.model_type,
		"is_default": model.is_default,
		"window": _window(model, conversion),
		"left_out": _left_out(conversion, journey, inside),
		"rule": rule,
		"credits": [
			_credited(model, conversion, journey, *one)
			for index, one in enumerate(zip(inside, credits, rules, terms, strict=True))
			if index in shown
		]
		if touches
		else [_unattributed(conversion, journey, credits[0])],
		"rest": _rest(conversion, [one for index, one in enumerate(credits) if index not in shown]),
	}


def largest(credits: Sequence[Credit], limit: int | None) -> frozenset[int]:
	"""Which credits are told one by one: those of the largest shares, of equal ones the nearest to the conversion."""
	by_size = sorted(range(len(credits)), key=lambda index: (credits[index].share, index), reverse=True)
	return frozenset(by_size[:limit])


def _rest(conversion: Converted, credits: Sequence[Credit]) -> Row | None:
	"""All other credits together; None where there are none."""
	if not credits:
		return None
	return {
		"touches": len(credits),
		"with_credit": sum(credit.share > 0 for credit in credits),
		"share": sum((credit.share for credit in credits), ZERO),
		"weight": sum((credit.weight for credit in credits), Decimal(0)),
		"value": sum((credit.value for credit in credits), 0 * conversion.unit),
	}


def _window(model: Model, conversion: Converted) -> Row:
	# A window may be longer than the calendar.
	days = min(model.lookback_days, (conversion.at - datetime.min).days)
	return {
		"days": model.lookback_days,
		"from": conversion.at - timedelta(days=days),
		"to": conversion.at,
	}


def _left_out(conversion: Converted, journey: Journey, inside: Sequence[JourneyTouch]) -> Row:
	"""The touches before the window and after the conversion: how many, and the nearest ones."""
	counted = {touch.id for touch in inside}
	outside = [touch for touch in journey.touches if touch.id not in counted]
	before = [touch for touch in outside if touch.occurred_at <= conversion.at]
	after = [touch for touch in outside if touch.occurred_at > conversion.at]
	return {
		"before": {
			"count": journey.before + len(before),
			"nearest": [_outside(touch, conversion) for touch in reversed(before[-MOST_LEFT_OUT:])],
		},
		"after": {
			"count": journey.after + len(after),
			"nearest": [_outside(touch, conversion) for touch in after[:MOST_LEFT_OUT]],
		},
	}


def _outside(touch: JourneyTouch, conversion: Converted) -> Row:
	return {
		"touch_point": touch.id,
		"occurred_at": touch.occurred_at,
		"channel": touch.channel,
		"days_before": _days(conversion.at - touch.occurred_at),
	}


def _unattributed(conversion: Converted, journey: Journey, credit: Credit) -> Row:
	if not journey.visitors:
		why = NO_VISITOR
	elif not (journey.touches or journey.before or journey.after):
		why = NO_TOUCH
	else:
		why = OUTSIDE
	return {
		"touch_point": None,
		"position": 0,
		"touch_count": 0,
		"channel": credit.channel,
		"why": why,
		"visitors": journey.visitors,
		"share": credit.share,
		"weight": credit.weight,
		**_money(conversion, credit),
	}


def _credited(
	model: Model,
	conversion: Converted,
	journey: Journey,
	original: JourneyTouch,
	credit: Credit,
	rule: ChannelRule | None,
	terms: Row,
) -> Row:
	return {
		"touch_point": original.id,
		"occurred_at": original.occurred_at,
		"age_days": _days(conversion.at - original.occurred_at),
		"position": credit.position,
		"touch_count": credit.touch_count,
		"channel": credit.channel,
		"tracked_link": original.tracked_link,
		"link_campaign": original.link_campaign,
		"channel_reason": channel_reason(original, journey.origins.get(original.id, Origin())),
		"channel_rule": _rule(rule, model) if rule else None,
		"terms": terms,
		"share": credit.share,
		"weight": credit.weight,
		"weight_has_leftover": credit.weight > credit.share // Fraction(_PLACES) * _PLACES,
		**_money(conversion, credit),
	}


def channel_reason(touch: JourneyTouch, origin: Origin) -> Row:
	"""What made the touch's channel, before any rule of a model: see `channels.Reason`. `referrer` is the host that source and
	medium were read from, "" if they were not."""
	click_ids = {origin.click_id: origin.click_id} if origin.click_id else None
	found = reason(touch.source, touch.medium, touch.campaign, origin.referrer, click_ids)
	by = found.by
	if found.channel != touch.channel:
		by = LINK if found.channel == "Direct" and touch.channel == "Unassigned" else NOT_KEPT
	read = source_of_referrer(origin.referrer)
	is_referred = read != ("", "") and (touch.source, touch.medium) in (read, ("", ""))
	return {
		"channel": touch.channel,
		"by": by,
		"source": found.source,
		"medium": found.medium,
		"campaign": found.campaign,
		"category": found.category,
		"click_id": found.click_id,
		"platform": CLICK_IDS.get(found.click_id, ""),
		"referrer": host_of(origin.referrer) if is_referred and not found.click_id else "",
	}


def _rule(rule: ChannelRule, model: Model) -> Row:
	return {
		"number": model.rules.index(rule) + 1,
		"channel": rule.channel_name,
		"conditions": {name: list(patterns) for name, patterns in rule.match_conditions},
		"priority": rule.priority,
		"weight": rule.weight,
	}


def _money(conversion: Converted, credit: Credit) -> Row:
	"""The credited money: the exact part, whole units of it, and whether a unit that was left over came on top."""
	unit = conversion.unit
	exact = Fraction(conversion.value) * credit.share
	whole = abs(exact) // Fraction(unit) * unit
	return {
		"value": credit.value,
		"exact_value": exact,
		"unit": unit,
		"has_leftover_unit": abs(credit.value) > whole,
	}


def _terms(
	model: Model,
	conversion: Converted,
	touches: Sequence[JourneyTouch],
	rules: Sequence[ChannelRule | None],
	learnt: Learnt,
) -> tuple[Row, list[Row]]:
	"""What the model goes by, and each touch's terms. A share is part ÷ total; where weights count, part ÷ total × weight ÷
	weighed_total. `touches` have the channels that the rules give them."""
	name = models.base_of(model.model_type, model.base_model)
	rule: Row = {"name": name}
	if not touches:
		return rule, []
	counted = _counted(model, name, touches)
	some, parts = _PARTS[name](
		model, conversion, [one for one, is_in in _pairs(touches, counted) if is_in], learnt
	)
	found = iter(parts)
	terms = [next(found) if is_in else {"part": ZERO, "role": DIRECT} for is_in in counted]
	total = sum((one["part"] for one in terms), ZERO)
	terms = [{**one, "total": total} for one in terms]
	rule |= {**some, "counts_direct": all(counted)}
	if not model.channel_weights and not model.rules:
		return rule, terms
	weights = [
		(models.factor_of(model.channel_weights.get(touch.channel, 1)), one.weight if one else ONE)
		for touch, one in _pairs(touches, rules)
	]
	weighed = sum((one["part"] / total * math.prod(some) for one, some in _pairs(terms, weights)), ZERO)
	# Where the weights leave nothing, they have no say.
	rule["weights_count"] = bool(weighed)
	return rule, [
		{**one, "channel_weight": channel, "rule_weight": of_rule, "weighed_total": weighed}
		for one, (channel, of_rule) in _pairs(terms, weights)
	]


def _counted(model: Model, name: str, touches: Sequence[JourneyTouch]) -> list[bool]:
	"""Which touches take part: all, or those that are not direct."""
	others = [not models.is_direct(touch) for touch in touches]
	if (model.count_direct and name != models.LAST_NON_DIRECT) or not any(others):
		return [True] * len(touches)
	return others


def _first(_model: Model, _conversion: Converted, touches: Sequence[JourneyTouch], _learnt: Learnt) -> Parts:
	return {}, [{"part": ONE, "role": "all"}, *({"part": ZERO, "role": "none"} for _touch in touches[1:])]


def _last(_model: Model, _conversion: Converted, touches: Sequence[JourneyTouch], _learnt: Learnt) -> Parts:
	return {}, [*({"part": ZERO, "role": "none"} for _touch in touches[1:]), {"part": ONE, "role": "all"}]


def _linear(_model: Model, _conversion: Converted, touches: Sequence[JourneyTouch], _learnt: Learnt) -> Parts:
	return {}, [{"part": ONE, "role": "equal"} for _touch in touches]


def _time_decay(
	model: Model, conversion: Converted, touches: Sequence[JourneyTouch], _learnt: Learnt
) -> Parts:
	powers = models.powers_of_age(
		[touch.occurred_at for touch in touches], conversion.at, model.half_life_days
	)
	return {"half_life_days": model.half_life_days}, [{"part": one, "role": "age"} for one in powers]


def _position_based(
	model: Model, _conversion: Converted, touches: Sequence[JourneyTouch], _learnt: Learnt
) -> Parts:
	first, last = models.factor_of(model.first_weight), models.factor_of(model.last_weight)
	rule = {"first_weight": first, "last_weight": last, "between": len(touches) - 2}
	if len(touches) == 1:
		return rule, [{"part": ONE, "role": "only"}]
	if len(touches) == 2 and not first + last:
		return rule, [{"part": ONE, "role": "equal"}] * 2
	between = {"part": (100 - first - last) / max(len(touches) - 2, 1), "role": "between"}
	return rule, [
		{"part": first, "role": "first"},
		*[between] * (len(touches) - 2),
		{"part": last, "role": "last"},
	]


def _w_shaped(
	_model: Model, conversion: Converted, touches: Sequence[JourneyTouch], _learnt: Learnt
) -> Parts:
	moments = [touch.occurred_at for touch in touches]
	reached = {"lead": conversion.lead_created_at, "deal": conversion.deal_created_at}
	milestones = {"first": 0, **{name: models.last_until(moments, at) for name, at in reached.items()}}
	rest = len(touches) - len(set(milestones.values()) - {None})
	parts = []
	for index in range(len(touches)):
		names = [name for name, place in milestones.items() if place == index]
		part = Fraction(models.MILESTONE * len(names)) if names else Fraction(models.BETWEEN, rest)
		parts.append({"part": part, "role": "milestone" if names else "between", "milestones": names})
	return {
		"lead_created_at": conversion.lead_created_at,
		"deal_created_at": conversion.deal_created_at,
		"missing": [name for name, place in milestones.items() if place is None],
		"between": rest,
	}, parts


def _by_value(model: Model, conversion: Converted, touches: Sequence[JourneyTouch], learnt: Learnt) -> Parts:
	number = Counter(touch.channel for touch in touches)
	values = {channel: learnt.values.get(channel, ZERO) for channel in number}
	rule = {"version": _version(learnt), "values": values, "why_equal": ""}
	if not any(values.values()):
		rule["why_equal"] = _why_equal(learnt.version)
		return rule, _linear(model, conversion, touches, learnt)[1]
	return rule, [
		{
			"part": values[touch.channel] / number[touch.channel],
			"role": "value",
			"channel_value": values[touch.channel],
			"touches_of_channel": number[touch.channel],
		}
		for touch in touches
	]


def _version(learnt: Learnt) -> Row | None:
	version = learnt.version
	if not version:
		return None
	return {
		"training": version.name,
		"number": version.number,
		"from": learnt.from_date,
		"until": version.until,
		"conversions": version.conversions,
		"minimum_conversions": version.minimum_conversions,
		"is_too_little": version.is_too_little,
	}


def _why_equal(version: Version | None) -> str:
	if not version:
		return NOT_TRAINED
	return TOO_LITTLE if version.is_too_little else NO_VALUE


_PARTS: Mapping[str, Callable[[Model, Converted, Sequence[JourneyTouch], Learnt], Parts]] = {
	"First Touch": _first,
	"Last Touch": _last,
	models.LAST_NON_DIRECT: _last,
	"Linear": _linear,
	"Time Decay": _time_decay,
	"Position Based": _position_based,
	"W-Shaped": _w_shaped,
	models.MARKOV: _by_value,
	models.SHAPLEY: _by_value,
}


def _days(age: timedelta) -> Fraction:
	return Fraction(age // timedelta(microseconds=1), 86_400_000_000)


def _pairs(one: Iterable[One], other: Iterable[Other]) -> Iterable[tuple[One, Other]]:
	return zip(one, other, strict=True)
