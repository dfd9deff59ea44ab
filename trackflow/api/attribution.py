"""Why credits are what they are, for people who may read visitors' data (ATT-6, ROL-P)."""

from typing import Any

import frappe
from frappe import _

from trackflow.attribution import explain as explanations
from trackflow.integrations import crm_deal, crm_lead, explained
from trackflow.validation import plain_text, readable

Row = dict[str, Any]


@frappe.whitelist(methods=["GET"])
def explain(conversion: str = "", lead: str = "", deal: str = "", model: str = "") -> Row:
	"""Why each touch has its credit for a conversion, a lead or a deal, in numbers and in words: under the default model, the
	one of that name, or "all" active ones. Where there is no conversion, `words` say why."""
	names = [plain_text(one, "reference") for one in (conversion, lead, deal)]
	model = plain_text(model, "model")
	if len([one for one in names if one]) != 1:
		frappe.throw(_("Name one conversion, lead or deal."))
	conversion, lead, deal = names
	if conversion:
		frappe.has_permission("Visitor", "read", throw=True)
		return explanations.of_conversion(readable("Conversion", conversion).name, model)
	module = crm_lead if lead else crm_deal
	# As with journeys: CRM lets everybody who is logged in read leads.
	module.check(lead or deal, "read" if frappe.has_permission("Visitor", "read") else "write")
	return explained.of_lead(lead, model) if lead else explained.of_deal(deal, model)
