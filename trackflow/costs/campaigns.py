"""Finds the Link Campaigns of costs. One statement, however many costs there are."""

import frappe

from trackflow.costs.matching import Campaign, Campaigns

_FIELDS = (
	"name",
	"campaign_id",
	"platform",
	"external_campaign_id",
	"external_adset_id",
	"external_ad_id",
)


def known() -> Campaigns:
	"""The campaigns of the site, to be asked for those of costs."""
	rows = frappe.get_all("Link Campaign", fields=list(_FIELDS), order_by="name")
	return Campaigns.of(Campaign(*(row[field] or "" for field in _FIELDS)) for row in rows)
