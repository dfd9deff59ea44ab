"""Clicks, sessions and visitors of one day, by link and by where they came from."""

from frappe.utils import getdate

from trackflow.naming import key_name
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_daily_click_rollup_date": ("date", "domain"),
	"idx_daily_click_rollup_link": ("tracked_link", "date"),
	"idx_daily_click_rollup_channel": ("channel", "date"),
}


class DailyClickRollup(NamedByCode):
	def autoname(self) -> None:
		self.name = key_name(
			getdate(self.date),
			self.domain,
			self.tracked_link,
			self.variant,
			self.channel,
			self.country,
			self.device_type,
			self.referrer_host,
		)


def on_doctype_update() -> None:
	add_indexes("Daily Click Rollup", INDEXES)
