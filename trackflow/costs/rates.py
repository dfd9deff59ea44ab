"""Exchange rates as they are stored, for a range of days; `exchange` says how amounts are converted by them."""

from datetime import date, timedelta
from decimal import Decimal

import frappe

from trackflow.costs.exchange import DAYS_BEFORE, Rate, Rates


def reporting_currency() -> str:
	"""The currency of figures, which is the site's own unless the settings name another one."""
	return frappe.get_cached_doc("TrackFlow Settings").reporting_currency


def load(first: date, last: date, into: str = "") -> Rates:
	"""The rates for these days (both included) into a currency, the reporting one by default; by one statement."""
	currency = into or reporting_currency()
	table = frappe.qb.DocType("TrackFlow Exchange Rate")
	rows = (
		frappe.qb.from_(table)
		.select(table.date, table.from_currency, table.to_currency, table.rate)
		.where(table.date[first - timedelta(days=DAYS_BEFORE) : last])
		.where((table.to_currency == currency) | (table.from_currency == currency))
		.run()
	)
	return Rates(currency, (Rate(day, one, other, Decimal(str(rate))) for day, one, other, rate in rows))
