"""Attribution models: how much of a conversion each touch point gets (ATT-1 to ATT-3, ATT-5).

Promises exact rational weights that sum to 1, and money that sums to the value to the last unit. Never sorts,
looks up or stores: touches come in the order of the journey (window.within gives it), weights go back in the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, Protocol

from trackflow.attribution.powers import half_to_the
from trackflow.attribution.versions import Values

Number = int | float | str | Decimal | Fraction
Money = int | float | str | Decimal

DIRECT = "Direct"
CUSTOM = "Custom"
LAST_NON_DIRECT = "Last Non-Direct"
MARKOV, SHAPLEY = "Markov", "Shapley"
# Those whose shares follow from what they learnt of other people's paths.
DATA_DRIVEN = (MARKOV, SHAPLEY)
DEFAULT_BASE_MODEL = "Linear"

ZERO, ONE = Fraction(0), Fraction(1)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_A_DAY = 86_400_000_000

# W-Shaped: three milestones and everything between them, in percent.
MILESTONE, BETWEEN = 30, 10

# Digits after the point where a currency has not two (ISO 4217).
_MINOR_UNITS: Mapping[str, int] = {
	**dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
	**dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
	**dict.fromkeys("CLF UYW".split(), 4),
}
_DEFAULT_MINOR_UNIT = 2
# Frappe stores money with nine places; digits of a float behind them are noise of its binary form.
_STORED_PLACES = Decimal("1E-9")
_STORING = Context(prec=64)


class TouchLike(Protocol):
	"""What a model reads of a touch; `is_direct` is optional and follows from the channel without it."""

	@property
	def occurred_at(self) -> datetime: ...

	@property
	def channel(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Touch:
	"""One marketing touch of a journey."""

	id: str
	occurred_at: datetime
	channel: str
	is_direct: bool = False

	def __post_init__(self) -> None:
		object.__setattr__(self, "channel", self.channel or "")
		object.__setattr__(self, "is_direct", bool(self.is_direct) or self.channel.casefold() == "direct")


class _Terms(NamedTuple):
	"""The parameters of one call, checked by the model that reads them."""

	half_life_days: Number
	first_weight: Number
	last_weight: Number
	lead_created_at: datetime | None
	deal_created_at: datetime | None
	channel_values: Mapping[str, Fraction]


def weights(
	model_type: str,
	touches: Sequence[TouchLike],
	converted_at: datetime,
	*,
	half_life_days: Number = 7,
	first_weight: Number = 40,
	last_weight: Number = 40,
	lead_created_at: datetime | None = None,
	deal_created_at: datetime | None = None,
	base_model: str = DEFAULT_BASE_MODEL,
	channel_weights: Mapping[str, Number] | None = None,
	touch_weights: Sequence[Number] | None = None,
	count_direct: bool = True,
	channel_values: Mapping[str, Fraction] | None = None,
) -> list[Fraction]:
	"""Return the share of each touch in the order of `touches`; the shares sum to exactly 1, no touch gives [].

	`first_weight` and `last_weight` are percent. `channel_weights` (by channel) and `touch_weights` (one for each
	touch, of channel rules) multiply the shares of any model before they are brought back to 1; where they leave
	nothing, they have no say. Without `count_direct` direct touches get nothing, unless there is nothing else.
	`channel_values` are what Markov and Shapley learnt; where no touch that counts has one, their shares are Linear's.
	Raises ValueError for an unknown model, a touch after the conversion, and parameters out of range.
	"""
	name = base_of(model_type, base_model)
	model = _MODELS.get(name)
	if model is None:
		raise ValueError(f"Unknown attribution model: {name!r}.")
	if touch_weights is not None and len(touch_weights) != len(touches):
		raise ValueError(f"There are {len(touches)} touches but {len(touch_weights)} touch weights.")
	moments = [touch.occurred_at for touch in touches]
	if not moments:
		return []
	if max(moments) > converted_at:
		raise ValueError(f"The touch of {max(moments)} is after the conversion of {converted_at}.")
	terms = _Terms(
		half_life_days, first_weight, last_weight, lead_created_at, deal_created_at, channel_values or {}
	)
	if count_direct and name != LAST_NON_DIRECT:
		shares = model(touches, terms)
	else:
		shares = _without_direct(model, touches, terms)
	if channel_weights or touch_weights is not None:
		shares = _weighed(shares, touches, channel_weights or {}, touch_weights)
	return shares


def base_of(model_type: str, base_model: str = "") -> str:
	"""Return the model type that shares out: a Custom model's base, any other itself."""
	return (base_model or DEFAULT_BASE_MODEL) if model_type == CUSTOM else model_type


