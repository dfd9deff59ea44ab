"""CRM Organization: its TrackFlow fields, from the deals that are made with it (CRM-1)."""

import frappe
from frappe.query_builder.functions import Sum

from trackflow.integrations import summary, visitor_reference
from trackflow.integrations.summary import Summary
from trackflow.tracking import people

DOCTYPE = "CRM Organization"


def update(organization: str | None, visitor_id: str | None, found: Summary) -> None:
	"""Set the fields of an organization from the journey of one of its deals; nothing known changes nothing."""
	if not organization or not visitor_id or not frappe.db.exists(DOCTYPE, organization):
		return
	campaigns = [campaign for touch in found.touches if (campaign := summary.campaign_of(touch))]
	summary.set_fields(
		DOCTYPE,
		organization,
		{
			visitor_reference.FIELD: visitor_id,
			"trackflow_engagement_score": _engagement(visitor_id),
			"trackflow_last_campaign": campaigns[-1] if campaigns else None,
		},
	)


def _engagement(visitor_id: str) -> float:
	"""The engagement of the person, all devices together."""
	visitor = frappe.qb.DocType("Visitor")
	person = people.of_visitors([visitor_id])[visitor_id]
	total = (
		frappe.qb.from_(visitor)
		.select(Sum(visitor.engagement_score))
		.where(visitor.name.isin(sorted(person)))
		.run()
	)
	return round(total[0][0] or 0, 2)
