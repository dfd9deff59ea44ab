"""A file that holds rows which were, or are about to be, deleted by their age: which rows, where it is, what its bytes must be."""

from trackflow.records import NamedByCode
from trackflow.setup.indexes import add_indexes

INDEXES = {"idx_archive_file_type_status": ("document_type", "status")}


class ArchiveFile(NamedByCode):
	pass


def on_doctype_update() -> None:
	add_indexes("Archive File", INDEXES)