def split_money(value: Money, weights: Sequence[Number], currency: str) -> list[Decimal]:
	"""Split `value` by `weights` so that the parts sum to exactly `value` (ATT-2).

	Parts are whole minor units of `currency` (ISO 4217), or of the last digit of a value that is finer than that.
	The units left over go to the largest remainders, ties in order. Weights count in proportion to their sum.
	"""
	amount = _amount(value)
	exponent = _unit_exponent(amount, currency)
	numerator, denominator = amount.as_integer_ratio()
	units = abs(numerator) * 10**-exponent // denominator
	sign = "-" if amount < 0 else ""
	return [Decimal(f"{sign if part else ''}{part}E{exponent}") for part in _apportion(units, weights)]


def money_unit(value: Money, currency: str) -> Decimal:
	"""Return the unit in which `split_money` splits `value`."""
	return Decimal(f"1E{_unit_exponent(_amount(value), currency)}")


def round_weights(weights: Sequence[Number], places: int = 9) -> list[Decimal]:
	"""Return `weights` with `places` digits so that they still sum to exactly 1 (largest remainder, ties in order)."""
	return [Decimal(f"{part}E-{places}") for part in _apportion(10**places, weights)]


def is_direct(touch: TouchLike) -> bool:
	"""Tell whether a touch came without any marketing."""
	return bool(getattr(touch, "is_direct", False)) or (touch.channel or "").casefold() == "direct"


def _first_touch(touches: Sequence[TouchLike], _terms: _Terms) -> list[Fraction]:
	return [ONE] + [ZERO] * (len(touches) - 1)


def _last_touch(touches: Sequence[TouchLike], _terms: _Terms) -> list[Fraction]:
	return [ZERO] * (len(touches) - 1) + [ONE]


def _linear(touches: Sequence[TouchLike], _terms: _Terms) -> list[Fraction]:
	return [Fraction(1, len(touches))] * len(touches)


def _time_decay(touches: Sequence[TouchLike], terms: _Terms) -> list[Fraction]:
	return _shares(_decayed([touch.occurred_at for touch in touches], _half_life(terms.half_life_days)))


