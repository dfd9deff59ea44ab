"""One person's browser, as far as it can be told: first and last touch, consent, and who it turned out to be."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_visitor_crm_lead": ("crm_lead",),
	"idx_visitor_contact_email": ("contact_email",),
	"idx_visitor_erased_person": ("erased_person",),
	"idx_visitor_last_seen": ("last_seen",),
}


class Visitor(ReadLogged, NamedByCode):
	"""Named by its `visitor_id`. A unique index on that field, as Frappe makes one where a field gives the name, would be a second
	one on the same values, in random places, for each new visitor."""

	def autoname(self) -> None:
		self.name = self.visitor_id


def on_doctype_update() -> None:
	add_indexes("Visitor", INDEXES)
