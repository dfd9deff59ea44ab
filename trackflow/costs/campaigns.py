"""Finds the Link Campaigns of costs. One statement, however many costs there are."""

import frappe
from frappe.model.document import Document

from trackflow import jobs
from trackflow.collisions import retried
from trackflow.costs import store
from trackflow.costs.matching import Campaign, Campaigns
from trackflow.runs import recorded

# What a campaign is found by.
FIELDS = (
	"name",
	"campaign_id",
	"platform",
	"external_campaign_id",
	"external_adset_id",
	"external_ad_id",
)


def known() -> Campaigns:
	"""The campaigns of the site, to be asked for those of costs."""
	rows = frappe.get_all("Link Campaign", fields=list(FIELDS), order_by="name")
	return Campaigns.of(Campaign(*(row[field] or "" for field in FIELDS)) for row in rows)


def queue_join(campaign: Document) -> None:
	"""Let a job look whether this campaign, which can be found by something new, is that of costs without one."""
	if frappe.db.exists(store.DOCTYPE, {"link_campaign": ("is", "not set")}):
		jobs.enqueue(
			"trackflow.costs.campaigns.join_all", job_id=f"join-costs::{campaign.name}::{campaign.modified}"
		)


@recorded
def join_all() -> None:
	"""Find the campaigns of costs that have none. What has one keeps it."""
	last: str | None = ""
	while last is not None:
		last = _join_portion(last)


@retried
def _join_portion(after: str) -> str | None:
	"""ONE TRANSACTION. Answers the name of the last row that was looked at."""
	rows = store.without_campaign(after)
	store.join(rows, known())
	frappe.db.commit()
	return rows[-1].name if rows else None
