"""Conversions of a period as a list, each with what one model credits it to; and how many there were, by type. Reads only.

Rows are those of a list of the user's own, with no field of a level that may not be read. Of very many the newest are looked at, so
that no filter and no order reads them all.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.query_builder import Case, Order
from frappe.query_builder.functions import Coalesce, Count, Max, Sum
from frappe.utils import get_system_timezone
from pypika.functions import NullIf

from trackflow.analytics.scope import Period, newest_since
from trackflow.costs.exchange import as_number, exact
from trackflow.paging import Page
from trackflow.privacy import reads
from trackflow.times import iso
from trackflow.tracking import identity
from trackflow.tracking.conversions import DONE, FAILED, PENDING, types_that_count

Row = dict[str, Any]

DOCTYPES = ("Conversion", "Attribution Link")
SORTED_BY = ("conversion_date", "value")
STATUSES = (PENDING, DONE, FAILED)
FIELDS = (
	"name", "conversion_type", "conversion_date", "value", "currency", "visitor", "source_doctype", "attribution_status",
	"crm_lead", "crm_deal",
)  # fmt: skip
# The conversions that are looked at: the newest ones.
MOST_CONVERSIONS = 10_000
# Channels and campaigns of a conversion that are told apart: those that get most of it.
MOST_CREDITS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
	"""Which conversions, "" for any: of a type and a status, and credited by `model` to a channel, a campaign, a link."""

	model: str
	conversion_type: str = ""
	status: str = ""
	channel: str = ""
	campaign: str = ""
	tracked_link: str = ""

	@property
	def is_credited(self) -> bool:
		"""Whether it asks for what is credited."""
		return bool(self.channel or self.campaign or self.tracked_link)


@dataclass(frozen=True, slots=True)
class Found:
	"""A page of conversions, and where the next one begins. `is_cut`: of the period the newest were looked at, MOST_CONVERSIONS."""

	conversions: list[Row]
	next_start: int | None
	is_cut: bool


def listed(wanted: Wanted, period: Period, page: Page) -> Found:
	"""The page's conversions."""
	since = newest_since("Conversion", "conversion_date", period, MOST_CONVERSIONS)
	names, next_start = page.cut(_names(wanted, since or period.begin, period.end, page))
	return Found(told(names, wanted.model), next_start, since is not None)


def told(names: list[str], model: str) -> list[Row]:
	"""These conversions, in this order, with what the model credits them to. By two statements."""
	found = frappe.get_list(
		"Conversion",
		filters={"name": ("in", names or [""])},
		fields=list(FIELDS),
		order_by="name",
		limit=len(names),
	)
	reads.note("Conversion", *(row.name for row in found))
	credits, zone = _credits(names, model), ZoneInfo(get_system_timezone())
	tells_visitors = bool(frappe.has_permission("Visitor", "read"))
	rows = {}
	for row in found:
		row["at"] = iso(row.pop("conversion_date"), zone)
		row["value"] = as_number(exact(row.value))
		# Of who was erased there is nothing to look at.
		if not (tells_visitors and identity.is_visitor_id(row.visitor)):
			row["visitor"] = None
		rows[row.name] = row | credits.get(row.name, {"touches": 0, "credits": [], "more_credits": 0})
	return [rows[name] for name in names if name in rows]


def by_type(period: Period, model: str) -> list[Row]:
	"""The period's conversions by type, most first: how many, their value by currency, how many wait for their credits or could
	not be credited, and how many the model credits to no touch: because no visitor is known, or no visit of theirs in time."""
	counted, valued = types_that_count()
	unattributed = _unattributed(period, model)
	rows = sorted(_types(period).items(), key=lambda item: (-item[1]["conversions"], item[0]))
	return [
		{
			"conversion_type": name,
			**row,
			"is_counted": name in counted,
			"is_valued": name in valued,
			**unattributed.get(name, {"no_visitor": 0, "no_touch": 0}),
		}
		for name, row in rows
	]


def _names(wanted: Wanted, begin: datetime, end: datetime, page: Page) -> list[str]:
	table = frappe.qb.DocType("Conversion")
	query = frappe.qb.from_(table).select(table.name)
	query = query.where((table.conversion_date >= begin) & (table.conversion_date < end))
	if wanted.conversion_type:
		query = query.where(table.conversion_type == wanted.conversion_type)
	if wanted.status:
		query = query.where(table.attribution_status == wanted.status)
	if wanted.is_credited:
		query = query.where(table.name.isin(_credited(wanted, begin, end)))
	order = Order.desc if page.is_descending else Order.asc
	query = query.orderby(table[page.field], table.name, order=order)
	return [name for (name,) in query.limit(page.more).offset(page.start).run()]


