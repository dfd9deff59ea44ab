"""What a link adds to its destinations: its own parameters, and its campaign's where it names none."""

from collections.abc import Mapping
from typing import Any

import frappe

CAMPAIGN_FIELDS = ("campaign_id", "source", "medium")


def campaign_of(link: Mapping[str, Any]) -> Mapping[str, Any]:
	"""The fields of the link's campaign that its parameters need; empty without a campaign.

	Whoever makes many links reads their campaigns once and leaves each with its document, as the flag `campaign_row`.
	"""
	flags = getattr(link, "flags", None)
	if flags and flags.campaign_row:
		return flags.campaign_row
	name = link.get("campaign")
	return (name and frappe.db.get_value("Link Campaign", name, CAMPAIGN_FIELDS, as_dict=True)) or {}


def link_parameters(link: Mapping[str, Any], campaign: Mapping[str, Any] | None = None) -> dict[str, Any]:
	"""Source … term in the order of LNK-2, then the additional parameters; `campaign` saves reading it again."""
	campaign = campaign_of(link) if campaign is None else campaign
	return {
		"source": link.get("source") or campaign.get("source"),
		"medium": link.get("medium") or campaign.get("medium"),
		"campaign": campaign.get("campaign_id") or link.get("campaign_id"),
		"content": link.get("content"),
		"term": link.get("term"),
		**(frappe.parse_json(link.get("additional_parameters")) or {}),
	}
