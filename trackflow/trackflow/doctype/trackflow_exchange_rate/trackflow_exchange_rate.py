"""What one currency is worth in another on one day."""

from frappe.model.document import Document
from frappe.utils import getdate

from trackflow.naming import key_name
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_trackflow_exchange_rate_pair": ("from_currency", "to_currency", "date"),
}


class TrackFlowExchangeRate(Document):
	def autoname(self) -> None:
		self.name = key_name(getdate(self.date), self.from_currency, self.to_currency)


def on_doctype_update() -> None:
	add_indexes("TrackFlow Exchange Rate", INDEXES)
