"""One visit: hits of one visitor without a pause or a change of campaign. Derived from clicks and events."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_visitor_session_visitor_start": ("visitor_id", "session_start"),
	"idx_visitor_session_start": ("session_start",),
}


class VisitorSession(ReadLogged, NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Visitor Session", INDEXES)
