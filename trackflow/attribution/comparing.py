"""All models side by side, and the paths of conversions, for a range of days (ATT-7). Reads only; a range's days are the site's.

Credits are summed up by the database, by one statement whatever their number. Paths are read some hundred at a time, by the code that
credits read them by; a range with too many of them is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Count, Sum
from pypika.functions import NullIf
from pypika.queries import QueryBuilder, Table
from pypika.terms import Term, ValueWrapper

from trackflow.attribution import journeys, path_figures, paths
from trackflow.attribution.channel_rules import renamed, rules_along
from trackflow.attribution.comparison import PLACES, Comparison, Credited, Figures, Line, compare
from trackflow.attribution.path_figures import Brought, Converted, PathFigures, Steps, spread
from trackflow.attribution.shapes import Model
from trackflow.day_range import moments
from trackflow.tracking.conversions import types_that_count

Row = dict[str, Any]

CHANNEL, CAMPAIGN, LINK, POSITION = "channel", "campaign", "link", "position"
# What a touch says of itself, which its credit does not repeat.
OF_TOUCH = ("source", "medium", "platform")
GROUPS = (CHANNEL, CAMPAIGN, LINK, *OF_TOUCH, POSITION)
CONVERSIONS, VALUE = FIGURES = ("conversions", "value")
# Groups that are told apart: those that have most of a figure over all models.
MOST_GROUPS = 50
# Conversions whose paths one answer is made of.
MOST_CONVERSIONS = 50_000


def active_models() -> list[Row]:
	"""The active models, the default one first: `name`, `model_type`, `is_default`."""
	return frappe.get_all(
		"Attribution Model",
		filters={"is_active": 1},
		fields=["name", "model_type", "is_default"],
		order_by="is_default desc, name",
	)


def compared(
	first: date,
	last: date,
	group_by: str,
	models: Sequence[str],
	conversion_type: str = "",
	figure: str = CONVERSIONS,
	by_position: bool = False,
) -> Comparison:
	"""What these models credit to each group, of conversions of these days: those of one type, else of the types that the
	settings count and value. A group "" are touches that have none. The largest ones by a figure are told apart, and on demand
	in each of them the positions of touches."""
	by_value = figure == VALUE
	credits = _credits(first, last, group_by, models, *_types(conversion_type), by_position)
	rows = _sums(credits, by_value)
	return compare((Credited(*row) for row in rows), models, by_value)


def link_labels(comparison: Comparison) -> dict[str, str]:
	"""The short codes of the links that are the groups; one that is gone has none."""
	rows = frappe.get_all(
		"Tracked Link",
		filters={"name": ("in", list(comparison.groups) or [""])},
		fields=["name", "short_code"],
		order_by="name",
	)
	return {row.name: row.short_code for row in rows}


def comparison_answer(
	first: date,
	last: date,
	group_by: str,
	conversion_type: str = "",
	figure: str = CONVERSIONS,
	by_position: bool = False,
) -> dict[str, Any]:
	"""The comparison as JSON: `groups`, `others`, `unattributed` and `totals`, with figures by model, and in these by position if
	`by_position`. Arguments are checked."""
	for value, choices in ((group_by, GROUPS), (figure, FIGURES)):
		if value not in choices:
			frappe.throw(_("{0} is none of: {1}.").format(value, ", ".join(choices)))
	models = active_models()
	names = [model.name for model in models]
	found = compared(first, last, group_by, names, conversion_type, figure, by_position)
	labels = link_labels(found) if group_by == LINK else {}

	def of_model(name: str, one: Figures) -> Row:
		return {**_figures(one), "share": found.share(name, one)}

	def figures(line: Line) -> Row:
		told = {name: of_model(name, one) for name, one in line.items()}
		if by_position and line is not found.unattributed:
			for name, one in line.items():
				places = ((place, one.places.get(place, Figures())) for place in PLACES)
				told[name]["positions"] = {place: of_model(name, some) for place, some in places}
		return told

	return {
		"from_date": str(first),
		"to_date": str(last),
		"group_by": group_by,
		"by_position": by_position,
		"models": models,
		"groups": [
			{"group": group, "label": labels.get(group, group), "figures": figures(line)}
			for group, line in found.groups.items()
		],
		"others": figures(found.others) if found.others else None,
		"unattributed": figures(found.unattributed),
		"totals": figures(found.totals),
	}


def paths_answer(
	first: date, last: date, limit: int, conversion_type: str = "", model_name: str = ""
) -> dict[str, Any]:
	"""The paths of these days' conversions as JSON, by the window and the channel names of one model, the default one if none
	is named: `paths` (most common first, `limit` of them), `others`, `channels`, lengths, and times in seconds."""
	model = _model(model_name)
	found = path_figures.figures(_converted(first, last, model, *_types(conversion_type)))
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


def _types(conversion_type: str) -> tuple[list[str], list[str]]:
	"""The types that are counted, and those whose value counts."""
	return ([conversion_type], [conversion_type]) if conversion_type else types_that_count()


def _credits(
	first: date,
	last: date,
	group_by: str,
	models: Sequence[str],
	counted: Sequence[str],
	valued: Sequence[str],
	by_position: bool,
) -> QueryBuilder:
	"""The credits, one a row: `model`, `is_unattributed`, `grp`, `currency`, `conversions`, `value`, `place`."""
	credit, touch = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Touch Point")
	begin, end = moments(first, last)
	groups: dict[str, Term] = {
		CHANNEL: credit.channel,
		# Ours, else what the address said, as on leads.
		CAMPAIGN: Coalesce(NullIf(credit.campaign, ""), touch.campaign),
		LINK: credit.tracked_link,
		POSITION: _place(credit),
	}
	group = groups[group_by] if group_by in groups else touch[group_by]
	query = (
		frappe.qb.from_(credit)
		.select(
			credit.attribution_model.as_("model"),
			# A touch has a place in the journey, from 1 on.
			Case().when(credit.position > 0, 0).else_(1).as_("is_unattributed"),
			Coalesce(group, "").as_("grp"),
			Coalesce(credit.currency, "").as_("currency"),
			Case().when(credit.conversion_type.isin(counted), credit.weight).else_(0).as_("conversions"),
			Case().when(credit.conversion_type.isin(valued), credit.credited_value).else_(0).as_("value"),
			(_place(credit) if by_position else ValueWrapper("")).as_("place"),
		)
		.where(credit.attribution_model.isin(models or [""]))
		.where((credit.conversion_date >= begin) & (credit.conversion_date < end))
		.where(credit.conversion_type.isin([*counted, *valued]))
	)
	if group_by in (CAMPAIGN, *OF_TOUCH):
		query = query.left_join(touch).on(touch.name == credit.touch_point)
	return query


def _place(credit: Table) -> Term:
	"""Which of PLACES a credit's touch has; "" for none."""
	position, count = credit.position, credit.touch_count
	return (
		Case()
		.when(position < 1, "")
		.when(count == 1, "only")
		.when(position == 1, "first")
		.when(position == count, "last")
		.else_("middle")
	)


