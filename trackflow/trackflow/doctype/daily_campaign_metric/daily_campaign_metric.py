"""Cost facts of one day, platform, campaign, ad set and ad; the key is the name, so no day is entered twice."""

from frappe.model.document import Document
from frappe.utils import getdate

from trackflow.naming import key_name
from trackflow.rollups import marks
from trackflow.setup.indexes import add_indexes
from trackflow.tracking import campaigns

INDEXES = {
	"idx_daily_campaign_metric_date": ("date", "platform"),
	"idx_daily_campaign_metric_campaign": ("link_campaign", "date"),
	"idx_daily_campaign_metric_external": ("external_campaign_id", "date"),
}


class DailyCampaignMetric(Document):
	def autoname(self) -> None:
		self.name = key_name(
			getdate(self.date),
			self.platform,
			self.external_campaign_id,
			self.external_adset_id,
			self.external_ad_id,
		)

	def validate(self) -> None:
		if self.external_campaign_id and not self.link_campaign:
			self.link_campaign = campaigns.of_external_id(self.external_campaign_id)

	def on_update(self) -> None:
		marks.mark([getdate(self.date)])

	def on_trash(self) -> None:
		marks.mark([getdate(self.date)])


def on_doctype_update() -> None:
	add_indexes("Daily Campaign Metric", INDEXES)