def _decayed(moments: Sequence[datetime], half_life: Fraction) -> list[int]:
	"""2^(-age / half-life); only ratios count, so ages are taken from the youngest touch, which is never lost."""
	youngest = max(moments)
	return half_to_the([(youngest - moment) // _MICROSECOND for moment in moments], half_life)


def powers_of_age(
	moments: Sequence[datetime], converted_at: datetime, half_life_days: Number
) -> list[Fraction]:
	"""Return 2^(-age / half-life) of touches of these moments, aged until the conversion, in the exact proportions of the
	shares of Time Decay."""
	half_life, youngest = _half_life(half_life_days), max(moments)
	units = _decayed(moments, half_life)
	halvings, rest = divmod((converted_at - youngest) // _MICROSECOND, half_life)
	one, power = half_to_the([0, int(rest)], half_life)
	scale = Fraction(power, one * max(units) << int(halvings))
	return [unit * scale for unit in units]


@lru_cache(maxsize=1024, typed=True)
def _half_life(days: Number) -> Fraction:
	"""Return a half-life in microseconds."""
	half_life = _fraction(days, "The half-life") * _MICROSECONDS_A_DAY
	if half_life <= 0:
		raise ValueError("The half-life must be longer than nothing.")
	return half_life


def _position_based(touches: Sequence[TouchLike], terms: _Terms) -> list[Fraction]:
	return list(_position_shares(len(touches), terms.first_weight, terms.last_weight))


@lru_cache(maxsize=1024, typed=True)
def _position_shares(count: int, first_weight: Number, last_weight: Number) -> tuple[Fraction, ...]:
	first, last = _fraction(first_weight, "The first weight"), _fraction(last_weight, "The last weight")
	if first < 0 or last < 0 or first + last > 100:
		raise ValueError("The weights of first and last touch must be percentages of 100 together at most.")
	if count == 1:
		return (ONE,)
	if count == 2:
		ends = first + last
		return (first / ends, last / ends) if ends else (Fraction(1, 2), Fraction(1, 2))
	middle = (100 - first - last) / (100 * (count - 2))
	return (first / 100, *(middle,) * (count - 2), last / 100)


def _w_shaped(touches: Sequence[TouchLike], terms: _Terms) -> list[Fraction]:
	moments = [touch.occurred_at for touch in touches]
	milestones = [0]
	for reached_at in (terms.lead_created_at, terms.deal_created_at):
		index = last_until(moments, reached_at)
		if index is not None:
			milestones.append(index)
	return list(_w_shares(len(moments), tuple(milestones)))


@lru_cache(maxsize=4096)
def _w_shares(count: int, milestones: tuple[int, ...]) -> tuple[Fraction, ...]:
	rest = count - len(set(milestones))
	# In units that keep the shares whole numbers however many touches divide the rest.
	units = [0 if index in milestones else BETWEEN for index in range(count)]
	for index in milestones:
		units[index] += MILESTONE * max(rest, 1)
	return tuple(_shares(units))


def last_until(moments: Sequence[datetime], reached_at: datetime | None) -> int | None:
	"""Return the index of the last moment at or before `reached_at`; None where there is none."""
	if reached_at is None:
		return None
	for index in range(len(moments) - 1, -1, -1):
		if moments[index] <= reached_at:
			return index
	return None


def _by_value(touches: Sequence[TouchLike], terms: _Terms) -> list[Fraction]:
	return Values.of(terms.channel_values).along([touch.channel for touch in touches])


# Last Non-Direct is Last Touch once the direct touches are taken out.
_Model = Callable[[Sequence[TouchLike], _Terms], list[Fraction]]
_MODELS: Mapping[str, _Model] = {
	"First Touch": _first_touch,
	"Last Touch": _last_touch,
	LAST_NON_DIRECT: _last_touch,
	"Linear": _linear,
	"Time Decay": _time_decay,
	"Position Based": _position_based,
	"W-Shaped": _w_shaped,
	MARKOV: _by_value,
	SHAPLEY: _by_value,
}
MODEL_TYPES: tuple[str, ...] = (*_MODELS, CUSTOM)


def _without_direct(model: _Model, touches: Sequence[TouchLike], terms: _Terms) -> list[Fraction]:
	"""Run `model` as if direct touches had not been there, unless they are all there is."""
	direct = [is_direct(touch) for touch in touches]
	if all(direct) or not any(direct):
		return model(touches, terms)
	shares = iter(model([touch for touch, out in zip(touches, direct, strict=True) if not out], terms))
	return [ZERO if out else next(shares) for out in direct]


def _weighed(
	shares: list[Fraction],
	touches: Sequence[TouchLike],
	channel_weights: Mapping[str, Number],
	touch_weights: Sequence[Number] | None,
) -> list[Fraction]:
	"""Multiply shares by the weights of channels and touches and bring them back to 1."""
	denominator = math.lcm(*[share.denominator for share in shares])
	factors = [factor_of(channel_weights.get(touch.channel, 1)) for touch in touches]
	if touch_weights is not None:
		factors = [factor * factor_of(weight) for factor, weight in zip(factors, touch_weights, strict=True)]
	scale = math.lcm(*[factor.denominator for factor in factors])
	units = [
		share.numerator
		* (denominator // share.denominator)
		* factor.numerator
		* (scale // factor.denominator)
		for share, factor in zip(shares, factors, strict=True)
	]
	return _shares(units) if any(units) else shares


@lru_cache(maxsize=1024, typed=True)
def factor_of(weight: Number) -> Fraction:
	"""Return a weight that multiplies shares, exactly as it is written; it is not negative."""
	factor = _fraction(weight, "A weight")
	if factor < 0:
		raise ValueError(f"A weight must not be negative: {weight}.")
	return factor


def _shares(units: Sequence[int]) -> list[Fraction]:
	total = sum(units)
	return [Fraction(unit, total) for unit in units]


def _apportion(units: int, weights: Sequence[Number]) -> list[int]:
	"""Divide whole `units` in proportion to `weights` by the method of the largest remainder."""
	shares = [weight if type(weight) is Fraction else factor_of(weight) for weight in weights]
	if not shares:
		return []
	denominator = math.lcm(*[share.denominator for share in shares])
	numerators = [share.numerator * (denominator // share.denominator) for share in shares]
	total = sum(numerators)
	if total <= 0 or min(numerators) < 0:
		raise ValueError("Weights must not be negative, and one of them must be more than nothing.")
	parts: list[int] = []
	remainders: list[int] = []
	for numerator in numerators:
		part, remainder = divmod(units * numerator, total)
		parts.append(part)
		remainders.append(remainder)
	left = units - sum(parts)
	if left:
		# The sort is stable: of equal remainders the earlier touch comes first.
		for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:left]:
			parts[index] += 1
	return parts


def _fraction(number: Number, name: str) -> Fraction:
	"""Return `number` as it is written: 0.1 is a tenth, not its nearest binary fraction."""
	try:
		return Fraction(str(number)) if isinstance(number, float) else Fraction(number)
	except (ValueError, TypeError, OverflowError, ZeroDivisionError):
		raise ValueError(f"{name} is not a number: {number!r}.") from None


def _amount(value: Money) -> Decimal:
	try:
		amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
	except (InvalidOperation, TypeError, ValueError):
		raise ValueError(f"Not an amount of money: {value!r}.") from None
	if not amount.is_finite():
		raise ValueError(f"Not an amount of money: {value!r}.")
	if isinstance(value, float) and _last_place(amount) < -9:
		amount = _STORING.quantize(amount, _STORED_PLACES)
	return amount


def _unit_exponent(amount: Decimal, currency: str) -> int:
	return min(-_MINOR_UNITS.get((currency or "").upper(), _DEFAULT_MINOR_UNIT), _last_place(amount))


def _last_place(amount: Decimal) -> int:
	"""Return the exponent of the last digit that is not a zero (0 for a zero)."""
	_sign, digits, exponent = amount.as_tuple()
	text = "".join(map(str, digits))
	stripped = text.rstrip("0")
	return int(exponent) + len(text) - len(stripped) if stripped else 0
