"""Conversions and their value as one model credits them: by day, by campaign, by link. Each function is one statement.

Conversions are those of the types that the settings count, value that of the types whose value counts; amounts stay in their
currencies. Of a domain are the credits of touches on it, so what is unattributed belongs to none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Date, Sum
from pypika.functions import NullIf

from trackflow.analytics.scope import Period, Scope
from trackflow.attribution.comparing import active_models
from trackflow.costs.exchange import exact
from trackflow.tracking.conversions import types_that_count

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Credited:
	"""What one model credits within a scope."""

	model: str
	scope: Scope
	campaign: str = ""

	def by_day(self, period: Period) -> list[Row]:
		"""`grp` (the day), `currency`, `conversions` and `value`."""
		credit, _touch, query = self._query(period)
		return _summed(query, credit, Date(credit.conversion_date))

	def by_link(self, period: Period, names: Collection[str] | None = None) -> list[Row]:
		"""The same by Tracked Link: of these alone, or of all."""
		credit, _touch, query = self._query(period)
		if names is not None:
			query = query.where(credit.tracked_link.isin(sorted(names) or [""]))
		return _summed(query, credit, Coalesce(credit.tracked_link, ""))

	def by_channel(self, period: Period) -> list[Row]:
		credit, _touch, query = self._query(period)
		return _summed(query, credit, Coalesce(credit.channel, ""))

	def by_campaign(self, period: Period, names: Collection[str]) -> list[Row]:
		"""The same by campaign: ours, else what the address said."""
		credit, touch, query = self._query(period, with_touch=True)
		group = Coalesce(NullIf(credit.campaign, ""), touch.campaign, "")
		return _summed(query.where(group.isin(sorted(names) or [""])), credit, group)

	def _query(self, period: Period, with_touch: bool = False) -> tuple[Any, Any, Any]:
		credit, touch = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Touch Point")
		query = frappe.qb.from_(credit).where(credit.attribution_model == self.model)
		query = period.of(query, credit.conversion_date)
		if with_touch or self.scope.domains is not None:
			query = query.left_join(touch).on(touch.name == credit.touch_point)
			query = self.scope.narrow(query, touch.domain)
		if self.campaign:
			query = query.where(credit.campaign == self.campaign)
		return credit, touch, query


def model_of(name: str) -> str:
	"""The active model of that name, the default one if none is named."""
	for model in active_models():
		if model.name == name or (not name and model.is_default):
			return model.name
	frappe.throw(_("{0} is no active attribution model.").format(name or _("Default")))


def amounts(rows: Collection[Row]) -> dict[str, float]:
	"""The value in rows, by currency."""
	sums: dict[str, Decimal] = {}
	for row in rows:
		sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + row["value"]
	return {currency: float(amount) for currency, amount in sorted(sums.items()) if amount}


def conversions(rows: Collection[Row]) -> float:
	"""The conversions in rows."""
	return float(round(sum((row["conversions"] for row in rows), Decimal(0)), 6))


def of_group(rows: Collection[Row], group: str) -> Row:
	"""`conversions` and `value` of one group, as answers have them. Databases may take two spellings for one, so do we."""
	own = [row for row in rows if row["grp"].casefold() == group.casefold()]
	return {"conversions": conversions(own), "value": amounts(own)}


def _summed(query: Any, credit: Any, group: Any) -> list[Row]:
	counted, valued = types_that_count()
	currency = Coalesce(credit.currency, "")
	rows = (
		query.where(credit.conversion_type.isin([*counted, *valued]))
		.select(
			group,
			currency,
			Sum(Case().when(credit.conversion_type.isin(counted), credit.weight).else_(0)),
			Sum(Case().when(credit.conversion_type.isin(valued), credit.credited_value).else_(0)),
		)
		.groupby(group, currency)
		.run()
	)
	names = ("grp", "currency", "conversions", "value")
	return [
		dict(zip(names, (str(grp), of, exact(number), exact(value)), strict=True))
		for grp, of, number, value in rows
	]
