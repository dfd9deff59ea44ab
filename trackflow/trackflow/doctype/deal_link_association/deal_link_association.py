"""That a Tracked Link took part in a deal, and which part."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_deal_link_association_deal": ("deal_id",),
	"idx_deal_link_association_link": ("tracked_link",),
}


class DealLinkAssociation(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Deal Link Association", INDEXES)