def _credited(wanted: Wanted, begin: datetime, end: datetime) -> Any:
	credit, touch = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Touch Point")
	query = frappe.qb.from_(credit).select(credit.conversion).where(credit.attribution_model == wanted.model)
	query = query.where((credit.conversion_date >= begin) & (credit.conversion_date < end))
	if wanted.channel:
		query = query.where(credit.channel == wanted.channel)
	if wanted.tracked_link:
		query = query.where(credit.tracked_link == wanted.tracked_link)
	if wanted.campaign:
		query = query.left_join(touch).on(touch.name == credit.touch_point)
		query = query.where(_campaign(credit, touch) == wanted.campaign)
	return query


def _credits(names: list[str], model: str) -> dict[str, Row]:
	"""What each conversion is credited to: `touches`, how many there were; `credits`, by channel and campaign."""
	credit, touch = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Touch Point")
	campaign = _campaign(credit, touch)
	rows = (
		frappe.qb.from_(credit)
		.left_join(touch)
		.on(touch.name == credit.touch_point)
		.select(
			credit.conversion,
			credit.channel,
			campaign.as_("of_campaign"),
			Sum(credit.weight).as_("weight"),
			Sum(credit.credited_value).as_("value"),
			Max(credit.touch_count).as_("touches"),
		)
		.where((credit.attribution_model == model) & credit.conversion.isin(names or [""]))
		.groupby(credit.conversion, credit.channel, campaign)
		.run(as_dict=True)
	)
	by_conversion: dict[str, list[Row]] = defaultdict(list)
	for row in rows:
		by_conversion[row.conversion].append(row)
	return {name: _largest(some) for name, some in by_conversion.items()}


def _largest(rows: list[Row]) -> Row:
	rows.sort(key=lambda row: (-row.weight, row.channel or "", row.of_campaign))
	return {
		"touches": max(row.touches for row in rows) or 0,
		"credits": [
			{
				"channel": row.channel or "",
				"campaign": row.of_campaign,
				"share": round(float(row.weight), 9),
				"value": as_number(exact(row.value)),
			}
			for row in rows[:MOST_CREDITS]
		],
		"more_credits": max(len(rows) - MOST_CREDITS, 0),
	}


def _campaign(credit: Any, touch: Any) -> Any:
	"""Ours, else what the address said, as models are compared by."""
	return Coalesce(NullIf(credit.campaign, ""), touch.campaign, "")


def _types(period: Period) -> dict[str, Row]:
	table = frappe.qb.DocType("Conversion")
	currency, status = Coalesce(table.currency, ""), Coalesce(table.attribution_status, "")
	rows = (
		period.of(frappe.qb.from_(table), table.conversion_date)
		.select(table.conversion_type, currency, status, Count("*"), Sum(table.value))
		.groupby(table.conversion_type, currency, status)
		.orderby(table.conversion_type, currency, status)
		.run()
	)
	types: dict[str, Row] = {}
	for name, of_currency, state, number, value in rows:
		row = types.setdefault(name or "", {"conversions": 0, "value": {}, "pending": 0, "failed": 0})
		row["conversions"] += number
		if amount := exact(value):
			row["value"][of_currency] = as_number(exact(row["value"].get(of_currency, 0)) + amount)
		for wanted, figure in ((PENDING, "pending"), (FAILED, "failed")):
			row[figure] += number if state == wanted else 0
	return types


def _unattributed(period: Period, model: str) -> dict[str, Row]:
	credit, conversion = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Conversion")
	is_known = Case().when(Coalesce(conversion.visitor, "") == "", 0).else_(1)
	rows = (
		period.of(frappe.qb.from_(credit), credit.conversion_date)
		.left_join(conversion)
		.on(conversion.name == credit.conversion)
		.select(credit.conversion_type, Count("*"), Sum(is_known))
		.where((credit.attribution_model == model) & credit.touch_point.isnull() & (credit.position < 1))
		.groupby(credit.conversion_type)
		.orderby(credit.conversion_type)
		.run()
	)
	return {
		name or "": {"no_visitor": int(number - known), "no_touch": int(known)}
		for name, number, known in rows
	}
