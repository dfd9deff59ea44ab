"""Gathers what explains a conversion's credits: what they are computed from, and what was left out (ATT-6). Reads only.

The number of statements does not depend on the journey, nor does the length of the answer. Says nothing of who the person is, and of erased ones nothing but what
their credits rest on; who may read it is the caller's to ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone

from trackflow import bulk
from trackflow.attribution import explanation_words as words
from trackflow.attribution import journeys, training
from trackflow.attribution.credits import Credit, credits
from trackflow.attribution.explanation import (
	MOST_LEFT_OUT,
	SHOWN,
	Converted,
	Journey,
	Learnt,
	Origin,
	explain,
	largest,
)
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.attribution.versions import Version
from trackflow.privacy import reads
from trackflow.times import iso
from trackflow.tracking.conversions import KEPT

Row = dict[str, Any]

ALL = "all"
# 4,300 digits are the most that Python makes a text of.
MOST_BITS = 14_000
_ROUNDED = Context(prec=50)


def of_conversion(name: str, model: str = "", limit: int = SHOWN) -> Row:
	"""Why the credits of this conversion are what they are: under the default model, one by name, or "all". Of each model so many
	credits are told one by one. Of a conversion that is nobody's by its age no model's."""
	models = _models(model)
	(row,) = frappe.get_all("Conversion", filters={"name": name}, fields=list(journeys.CONVERSION_FIELDS))
	conversion = Converted(
		row.name,
		row.conversion_type,
		row.conversion_date,
		Decimal(str(row.value or 0)),
		row.currency or "",
		row.lead_created_at,
		row.deal_created_at,
		row.attribution_status,
	)
	told = [] if conversion.status == KEPT else _told(row, conversion, models, limit)
	reads.note("Conversion", row.name)
	return _plain(
		{
			"conversion": {
				"name": conversion.name,
				"conversion_type": conversion.conversion_type,
				"at": conversion.at,
				"value": conversion.value,
				"currency": conversion.currency,
				"lead_created_at": conversion.lead_created_at,
				"deal_created_at": conversion.deal_created_at,
				"status": conversion.status,
			},
			"words": words.of_conversion(conversion),
			"models": told,
		},
		ZoneInfo(get_system_timezone()),
	)


def _told(row: Row, conversion: Converted, models: Sequence[Model], limit: int) -> list[Row]:
	journey = _journey(row, max(one.lookback_days for one in models))
	values_for = training.values_of(models, [conversion.at])
	versions = training.used_by(models, conversion.at)
	learnt = {one.name: _learnt(versions.get(one.name), values_for(one, conversion.at)) for one in models}
	found = [(one, _credits(one, conversion, journey, learnt[one.name])) for one in models]
	journey = replace(journey, origins=_origins(_shown(some, limit) for _model, some in found))
	return [
		words.of_model(explain(one, conversion, journey, some, learnt[one.name], limit), conversion.currency)
		for one, some in found
	]


def _models(model: str) -> list[Model]:
	active = journeys.active_models()
	if model == ALL:
		return active
	if not model:
		return [one for one in active if one.is_default]
	found = [one for one in active if one.name == model]
	if not found:
		frappe.throw(_("There is no active attribution model {0}.").format(model), frappe.DoesNotExistError)
	return found


def _credits(model: Model, conversion: Converted, journey: Journey, learnt: Learnt) -> list[Credit]:
	return credits(
		model,
		journey.touches,
		conversion.at,
		conversion.value,
		conversion.currency,
		conversion.lead_created_at,
		conversion.deal_created_at,
		learnt.values,
	)


def _shown(some: Sequence[Credit], limit: int) -> set[str]:
	"""The touches whose credits are told one by one."""
	return {touch.id for index in largest(some, limit) if (touch := some[index].touch)}


def _learnt(version: Version | None, values: Mapping[str, Fraction]) -> Learnt:
	since = frappe.db.get_value(training.TRAINING, version.name, "from_date") if version else None
	return Learnt(version, since, values)


def _journey(row: Row, longest_window_days: int) -> Journey:
	"""The touches of the conversion's person in the longest window, and the nearest beside it."""
	inside = journeys.touches_of([row], longest_window_days).get(row.name, [])
	visitors = sorted(journeys.persons([row])[row.name])
	reads.note("Visitor", *visitors)
	start = row.conversion_date - timedelta(days=longest_window_days)
	before, older = _beside(visitors, start=None, end=start)
	after, younger = _beside(visitors, start=row.conversion_date, end=None)
	touches = [*reversed(before), *inside, *after]
	return Journey(
		touches,
		len(visitors),
		older - len(before),
		younger - len(after),
	)


def _beside(
	visitors: Sequence[str], start: datetime | None, end: datetime | None
) -> tuple[list[JourneyTouch], int]:
	"""The touches before `end`, the last first, or those after `start`: the nearest ones, and how many there are."""
	if not visitors:
		return [], 0
	filters = {"visitor_id": ("in", visitors), "occurred_at": ("<", end) if end else (">", start)}
	direction = "desc" if end else "asc"
	found = frappe.get_all(
		"Touch Point",
		filters=filters,
		fields=list(journeys.TOUCH_FIELDS),
		order_by=f"occurred_at {direction}, name {direction}",
		limit=MOST_LEFT_OUT,
	)
	return [journeys.touch_of(one) for one in found], frappe.db.count("Touch Point", filters)


def _origins(shown: Iterable[set[str]]) -> dict[str, Origin]:
	touches = set().union(*shown)
	if not touches:
		return {}
	rows = bulk.load("Touch Point", {"name": ("in", touches)}, ("referrer", "click_id_type"))
	return {name: Origin(row.referrer or "", row.click_id_type or "") for name, row in rows.items()}


def _plain(value: Any, zone: ZoneInfo) -> Any:
	"""The same as JSON can hold it: fractions as "numerator/denominator", amounts as text, times with their zone."""
	if isinstance(value, Fraction):
		return _ratio(value)
	if isinstance(value, Mapping):
		return {name: _plain(one, zone) for name, one in value.items()}
	if isinstance(value, list | tuple):
		return [_plain(one, zone) for one in value]
	if isinstance(value, datetime):
		return iso(value, zone)
	if isinstance(value, date):
		return value.isoformat()
	if isinstance(value, Decimal):
		return f"{value:f}"
	return value


def _ratio(value: Fraction) -> str:
	"""A fraction as text; one of thousands of digits, which Python writes no more, with fifty places."""
	if max(value.numerator.bit_length(), value.denominator.bit_length()) < MOST_BITS:
		return str(value)
	return str(_ROUNDED.divide(Decimal(value.numerator), Decimal(value.denominator)))
