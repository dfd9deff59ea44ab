"""One mail to one recipient of a campaign, and what became of it."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_email_campaign_log_mailing": ("mailing", "status"),
	"idx_email_campaign_log_campaign": ("campaign", "sent_date"),
	"idx_email_campaign_log_recipient": ("recipient", "sent_date"),
	"idx_email_campaign_log_link": ("tracked_link",),
	"idx_email_campaign_log_status": ("status", "creation"),
}


class EmailCampaignLog(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("Email Campaign Log", INDEXES)
