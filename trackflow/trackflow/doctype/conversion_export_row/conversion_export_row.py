"""That a platform was told of a conversion, and what. Its name follows from both, so that it is told once."""

from trackflow.privacy.reads import ReadLogged
from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_conversion_export_row_export": ("export", "place"),
	"idx_conversion_export_row_conversion": ("conversion",),
	"idx_conversion_export_row_visitor": ("visitor",),
}


class ConversionExportRow(ReadLogged, NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Conversion Export Row", INDEXES)
