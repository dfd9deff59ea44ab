"""A mailing: a template to a list of recipients, for a campaign. People say what and to whom; what became of it is written by code."""

from typing import Any

import frappe
from frappe import _

from trackflow.email import recipients
from trackflow.email.mailings import DRAFT, PAUSED
from trackflow.email.message import MessageError, one_line, plain_address
from trackflow.setup.indexes import add_indexes
from trackflow.trackflow.doctype.figures import CountedDocument

INDEXES = {
	"idx_campaign_mailing_campaign": ("campaign",),
	"idx_campaign_mailing_status": ("status",),
	"idx_campaign_mailing_stale": ("is_stale",),
}

# Whoever has a mail already must not get another: what decides on it stays as it was.
_FIXED = ("campaign", "recipients_from", "email_group", "filters", "tracking", "domain", "source", "medium")


class CampaignMailing(CountedDocument):
	def validate(self) -> None:
		self.sender_name = one_line(self.sender_name or "")
		if self.reply_to:
			try:
				self.reply_to = plain_address(self.reply_to.strip())
			except MessageError as error:
				frappe.throw(_("Reply To: {0}").format(str(error)))
		self._check_fixed()
		recipients.check(self)

	def before_insert(self) -> None:
		self.set("links", [])

	def on_trash(self) -> None:
		if self.status != DRAFT:
			frappe.throw(_("What was sent stays on record: this mailing cannot be deleted."))

	def _set_figures(self, stored: dict[str, Any] | None) -> None:
		super()._set_figures(stored)
		self.status = self.status or DRAFT

	def _check_fixed(self) -> None:
		before = self.get_doc_before_save()
		if not before or self.flags.by_code or before.status == DRAFT:
			return
		self.set("links", before.links)
		if changed := [one for one in _FIXED if (self.get(one) or "") != (before.get(one) or "")]:
			labels = ", ".join(_(self.meta.get_label(one)) for one in changed)
			frappe.throw(_("This mailing has begun: {0} cannot be changed any more.").format(labels))
		if before.status != PAUSED and self.email_template != before.email_template:
			frappe.throw(_("Pause the mailing before you change its template."))


def on_doctype_update() -> None:
	add_indexes("Campaign Mailing", INDEXES)
