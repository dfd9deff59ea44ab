"""Which conversion a lead or a deal stands for, and why its credits are what they are; where there is none, why not (ATT-6).

Who may ask is the caller's to check.
"""

from typing import Any

import frappe
from frappe import _

from trackflow.attribution import explain
from trackflow.attribution.explanation import SHOWN
from trackflow.integrations import crm_deal, crm_lead, visitor_reference
from trackflow.tracking import conversions

Row = dict[str, Any]


def of_lead(lead: str, model: str = "", limit: int = SHOWN) -> Row:
	"""The explanation of a lead's own conversion."""
	found = conversions.of_source(crm_lead.CONVERSION, crm_lead.DOCTYPE, lead)
	if found:
		return explain.of_conversion(found, model, limit)
	if visitor_reference.erased(crm_lead.DOCTYPE, [lead]):
		return _none(_("The tracking data of lead {0} were erased.").format(lead))
	if conversions.is_past(frappe.db.get_value(crm_lead.DOCTYPE, lead, "creation")):
		return _past()
	return _none(_("Lead {0} has no conversion yet. It gets one by a job after it was saved.").format(lead))


def of_deal(deal: str, model: str = "", limit: int = SHOWN) -> Row:
	"""The explanation of a won deal's conversion."""
	found = conversions.of_source(crm_deal.CONVERSION, crm_deal.DOCTYPE, deal)
	if found:
		return explain.of_conversion(found, model, limit)
	if visitor_reference.erased(crm_deal.DOCTYPE, [deal]):
		return _none(_("The tracking data of deal {0} were erased.").format(deal))
	if not crm_deal.is_won(frappe.db.get_value(crm_deal.DOCTYPE, deal, "status")):
		return _none(_("Deal {0} is not won: there is nothing to credit yet.").format(deal))
	if conversions.is_past(crm_deal.won_at(frappe.get_doc(crm_deal.DOCTYPE, deal))):
		return _past()
	return _none(_("Deal {0} has no conversion yet. It gets one by a job after it was won.").format(deal))


def of_any(name: str, model: str = "", limit: int = SHOWN) -> Row:
	"""The explanation of what has this name: a conversion, a lead or a deal."""
	if frappe.db.exists("Conversion", name):
		return explain.of_conversion(name, model, limit)
	if "crm" in frappe.get_installed_apps():
		for doctype, explained in ((crm_lead.DOCTYPE, of_lead), (crm_deal.DOCTYPE, of_deal)):
			if frappe.db.exists(doctype, name):
				return explained(name, model, limit)
	frappe.throw(_("There is no conversion, lead or deal {0}.").format(name), frappe.DoesNotExistError)


def _past() -> Row:
	return _none(
		_(
			"It is of a time whose conversions are nobody's any more (Retention): they count as before, and nobody can tell which was "
			"whose."
		)
	)


def _none(why: str) -> Row:
	return {"conversion": None, "words": [why], "models": []}
