"""Gives conversions that were stored with a value and no currency the one that such values are in, and has them credited anew, as a
value of no currency cannot be converted. Doing it again changes nothing."""

import frappe
from frappe.query_builder.functions import Coalesce

from trackflow.costs.rates import reporting_currency
from trackflow.tracking.conversions import PENDING


def execute() -> None:
	table = frappe.qb.DocType("Conversion")
	(
		frappe.qb.update(table)
		.set(table.currency, reporting_currency())
		.set(table.attribution_status, PENDING)
		.where((table.value != 0) & (Coalesce(table.currency, "") == ""))
		.run()
	)
