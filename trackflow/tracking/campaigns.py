"""Finds the campaigns of visits that came by none of their links: by a platform's id, else by utm_campaign (TCH-1).

One query for many visits. Nothing is guessed: an id or a name that two campaigns have is the first one's by name.
"""

from collections.abc import Hashable, Mapping

import frappe

Keys = tuple[tuple[str, ...], str]


def found(keys: Mapping[Hashable, Keys]) -> dict[Hashable, str]:
	"""The Link Campaign of each of these: ids with a platform first, then the utm_campaign, whatever its case."""
	ids = {one for external, _campaign in keys.values() for one in external}
	# A tag may carry the platform's id as the campaign's name.
	names = {campaign for _external, campaign in keys.values() if campaign}
	if not (ids or names):
		return {}
	rows = frappe.get_all(
		"Link Campaign",
		or_filters={
			"external_campaign_id": ("in", sorted(ids | names)),
			"campaign_id": ("in", sorted(name.lower() for name in names) or [""]),
		},
		fields=["name", "campaign_id", "external_campaign_id"],
		order_by="name desc",
	)
	by_id = {row.external_campaign_id: row.name for row in rows if row.external_campaign_id}
	by_slug = {row.campaign_id.lower(): row.name for row in rows if row.campaign_id}
	campaigns = {key: _campaign(*one, by_id, by_slug) for key, one in keys.items()}
	return {key: campaign for key, campaign in campaigns.items() if campaign}


def _campaign(
	external: tuple[str, ...], name: str, by_id: Mapping[str, str], by_slug: Mapping[str, str]
) -> str:
	for one in external:
		if one in by_id:
			return by_id[one]
	return by_slug.get(name.lower(), "") or by_id.get(name, "")
