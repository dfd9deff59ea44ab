"""What one row of costs was before an import, and what the import made of it; there until it is undone, or deleted by its age."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_cost_import_row_import": ("cost_import", "name"),
	"idx_cost_import_row_creation": ("creation", "name"),
}


class CostImportRow(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Cost Import Row", INDEXES)
