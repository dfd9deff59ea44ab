"""The conversions and revenue of links: sums of their credits under the default model (DATA-3).

Recomputed, never added to: with the links locked, in a transaction that begins with the lock, so that of two at once the
later one sees what the earlier one's credits were. Counted are the types that the settings name, so that a lead and the
deal it became are not two.
"""

from collections.abc import Iterable
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Sum

from trackflow import bulk
from trackflow.costs.exchange import exact, held
from trackflow.tracking.conversions import types_that_count

Row = dict[str, Any]

AT_ONCE = 200
NOTHING = {"conversion_count": 0, "revenue": 0}


def recount(links: Iterable[str]) -> int:
	"""Make the figures of these links what their stored credits say; returns links written. Ends the transaction."""
	names = sorted(set(links))
	written = 0
	for start in range(0, len(names), AT_ONCE):
		written += _recount(names[start : start + AT_ONCE])
	return written


def recount_all() -> int:
	"""The same for every link that has credits or figures."""
	credited = frappe.get_all(
		"Attribution Link",
		filters={"tracked_link": ("is", "set")},
		pluck="tracked_link",
		distinct=True,
		order_by="tracked_link",
	)
	figured = frappe.get_all(
		"Tracked Link",
		or_filters=[["conversion_count", "!=", 0], ["revenue", "!=", 0]],
		pluck="name",
		order_by="name",
	)
	return recount([*credited, *figured])


def _recount(names: list[str]) -> int:
	frappe.db.commit()
	stored = _locked(names)
	sums = _sums(list(stored)) if stored else {}
	desired = {name: sums.get(name, NOTHING) for name in stored}
	changed = {name: row for name, row in desired.items() if not bulk.same(row, stored[name])}
	bulk.update("Tracked Link", changed)
	frappe.db.commit()
	return len(changed)


def _locked(names: list[str]) -> dict[str, Row]:
	link = frappe.qb.DocType("Tracked Link")
	rows = (
		frappe.qb.from_(link)
		.select(link.name, link.conversion_count, link.revenue)
		.where(link.name.isin(names))
		.orderby(link.name)
		.for_update()
		.run(as_dict=True)
	)
	return {row.name: row for row in rows}


def _sums(names: list[str]) -> dict[str, Row]:
	counted, valued = types_that_count()
	credit, model = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Attribution Model")
	weight = Case().when(credit.conversion_type.isin(counted), credit.weight).else_(0)
	value = Case().when(credit.conversion_type.isin(valued), credit.credited_value).else_(0)
	rows = (
		frappe.qb.from_(credit)
		.join(model)
		.on(model.name == credit.attribution_model)
		.select(credit.tracked_link, Sum(weight).as_("conversion_count"), Sum(value).as_("revenue"))
		.where(model.is_default == 1)
		.where(credit.tracked_link.isin(names))
		.groupby(credit.tracked_link)
		.run(as_dict=True)
	)
	return {
		row.tracked_link: {"conversion_count": row.conversion_count, "revenue": held(exact(row.revenue))}
		for row in rows
	}
