"""One event that a website sent, stored once per domain and event id."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_visitor_event_visitor_timestamp": ("visitor", "timestamp"),
	"idx_visitor_event_session": ("session",),
	"idx_visitor_event_timestamp": ("timestamp",),
	"idx_visitor_event_click_ref": ("click_ref",),
}


class VisitorEvent(ReadLogged, NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Visitor Event", INDEXES)
