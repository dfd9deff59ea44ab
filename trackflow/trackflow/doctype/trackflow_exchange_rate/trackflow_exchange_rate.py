"""What one currency is worth in another on one day."""

from decimal import Decimal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt, getdate

from trackflow.costs import files, rate_sheet
from trackflow.costs.exchange import days_told_by
from trackflow.costs.wrong import RowRefused
from trackflow.day_range import each_day
from trackflow.naming import key_name
from trackflow.rollups import marks
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_trackflow_exchange_rate_pair": ("from_currency", "to_currency", "date"),
}


class TrackFlowExchangeRate(Document):
	def autoname(self) -> None:
		self.name = key_name(getdate(self.date), self.from_currency, self.to_currency)

	def validate(self) -> None:
		if self.from_currency == self.to_currency:
			frappe.throw(_("A rate is one between two currencies."))
		day = getdate(self.date) if self.date else None
		if not day:
			frappe.throw(_("The rate has no day."), frappe.MandatoryError)
		try:
			rate_sheet.checked_day(day, files.site())
			rate_sheet.checked_rate(Decimal(str(flt(self.rate))))
		except RowRefused as error:
			frappe.throw(_(str(error)))

	def on_update(self) -> None:
		self._mark()

	def on_trash(self) -> None:
		self._mark()

	def _mark(self) -> None:
		"""The days that may rest on it; those to come are worked out anyway."""
		first, last = days_told_by(getdate(self.date))
		marks.mark(day for day in each_day(first, last) if day <= getdate())


def on_doctype_update() -> None:
	add_indexes("TrackFlow Exchange Rate", INDEXES)
