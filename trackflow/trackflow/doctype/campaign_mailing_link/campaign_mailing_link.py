"""An address in a mailing's template, and the link that stands for it."""

from frappe.model.document import Document


class CampaignMailingLink(Document):
	pass
