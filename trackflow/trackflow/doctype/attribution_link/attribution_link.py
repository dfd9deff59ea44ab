"""One credit: a conversion, a touch point and a model, with the weight and the money that go with it."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

# What a model credits is summed up from an index alone.
INDEXES = {
	"idx_attribution_link_conversion": ("conversion",),
	"idx_attribution_link_touch_point": ("touch_point",),
	"idx_attribution_link_sums": (
		"attribution_model",
		"conversion_date",
		"conversion_type",
		"currency",
		"weight",
		"credited_value",
		"tracked_link",
	),
	"idx_attribution_link_campaign": ("campaign", "attribution_model", "conversion_date"),
	"idx_attribution_link_tracked_link": ("tracked_link", "attribution_model", "conversion_date"),
}


class AttributionLink(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Attribution Link", INDEXES)
