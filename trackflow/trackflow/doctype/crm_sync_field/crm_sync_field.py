"""A field of ours and the field of the CRM that it is written to. Checked by the settings that hold it."""

from frappe.model.document import Document


class CRMSyncField(Document):
	pass
