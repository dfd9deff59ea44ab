"""What the drain could not store: tried again, then kept as Failed with its error until somebody asks for it again."""

import frappe

from trackflow.privacy.reads import ReadLogged
from trackflow.setup.indexes import add_indexes
from trackflow.stream import click_queue
from trackflow.validation import listed_names

INDEXES = {
	"idx_click_queue_status": ("status", "creation"),
	"idx_click_queue_reference": ("reference",),
}


class ClickQueue(ReadLogged):
	pass


@frappe.whitelist(methods=["POST"])
def retry(names: str | list[str]) -> int:
	"""Have kept records tried again, from the first attempt on, as whoever may delete them may; answers how many can be."""
	frappe.has_permission("Click Queue", "delete", throw=True)
	return click_queue.try_again(listed_names(names, "names"))


def on_doctype_update() -> None:
	add_indexes("Click Queue", INDEXES)
