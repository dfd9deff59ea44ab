"""Something a visitor did that is worth counting: a lead, a won deal, a purchase. Once for each external id."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes
from trackflow.tracking.conversions import name_of

INDEXES = {
	"idx_conversion_visitor_date": ("visitor", "conversion_date"),
	"idx_conversion_date": ("conversion_date",),
	"idx_conversion_source": ("source_doctype", "source_name"),
	"idx_conversion_crm_lead": ("crm_lead",),
	"idx_conversion_crm_deal": ("crm_deal",),
	"idx_conversion_external": ("conversion_type", "external_id"),
	"idx_conversion_status": ("attribution_status", "conversion_date"),
	"idx_conversion_tracked_link": ("tracked_link", "conversion_date"),
}


class Conversion(ReadLogged, NamedByCode):
	def autoname(self) -> None:
		if self.external_id:
			self.name = name_of(self.conversion_type, self.external_id)
		else:
			super().autoname()


def on_doctype_update() -> None:
	add_indexes("Conversion", INDEXES)
