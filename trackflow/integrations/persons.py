"""Whose browsers a name stands for: that of a visitor, a lead or a deal. Who may ask is the caller's to check."""

import frappe
from frappe import _

from trackflow.integrations import crm_deal, crm_lead
from trackflow.tracking import people


def visitors_of(name: str) -> set[str]:
	"""All visitors of the person behind this visitor, lead or deal; none where the person is not known."""
	return set().union(*people.of_visitors(_named(name)).values())


def _named(name: str) -> set[str]:
	if frappe.db.exists("Visitor", name):
		return {name}
	if "crm" in frappe.get_installed_apps():
		for module in (crm_lead, crm_deal):
			if frappe.db.exists(module.DOCTYPE, name):
				return module.visitors_of(name)
	frappe.throw(_("There is no visitor, lead or deal {0}.").format(name), frappe.DoesNotExistError)
