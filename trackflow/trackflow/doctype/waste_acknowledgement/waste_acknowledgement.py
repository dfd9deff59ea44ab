"""Somebody knows of a waste and wants to hear of it no more: for a while, up to an amount, or for good."""

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.costs.rates import reporting_currency
from trackflow.naming import key_name
from trackflow.rollups.grains import GRAINS, Place

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
