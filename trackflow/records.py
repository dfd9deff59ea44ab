"""The bases of recorded DocTypes, whose names are given by the code that writes them, and of rows in tables of documents."""

from typing import NoReturn

import frappe
from frappe import _
from frappe.model.document import Document


class NamedByCode(Document):
	"""A record whose DocType takes any name (autoname "prompt"): Frappe asks here only if none was given."""

	def autoname(self) -> None:
		self.name = frappe.generate_hash(length=16)


class TableRow(Document):
	"""A row that is written with its document, whose controller judges it. Frappe's REST would also write it by itself, and ask the
	document only afterwards: by then what stood there is gone. With its document none of this is called."""

	def validate(self) -> None:
		self._refuse()

	def on_trash(self) -> None:
		self._refuse()

	def _refuse(self) -> NoReturn:
		frappe.throw(
			_("Rows of {0} are changed with their document.").format(_(self.doctype)), frappe.PermissionError
		)
