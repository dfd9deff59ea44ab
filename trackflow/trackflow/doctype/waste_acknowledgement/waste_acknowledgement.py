"""Somebody knows of a waste and wants to hear of it no more: for a while, up to an amount, or for good."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.rename_doc import rename_doc

from trackflow.costs.rates import reporting_currency
from trackflow.naming import key_name
from trackflow.rollups.grains import GRAINS, Place, folded

DOCTYPE = "Waste Acknowledgement"
PARTS = Place._fields


class WasteAcknowledgement(Document):
	def autoname(self) -> None:
		self.name = name_of(self.grain, self.place, self.reason)

	def validate(self) -> None:
		depth = GRAINS[self.grain]
		if any(self.get(part) for part in PARTS[depth:]):
			known = ", ".join(PARTS[:depth]) or _("nothing")
			frappe.throw(_("The grain {0} tells apart: {1}.").format(_(self.grain), known))
		self.currency = self.currency or reporting_currency()

	@property
	def place(self) -> Place:
		return Place(*(self.get(part) or "" for part in PARTS))


def name_of(grain: str, place: Place, reason: str) -> str:
	"""The name of the one acknowledgement of this waste."""
	return key_name("waste", grain, *place.folded, reason)


def follow_campaign(old: str, new: str) -> None:
	"""What is acknowledged of a renamed campaign is of its new name, and called by it, so that there is one of each. Where somebody
	acknowledged the same of the new name, that one stays."""
	for name in frappe.get_all(DOCTYPE, {"campaign": ("is", "set")}, pluck="name", order_by="name"):
		doc = frappe.get_doc(DOCTYPE, name)
		if folded(doc.campaign) == folded(old):
			_rename(doc, name_of(doc.grain, doc.place._replace(campaign=new), doc.reason), new)


def _rename(doc: WasteAcknowledgement, name: str, campaign: str) -> None:
	if name != doc.name and frappe.db.exists(DOCTYPE, name):
		frappe.delete_doc(DOCTYPE, doc.name, ignore_permissions=True)
		return
	doc.db_set("campaign", campaign)
	if name != doc.name:
		rename_doc(doc=doc, new=name, force=True, ignore_permissions=True, show_alert=False)
