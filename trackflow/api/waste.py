"""Spend that was wasted, for people who may read daily figures (WST-1, ROL-P)."""

from decimal import Decimal, InvalidOperation
from typing import Any

import frappe
from frappe import _

from trackflow.day_range import day_range
from trackflow.paging import start_and_limit
from trackflow.rollups import reading
from trackflow.rollups.grains import CAMPAIGN, GRAINS, Place, grain_named
from trackflow.trackflow.doctype.waste_acknowledgement.waste_acknowledgement import name_of
from trackflow.validation import check_choice, plain_text
from trackflow.waste import acknowledged, findings
from trackflow.waste.judge import REASONS, SEVERITIES

Row = dict[str, Any]

LIMIT, MOST = 50, 500


@frappe.whitelist(methods=["GET"])
def get_waste(
	date_range: str | None = None,
	grain: str | None = None,
	attribution_model: str | None = None,
	min_waste_spend: float | str | None = None,
	severity: str | None = None,
	limit: int | str = LIMIT,
	start: int | str = 0,
) -> Row:
	"""What was wasted in a range of days (`2026-03-01,2026-03-31`; the last 30 by default), at one grain (Campaign by default),
	under one model (the default one): `findings`, the worst first, each with its reason, in numbers and in words, and a `summary`."""
	frappe.has_permission("Daily Rollup", "read", throw=True)
	first_line, number = start_and_limit(start, limit, MOST)
	return findings.answer(
		*day_range(*_ends(plain_text(date_range, "date_range"))),
		_grain(grain),
		reading.model_named(plain_text(attribution_model, "attribution_model")),
		_amount(min_waste_spend, "min_waste_spend"),
		check_choice("severity", plain_text(severity, "severity").lower(), SEVERITIES),
		number,
		first_line,
	)


@frappe.whitelist(methods=["POST"])
def acknowledge(
	reason: str,
	grain: str | None = None,
	platform: str | None = None,
	campaign: str | None = None,
	adset: str | None = None,
	ad: str | None = None,
	until: str | None = None,
	amount: float | str | None = None,
	note: str | None = None,
) -> Row:
	"""Keep a finding quiet, until a day and up to an amount of waste where these are given; once more changes both. Answers the
	*Waste Acknowledgement*, which somebody may delete again."""
	frappe.has_permission(findings.ACKNOWLEDGEMENT, "create", throw=True)
	parts = dict(platform=platform, campaign=campaign, adset=adset, ad=ad)
	place = Place(**{name: plain_text(part, name) for name, part in parts.items()})
	key = {"grain": _grain(grain), "reason": check_choice("reason", plain_text(reason, "reason"), REASONS)}
	values = {
		"until": day_range(plain_text(until, "until"), None)[0] if until else None,
		"amount": float(_amount(amount, "amount")),
		"note": plain_text(note, "note"),
	}
	name = name_of(key["grain"], place, key["reason"])
	if frappe.db.exists(findings.ACKNOWLEDGEMENT, name):
		doc = frappe.get_doc(findings.ACKNOWLEDGEMENT, name).update(values).save()
	else:
		new = {"doctype": findings.ACKNOWLEDGEMENT, **key, **place._asdict(), **values}
		doc = frappe.get_doc(new).insert()
	return {
		"name": doc.name,
		**key,
		**place._asdict(),
		**values,
		"until": str(doc.until) if doc.until else None,
	}


@frappe.whitelist(methods=["GET"])
def get_acknowledgements(start: int | str = 0, limit: int | str = LIMIT) -> Row:
	"""What is kept quiet, the newest first, whether it still is (`is_over`), by whom and since when."""
	frappe.has_permission(findings.ACKNOWLEDGEMENT, "read", throw=True)
	return acknowledged.listed(*start_and_limit(start, limit, MOST))


@frappe.whitelist(methods=["POST"])
def withdraw_acknowledgement(name: str) -> Row:
	"""Let a finding be heard of again; answers what was acknowledged."""
	return acknowledged.withdraw(plain_text(name, "name"))


def _ends(date_range: str) -> tuple[str, str]:
	first, _comma, last = date_range.partition(",")
	return first.strip(), last.strip()


def _grain(value: Any) -> str:
	return check_choice("grain", grain_named(plain_text(value, "grain")) or CAMPAIGN, tuple(GRAINS))


def _amount(value: Any, label: str) -> Decimal:
	try:
		amount = Decimal(str(value or 0).strip())
	except InvalidOperation:
		amount = Decimal("NaN")
	if not amount.is_finite() or not 0 <= amount < 10**12:
		frappe.throw(_("{0} is an amount of at least 0.").format(label))
	return amount
