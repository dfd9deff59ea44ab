"""What campaigns brought (RPT-2), for people who may read the campaign, clicks, visits, credits and costs."""

from typing import Any

import frappe

from trackflow.analytics import campaign
from trackflow.analytics.credited import model_of
from trackflow.analytics.scope import check, period_of
from trackflow.validation import plain_text, readable


@frappe.whitelist(methods=["GET"])
def get_campaign_stats(
	campaign_name: str, from_date: str | None = None, to_date: str | None = None, model: str | None = None
) -> dict[str, Any]:
	"""Clicks, visits, conversions and value under a model (the default one if none is named), spend and what it brought, of a range
	of days, the last 30 by default; by day, by channel, by link, beside budget and expected ROI."""
	check("Link Campaign", *campaign.DOCTYPES)
	doc = readable("Link Campaign", campaign_name)
	return campaign.stats(doc, period_of(from_date, to_date), model_of(plain_text(model, "model")))
