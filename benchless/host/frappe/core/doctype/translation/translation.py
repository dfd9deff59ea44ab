"""Somebody's own translation of a text, which goes before those of the apps."""

from frappe.model.document import Document
from frappe.translate import clear_user_translations


class Translation(Document):
	def on_update(self) -> None:
		clear_user_translations(self.language)

	def on_trash(self) -> None:
		clear_user_translations(self.language)
