"""Reads what a day's figures are made of: costs, and credits summed up by the database. Two statements, whatever their number.

A credit is booked on the day of its conversion. Its place is that of its touch: the platform of the visit, else of its
campaign; the campaign, else, of a paid visit, what the address calls it; ad set and ad as the address said, else the
campaign's. A touch that is gone leaves the campaign, which the credit holds itself.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Sum
from pypika.functions import NullIf
from pypika.terms import Term

from trackflow import bulk
from trackflow.costs.exchange import exact
from trackflow.day_range import moments
from trackflow.rollups.grains import Cost, Credited, Place


def costs(day: date) -> list[Cost]:
	"""The costs of a day as they were entered, on their Link Campaign or else the platform's id, or the name where there is none."""
	table = frappe.qb.DocType("Daily Campaign Metric")
	rows = (
		frappe.qb.from_(table)
		.select(
			table.platform,
			_else(table.link_campaign, _else(table.external_campaign_id, table.campaign_name)),
			_else(table.external_adset_id, table.adset_name),
			_else(table.external_ad_id, table.ad_name),
			table.currency,
			table.impressions,
			table.clicks,
			table.spend,
		)
		.where(table.date == day)
		.run()
	)
	return [
		Cost(Place(*(part or "" for part in row[:4])), row[4] or "", row[5] or 0, row[6] or 0, exact(row[7]))
		for row in rows
	]


def credits(day: date, model: str, campaigns: Collection[str] | None = None) -> list[Credited]:
	"""What a model credits for the conversions of a day, to some campaigns or to whatever there is."""
	credit, touch, session, campaign = map(
		frappe.qb.DocType, ("Attribution Link", "Touch Point", "Visitor Session", "Link Campaign")
	)
	begin, end = moments(day, day)
	keys = [
		bulk.as_hex(text).as_(f"key_{number}")
		for number, text in enumerate(
			(
				Coalesce(NullIf(touch.platform, ""), campaign.platform),
				Coalesce(NullIf(credit.campaign, ""), Case().when(touch.platform != "", touch.campaign)),
				_else(session.ad_group, campaign.external_adset_id),
				_else(session.ad_id, campaign.external_ad_id),
				credit.currency,
				credit.conversion_type,
			)
		)
	]
	query = (
		frappe.qb.from_(credit)
		.left_join(touch)
		.on(touch.name == credit.touch_point)
		.left_join(session)
		.on(session.name == touch.session)
		.left_join(campaign)
		.on(campaign.name == credit.campaign)
		.select(*keys, Sum(credit.weight), Sum(credit.credited_value))
		.where(credit.attribution_model == model)
		.where((credit.conversion_date >= begin) & (credit.conversion_date < end))
		.groupby(*keys)
	)
	if campaigns is not None:
		query = query.where(bulk.among(credit.campaign, campaigns))
	return [_credited(row) for row in query.run()]


def _else(text: Term, other: Term) -> Term:
	return Coalesce(NullIf(text, ""), other)


def _credited(row: Sequence[Any]) -> Credited:
	platform, campaign, adset, ad, currency, conversion_type = map(bulk.of_hex, row[:6])
	# Nobody sold an ad where nobody was paid, whatever an address says.
	place = Place(platform, campaign, adset, ad) if platform.strip() else Place("", campaign)
	return Credited(place, currency, conversion_type, exact(row[6]), exact(row[7]))
