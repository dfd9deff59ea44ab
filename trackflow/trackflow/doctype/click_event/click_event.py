"""One request that reached a short link, stored under the click's own id; only human clicks count."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_click_event_visitor_timestamp": ("visitor_id", "click_timestamp"),
	"idx_click_event_tracked_link": ("tracked_link", "click_timestamp"),
	"idx_click_event_campaign": ("campaign", "click_timestamp"),
	"idx_click_event_address_timestamp": ("ip_address", "click_timestamp"),
	"idx_click_event_session": ("session",),
	# What clicks of today are counted by: they come in the order of time, so that more columns cost a drain next to nothing.
	"idx_click_event_counted": (
		"click_timestamp",
		"event_type",
		"counted",
		"is_internal",
		"domain",
		"tracked_link",
	),
}


class ClickEvent(ReadLogged, NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Click Event", INDEXES)
