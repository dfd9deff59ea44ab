"""Clicks, sessions and visitors of one day at one grain: by domain, link, campaign, channel, page and the like."""

from frappe.utils import getdate

from trackflow.click_rollups.rows import row_name
from trackflow.click_rollups.sources import KEYS
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_daily_click_rollup_date": ("date",),
	"idx_daily_click_rollup_grain": ("grain", "date"),
	"idx_daily_click_rollup_link": ("tracked_link", "date"),
	"idx_daily_click_rollup_campaign": ("campaign", "date"),
}


class DailyClickRollup(NamedByCode):
	def autoname(self) -> None:
		self.name = row_name(getdate(self.date), self.grain, [self.get(key) or "" for key in KEYS])


def on_doctype_update() -> None:
	add_indexes("Daily Click Rollup", INDEXES)
