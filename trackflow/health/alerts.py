"""Tells TrackFlow Managers when a check fails: once for each check and day, if the settings want it (RPT-3)."""

from collections.abc import Collection

import frappe
from frappe import _
from frappe.utils import cint, nowdate
from frappe.utils.user import get_users_with_role

from trackflow import doctor
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.doctor import Finding
from trackflow.runs import log, recorded

LOG = "Notification Log"
SETTINGS = "TrackFlow Settings"


@recorded
def tell_broken() -> int:
	"""Every few minutes: tell of checks that fail and were not told of today; returns how many were told."""
	if not cint(frappe.db.get_single_value(SETTINGS, "health_alerts")):
		return 0
	broken = [finding for finding in doctor.examine() if finding.is_broken]
	return tell(broken)


def tell(findings: Collection[Finding]) -> int:
	"""Notify each manager of what nobody was told of today. That a Redis is away must not keep it from being told, so the
	notifications themselves are what is asked."""
	told = _told_today() if findings else set()
	new = [finding for finding in findings if _subject(finding) not in told]
	users = get_users_with_role(TRACKFLOW_MANAGER) if new else []
	for finding in new:
		log("alert", is_error=True, check=finding.check, told=len(users))
		for user in users:
			_notify(user, finding)
	return len(new) if users else 0


def _notify(user: str, finding: Finding) -> None:
	frappe.get_doc(
		{
			"doctype": LOG,
			"type": "Alert",
			"for_user": user,
			"subject": _subject(finding),
			"email_content": frappe.utils.escape_html(finding.text),
			"document_type": SETTINGS,
			"document_name": SETTINGS,
		}
	).insert(ignore_permissions=True)


def _subject(finding: Finding) -> str:
	return _("TrackFlow: the check {0} fails").format(finding.check)


def _told_today() -> set[str]:
	filters = {"document_type": SETTINGS, "document_name": SETTINGS, "creation": (">=", nowdate())}
	return set(frappe.get_all(LOG, filters=filters, pluck="subject"))
