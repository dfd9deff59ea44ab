"""One column of a mapping of costs."""

from frappe.model.document import Document


class CostImportColumn(Document):
	pass
