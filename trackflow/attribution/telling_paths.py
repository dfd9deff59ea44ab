"""The paths of conversions for a range of days (ATT-7). Reads only; a range's days are the site's.

Paths are read some hundred at a time, by the code that credits read them by; a range with too many of them is refused.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Count

from trackflow.attribution import journeys, path_figures, paths
from trackflow.attribution.channel_rules import renamed, rules_along
from trackflow.attribution.comparing import amounts, types_of
from trackflow.attribution.path_figures import Brought, Converted, PathFigures, Steps, spread
from trackflow.attribution.shapes import Model
from trackflow.day_range import moments

Row = dict[str, Any]

# Conversions whose paths one answer is made of.
MOST_CONVERSIONS = 50_000


def paths_answer(
	first: date, last: date, limit: int, conversion_type: str = "", model_name: str = ""
) -> dict[str, Any]:
	"""The paths of these days' conversions as JSON, by the window and the channel names of one model, the default one if none
	is named: `paths` (most common first, `limit` of them), `others`, `channels`, lengths, and times in seconds."""
	model = _model(model_name)
	found = path_figures.figures(_converted(first, last, model, *types_of(conversion_type)))
	common, different, rest = found.most_common(limit)
	return {
		"from_date": str(first),
		"to_date": str(last),
		"model": model.name,
		"totals": _brought(found.totals),
		"without_touch": _brought(found.without_touch),
		"paths": [
			{
				"path": _text(steps),
				"steps": [{"channel": channel, "touches": touches} for channel, touches in steps],
				**_brought(brought),
			}
			for steps, brought in common
		],
		"others": {"paths": different, **_brought(rest)},
		**_spreads(found),
		"channels": [
			{
				"channel": name,
				"conversions": one.conversions,
				"first": one.first,
				"last": one.last,
				"assists": one.assists,
				"assists_by_last": one.assists_by_last,
			}
			for name, one in found.channels()
		],
	}


def _model(name: str) -> Model:
	models = journeys.active_models()
	for model in models:
		if model.name == name or (not name and model.is_default):
			return model
	frappe.throw(_("{0} is no active attribution model.").format(name or _("Default")))


def _converted(
	first: date, last: date, model: Model, counted: Sequence[str], valued: Sequence[str]
) -> Iterator[Converted]:
	"""The conversions of these days with their journeys, one after the other."""
	table = frappe.qb.DocType("Conversion")
	begin, end = moments(first, last)
	types = [*counted, *valued]
	_refuse_too_many(paths.conversions(types, begin, end).select(Count("*")).run()[0][0])
	fields = (
		table.value,
		table.currency,
		Case().when(table.conversion_type.isin(counted), 1).else_(0).as_("is_counted"),
		Case().when(table.conversion_type.isin(valued), 1).else_(0).as_("is_valued"),
	)
	for row, journey in paths.converted(model, types, begin, end, fields):
		moments_of = [touch.occurred_at for touch in journey]
		yield Converted(
			tuple(
				renamed(touch, rule)[0]
				for touch, rule in zip(
					journey, rules_along(journey, row.conversion_date, model.rules), strict=True
				)
			),
			moments_of[0] if moments_of else None,
			moments_of[-1] if moments_of else None,
			row.conversion_date,
			bool(row.is_counted),
			Decimal(str(row.value or 0)) if row.is_valued else Decimal(0),
			row.currency or "",
		)


def _refuse_too_many(conversions: int) -> None:
	if conversions > MOST_CONVERSIONS:
		frappe.throw(
			_(
				"There are {0} conversions in this range, and paths are read of {1} at most: ask for fewer days."
			).format(conversions, MOST_CONVERSIONS)
		)


def _brought(brought: Brought) -> Row:
	return {"conversions": brought.conversions, "value": amounts(brought.value)}


def _spreads(found: PathFigures) -> Row:
	return {
		"touches": spread(found.lengths)._asdict(),
		"seconds_to_conversion": spread(found.to_conversion)._asdict(),
		"seconds_to_last_touch": spread(found.to_last_touch)._asdict(),
	}


def _text(steps: Steps) -> str:
	return " → ".join(channel if touches == 1 else f"{channel} ×{touches}" for channel, touches in steps)