def _sums(credits: QueryBuilder, by_value: bool) -> Sequence[Sequence[Any]]:
	"""Sums of credits by model and group, in the order of `Credited`; by one statement, so that all parts are of one moment.
	A group has one spelling, whichever a database takes for one, as they are told apart in one place."""
	ranked, credit = credits.as_("ranked"), credits.as_("credit")
	sizes = Sum(ranked.value if by_value else ranked.conversions), Sum(ranked.conversions + ranked.value)
	largest = (
		frappe.qb.from_(ranked)
		.select(ranked.grp)
		.where(ranked.is_unattributed == 0)
		.groupby(ranked.grp)
		.orderby(*sizes, order=frappe.qb.desc)
		.orderby(ranked.grp)
		.limit(MOST_GROUPS)
		.as_("largest")
	)
	keys = (credit.model, credit.is_unattributed, largest.grp, credit.currency)
	sums = (Sum(credit.conversions), Sum(credit.value))
	return (
		frappe.qb.from_(credit)
		.left_join(largest)
		.on(largest.grp == credit.grp)
		.select(*keys, *sums, credit.place)
		.groupby(*keys, credit.place)
		.run()
	)


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


def _figures(figures: Figures) -> Row:
	return {"conversions": float(figures.conversions), "value": _amounts(figures.value)}


def _brought(brought: Brought) -> Row:
	return {"conversions": brought.conversions, "value": _amounts(brought.value)}


def _amounts(value: Mapping[str, Decimal]) -> dict[str, float]:
	return {currency: float(amount) for currency, amount in sorted(value.items())}


def _spreads(found: PathFigures) -> Row:
	return {
		"touches": spread(found.lengths)._asdict(),
		"seconds_to_conversion": spread(found.to_conversion)._asdict(),
		"seconds_to_last_touch": spread(found.to_last_touch)._asdict(),
	}


def _text(steps: Steps) -> str:
	return " → ".join(channel if touches == 1 else f"{channel} ×{touches}" for channel, touches in steps)
