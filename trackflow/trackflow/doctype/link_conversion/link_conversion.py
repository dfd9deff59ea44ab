"""A conversion credited to a click and its link, under the default attribution model."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_link_conversion_link": ("tracked_link", "conversion_date"),
	"idx_link_conversion_conversion": ("conversion",),
	"idx_link_conversion_click": ("click_event",),
	"idx_link_conversion_date": ("conversion_date",),
}


class LinkConversion(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Link Conversion", INDEXES)
