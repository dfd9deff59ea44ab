"""What the number cards and charts of the desk's workspace show (UI-2), for people who may read what is counted.

The desk asks by POST. It sends what its filters say along, which no figure here has any use for.
"""

from typing import Any

import frappe

from trackflow.analytics.scope import check
from trackflow.reports import workspace


@frappe.whitelist(methods=["GET", "POST"])
def clicks() -> dict[str, Any] | str:
	"""Number card: clicks and QR scans of people in the last 7 days."""
	check("Click Event")
	return workspace.clicks()


@frappe.whitelist(methods=["GET", "POST"])
def visitors() -> dict[str, Any] | str:
	"""Number card: different visitors of the last 7 days."""
	check("Visitor Session")
	return workspace.visitors()


@frappe.whitelist(methods=["GET", "POST"])
def conversions() -> dict[str, Any] | str:
	"""Number card: conversions of the last 30 days under the default model."""
	check("Attribution Link")
	return workspace.conversions()


@frappe.whitelist(methods=["GET", "POST"])
def value() -> dict[str, Any] | str:
	"""Number card: the value of the last 30 days' conversions under the default model, in the reporting currency."""
	check("Daily Rollup")
	return workspace.value()


@frappe.whitelist(methods=["GET", "POST"])
def spend() -> dict[str, Any] | str:
	"""Number card: what was spent in the last 30 days, in the reporting currency."""
	check("Daily Rollup")
	return workspace.spend()


@frappe.whitelist(methods=["GET", "POST"])
def waste() -> dict[str, Any] | str:
	"""Number card: what of the last 30 days' spend was waste, by campaign under the default model."""
	check("Daily Rollup")
	return workspace.waste()


@frappe.whitelist(methods=["GET", "POST"])
def not_stored() -> dict[str, Any] | str:
	"""Number card: clicks and events that could not be stored and wait for somebody, for who looks after the site."""
	check("Click Queue")
	return workspace.not_stored()


@frappe.whitelist(methods=["GET", "POST"])
def clicks_and_visitors() -> dict[str, Any]:
	"""Chart: clicks and scans of people, and different visitors, by day of the last 30."""
	check("Click Event", "Visitor Session")
	return workspace.clicks_and_visitors()


@frappe.whitelist(methods=["GET", "POST"])
def visits_by_channel() -> dict[str, Any]:
	"""Chart: sessions of the last 30 days by channel."""
	check("Visitor Session")
	return workspace.visits_by_channel()


@frappe.whitelist(methods=["GET", "POST"])
def conversions_by_channel() -> dict[str, Any]:
	"""Chart: conversions of the last 30 days by channel, under the default model."""
	check("Attribution Link")
	return workspace.conversions_by_channel()


@frappe.whitelist(methods=["GET", "POST"])
def spend_and_value() -> dict[str, Any]:
	"""Chart: spend and value by day of the last 30, in the reporting currency."""
	check("Daily Rollup")
	return workspace.spend_and_value()


@frappe.whitelist(methods=["GET", "POST"])
def waste_by_campaign() -> dict[str, Any]:
	"""Chart: the campaigns with most waste in the last 30 days, under the default model."""
	check("Daily Rollup")
	return workspace.waste_by_campaign()
