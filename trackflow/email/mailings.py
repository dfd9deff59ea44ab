"""What the parts of a mailing share: its states, those of its mails, and which of a mail's facts its status tells. Pure."""

from collections.abc import Mapping
from typing import Any

MAILING, LOG, LINK = "Campaign Mailing", "Email Campaign Log", "Campaign Mailing Link"
DRAFT, SENDING, PAUSED, SENT = "Draft", "Sending", "Paused", "Sent"

# Of a mail: waits for us, waits in Frappe's queue, and what follows.
QUEUED, UNDER_WAY, OPENED, CLICKED = "Queued", "Sending", "Opened", "Clicked"
BOUNCED, UNSUBSCRIBED, FAILED, SKIPPED = "Bounced", "Unsubscribed", "Failed", "Skipped"
RECIPIENTS, TOTALS = "Recipients", "Totals"


def status_of(row: Mapping[str, Any]) -> str:
	"""The status of a mail that was handed over, by what is known of it: the fact that says most."""
	if row["status"] in (QUEUED, FAILED, SKIPPED):
		return row["status"]
	if row["bounced_date"]:
		return BOUNCED
	if not row["sent_date"]:
		# Also one that was opened already, until it is known that it left.
		return UNDER_WAY
	facts = (("unsubscribed_date", UNSUBSCRIBED), ("clicked_date", CLICKED), ("opened_date", OPENED))
	return next((status for field, status in facts if row[field]), SENT)
