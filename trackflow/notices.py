"""Tells TrackFlow Managers something under the bell of the desk, and nothing twice.

What was told stands in Frappe's Notification Log, which is asked: a Redis that is away must not keep that from being told.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import frappe
from frappe.utils import escape_html
from frappe.utils.user import get_users_with_role

from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.runs import log

LOG = "Notification Log"
# What a notification leads to, and is known by as ours.
ABOUT = {"document_type": "TrackFlow Settings", "document_name": "TrackFlow Settings"}


class Notice(NamedTuple):
	"""What is told: `subject` says what it is about, and is not said again for a while; `event` and `about` go into the log."""

	subject: str
	text: str
	event: str
	about: str


def tell_managers(notices: Sequence[Notice], since: date) -> int:
	"""Notify each manager of what nobody was told of since that day; returns how many of these."""
	if not notices:
		return 0
	told = set(frappe.get_all(LOG, filters={**ABOUT, "creation": (">=", since)}, pluck="subject"))
	new = [one for one in notices if one.subject not in told]
	users = get_users_with_role(TRACKFLOW_MANAGER) if new else []
	for one in new:
		log(one.event, is_error=True, about=one.about, told=len(users))
		for user in users:
			_tell(user, one)
	return len(new) if users else 0


def _tell(user: str, notice: Notice) -> None:
	values = {"type": "Alert", "for_user": user, "subject": notice.subject}
	doc = {"doctype": LOG, **ABOUT, **values, "email_content": escape_html(notice.text)}
	frappe.get_doc(doc).insert(ignore_permissions=True)
