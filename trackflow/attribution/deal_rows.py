"""Deal Attribution and Deal Link Association: a won deal's credits in one row per model and per link.

Both follow from the credits; rows that are right already are not touched.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.attribution.credits import Credit
from trackflow.attribution.shapes import Model
from trackflow.naming import key_name

Row = dict[str, Any]


def attribution_name(deal: str, model: str) -> str:
	return key_name("deal attribution", deal, model)


def association_name(deal: str, link: str) -> str:
	return key_name("deal link", deal, link)


def write(found: Sequence[tuple[Row, Model, list[Credit]]]) -> int:
	"""Write the rows of these deals' conversions; returns how many were written."""
	deals = sorted({row.crm_deal for row, _model, _credits in found})
	if not deals:
		return 0
	by_model = {row["name"]: row for row in (_attribution(*one) for one in found)}
	by_link = {
		row["name"]: row for one in found if one[1].is_default for row in _associations(one[0], one[2])
	}
	return _sync("Deal Attribution", deals, by_model, "calculation_date") + _sync(
		"Deal Link Association", deals, by_link, "created_date"
	)


def remove(deal: str | None) -> None:
	"""Remove the rows of a deal that is not won any more; a conversion without a deal has none."""
	if not deal:
		return
	for doctype in ("Deal Attribution", "Deal Link Association"):
		frappe.db.delete(doctype, {"deal_id": deal})


def _sync(doctype: str, deals: list[str], desired: dict[str, Row], stamp: str) -> int:
	"""Sync, with the time in the field `stamp` on rows that are written."""
	fields = next(iter(desired.values()), {"name": ""}).keys() - {"name"}
	stored = bulk.load(doctype, {"deal_id": ("in", deals)}, fields)
	now = now_datetime()
	stamped = {
		name: row if name in stored and bulk.same(row, stored[name]) else {**row, stamp: now}
		for name, row in desired.items()
	}
	return len(bulk.sync(doctype, stamped, stored))


def _attribution(conversion: Row, model: Model, credits: list[Credit]) -> Row:
	touches = [credit for credit in credits if credit.touch]
	return {
		"name": attribution_name(conversion.crm_deal, model.name),
		"deal_id": conversion.crm_deal,
		"attribution_model": model.name,
		"first_touch_campaign": _campaign(touches[0]) if touches else None,
		"last_touch_campaign": _campaign(touches[-1]) if touches else None,
		"attribution_value": sum((credit.value for credit in touches), Decimal(0)),
		"currency": conversion.currency,
		"touch_points": json.dumps([_touch(credit) for credit in touches]),
	}


def _campaign(credit: Credit) -> str | None:
	return credit.touch.link_campaign or credit.touch.campaign or None


def _touch(credit: Credit) -> dict[str, Any]:
	touch = credit.touch
	return {
		"touch_point": touch.id,
		"occurred_at": touch.occurred_at.isoformat(sep=" "),
		"channel": credit.channel,
		"source": touch.source,
		"medium": touch.medium,
		"campaign": touch.link_campaign or touch.campaign,
		"position": credit.position,
		"weight": str(credit.weight),
		"value": str(credit.value),
	}


def _associations(conversion: Row, credits: list[Credit]) -> list[Row]:
	"""One row per link that took part, with its share under the default model."""
	links: dict[str, list[Credit]] = {}
	for credit in credits:
		if credit.touch and credit.touch.tracked_link:
			links.setdefault(credit.touch.tracked_link, []).append(credit)
	return [
		{
			"name": association_name(conversion.crm_deal, link),
			"deal_id": conversion.crm_deal,
			"tracked_link": link,
			"association_type": _association(some),
			"attribution_weight": sum((credit.weight for credit in some), Decimal(0)),
		}
		for link, some in links.items()
	]


def _association(credits: list[Credit]) -> str:
	positions = {credit.position for credit in credits}
	is_first, is_last = 1 in positions, credits[0].touch_count in positions
	if is_first and is_last:
		return "Only Touch"
	return "First Touch" if is_first else "Last Touch" if is_last else "Assist"
