"""Tells TrackFlow Managers when a check fails: once for each check and day, if the settings want it (RPT-3)."""

import frappe
from frappe import _
from frappe.utils import cint, getdate

from trackflow import doctor
from trackflow.health.finding import Finding
from trackflow.notices import Notice, tell_managers
from trackflow.runs import recorded


@recorded
def tell_broken() -> int:
	"""Every few minutes: tell of checks that fail and were not told of today; returns how many were told."""
	if not cint(frappe.db.get_single_value("TrackFlow Settings", "health_alerts")):
		return 0
	return tell_managers([_notice(one) for one in doctor.examine() if one.is_broken], since=getdate())


def _notice(finding: Finding) -> Notice:
	subject = _("TrackFlow: the check {0} fails").format(finding.check)
	return Notice(subject, finding.text, "alert", finding.check)
