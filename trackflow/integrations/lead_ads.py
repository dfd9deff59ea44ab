"""Leads that CRM's lead sync fetched from a form on Facebook: no visit of theirs is known, so our fields say what the lead says
itself of the form's ad. Pure.

CRM keeps the lead's id there. The ids of campaign, ad set and ad are in fields that an administrator has added under these
names and filled by the sync's mapping of questions.
"""

from collections.abc import Mapping
from typing import Any

LEAD_ID = "facebook_lead_id"
AD_IDS = ("facebook_campaign_id", "facebook_adset_id", "facebook_ad_id")
FIELDS = (LEAD_ID, *AD_IDS)

SOURCE = "facebook"
# A form may stand on a page without any ad; only an id proves that somebody paid.
FORM, PAID = "lead_form", "paid_social"


def ad_ids(lead: Mapping[str, Any]) -> tuple[str, ...] | None:
	"""The ids of a lead's ad, from campaign to ad, as far as they are known; None for a lead that came by no such form."""
	if not lead.get(LEAD_ID):
		return None
	return tuple(text for field in AD_IDS if (text := str(lead.get(field) or "").strip()))


def our_fields(ids: tuple[str, ...], campaign: str) -> dict[str, str | None]:
	"""Our fields of such a lead; `campaign` is the Link Campaign that has one of the ids, else the first id stands for it."""
	return {
		"trackflow_source": SOURCE,
		"trackflow_medium": PAID if ids else FORM,
		"trackflow_campaign": campaign or (ids[0] if ids else None),
	}
