"""Clicks, sessions and visitors of one day at one grain: by domain, link, campaign, channel, page and the like."""

from frappe.utils import getdate

from trackflow.click_rollups.rows import row_name
from trackflow.click_rollups.sources import KEYS
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

# Those of links, campaigns, pages and hosts hold all that lists of a month are summed up from, so that no row is looked up for them.
INDEXES = {
	"idx_daily_click_rollup_date": ("date",),
	"idx_daily_click_rollup_grain": ("grain", "date"),
	"idx_daily_click_rollup_link": ("tracked_link", "date"),
	"idx_daily_click_rollup_campaign": ("campaign", "date"),
	"idx_daily_click_rollup_links": ("grain", "date", "domain", "tracked_link", "clicks", "scans"),
	"idx_daily_click_rollup_campaigns": ("grain", "date", "domain", "campaign", "campaign_name", "sessions"),
	"idx_daily_click_rollup_pages": ("grain", "date", "domain", "page", "page_views"),
	"idx_daily_click_rollup_hosts": ("grain", "date", "domain", "referrer_host", "sessions"),
}


class DailyClickRollup(NamedByCode):
	def autoname(self) -> None:
		self.name = row_name(getdate(self.date), self.grain, [self.get(key) or "" for key in KEYS])


def on_doctype_update() -> None:
	add_indexes("Daily Click Rollup", INDEXES)
