"""What one currency is worth in another on one day."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt, getdate

from trackflow.costs import store
from trackflow.naming import key_name
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_trackflow_exchange_rate_pair": ("from_currency", "to_currency", "date"),
}


class TrackFlowExchangeRate(Document):
	def autoname(self) -> None:
		self.name = key_name(getdate(self.date), self.from_currency, self.to_currency)

	def validate(self) -> None:
		if not flt(self.rate) > 0:
			frappe.throw(_("A rate is more than nothing."))
		if self.from_currency == self.to_currency:
			frappe.throw(_("A rate from {0} to itself says nothing.").format(self.from_currency))

	def on_update(self) -> None:
		store.rates_changed({getdate(self.date)})

	def on_trash(self) -> None:
		store.rates_changed({getdate(self.date)})


def on_doctype_update() -> None:
	add_indexes("TrackFlow Exchange Rate", INDEXES)
