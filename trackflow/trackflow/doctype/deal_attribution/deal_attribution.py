"""What one model says about one deal: first and last campaign, value, touch points."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_deal_attribution_deal": ("deal_id", "attribution_model"),
	"idx_deal_attribution_model": ("attribution_model", "calculation_date"),
}


class DealAttribution(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Deal Attribution", INDEXES)
