"""One marketing touch of a visitor, derived from a session or click."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_touch_point_visitor_occurred": ("visitor_id", "occurred_at"),
	"idx_touch_point_session": ("session",),
	"idx_touch_point_campaign": ("link_campaign", "occurred_at"),
	"idx_touch_point_occurred": ("occurred_at",),
}


class TouchPoint(ReadLogged, NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Touch Point", INDEXES)
