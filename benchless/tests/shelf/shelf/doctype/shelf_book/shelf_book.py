"""Shelf Book: tells in which order its methods are called."""

import frappe
from frappe.model.document import Document

EVENTS = (
	"before_insert",
	"before_naming",
	"before_validate",
	"before_save",
	"after_insert",
	"on_update",
	"on_change",
	"on_trash",
	"after_delete",
)


def _told(event: str) -> object:
	def method(self: Document) -> None:
		self.flags.setdefault("events", []).append(event)

	return method


class ShelfBook(Document):
	def validate(self) -> None:
		self.flags.setdefault("events", []).append("validate")
		if self.title == "forbidden":
			frappe.throw("No such title", frappe.ValidationError)


for _event in EVENTS:
	setattr(ShelfBook, _event, _told(_event))


def on_doctype_update() -> None:
	frappe.db.add_index("Shelf Book", ["status", "published"])
	frappe.db.add_unique("Shelf Book", ["title", "author"], "unique_title_author")
