"""Cost facts of one day, platform, campaign, ad set and ad; the key is the name, so no day is entered twice."""

from datetime import date
from decimal import Decimal, InvalidOperation

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, getdate

from trackflow.costs import campaigns, facts, files, platforms, store
from trackflow.costs.facts import Fact
from trackflow.costs.wrong import RowRefused
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_daily_campaign_metric_date": ("date", "platform"),
	"idx_daily_campaign_metric_campaign": ("link_campaign", "date"),
	"idx_daily_campaign_metric_external": ("external_campaign_id", "date"),
}


class DailyCampaignMetric(Document):
	def autoname(self) -> None:
		self._tidy()
		self.name = self._fact().name

	def validate(self) -> None:
		self._tidy()
		fact = self._checked()
		if fact.name != self.name:
			frappe.throw(
				_(
					"Day, platform, campaign, ad set and ad cannot be changed; where there is no id, the name is part of that."
					" Delete the row and make another."
				)
			)
		self.spend = fact.spend
		if self.is_new():
			self._refuse_to_count_twice(fact)
		self.link_campaign = self.link_campaign or campaigns.known().of_fact(fact) or None

	def on_update(self) -> None:
		store.changed_by_hand(getdate(self.date))

	def on_trash(self) -> None:
		store.changed_by_hand(getdate(self.date))

	def _tidy(self) -> None:
		for field in (*facts.KEY, *facts.NAMES):
			if isinstance(self.get(field), str):
				self.set(field, facts.tidy(self.get(field)))
		self.platform = platforms.platform_of(self.platform or "")

	def _checked(self) -> Fact:
		known = files.site()
		try:
			return facts.checked(self._fact(), known.currencies, known.latest)
		except RowRefused as error:
			frappe.throw(_(str(error)))

	def _refuse_to_count_twice(self, fact: Fact) -> None:
		verdict = store.compare([fact], campaigns.known())[0]
		if verdict.verdict == store.REFUSED:
			frappe.throw(_(verdict.message))

	def _fact(self) -> Fact:
		texts = {
			part: self.get(field) or "" for field, part in (facts.KEY | facts.NAMES).items() if part != "day"
		}
		return Fact(
			self.idx or 0,
			self._day(),
			currency=self.currency or "",
			impressions=cint(self.impressions),
			clicks=cint(self.clicks),
			spend=self._spend(),
			**texts,
		)

	def _day(self) -> date:
		day = getdate(self.date) if self.date else None
		if not day:
			frappe.throw(_("The row has no day."), frappe.MandatoryError)
		return day

	def _spend(self) -> Decimal:
		try:
			spend = Decimal(str(self.spend or 0))
		except InvalidOperation:
			spend = Decimal("NaN")
		if not spend.is_finite():
			frappe.throw(_("The spend is no number."))
		return spend


def on_doctype_update() -> None:
	add_indexes("Daily Campaign Metric", INDEXES)
