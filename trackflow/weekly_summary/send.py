"""Gathers the week that is over, and sends its summary: once for each week, whoever asks how often.

The mail and the note that it was sent are one transaction, begun by a lock on the settings: of two at once the later one finds
the note. The mail goes by Frappe's own queue.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import frappe
from frappe.utils import cint, get_url, getdate, nowdate
from frappe.utils.data import get_url_to_report

from trackflow import doctor
from trackflow.analytics import utm_report
from trackflow.analytics.credited import model_of
from trackflow.analytics.overview import overview
from trackflow.analytics.scope import Period, Scope
from trackflow.constants.app import MODULE
from trackflow.rollups.grains import CAMPAIGN
from trackflow.runs import log, recorded
from trackflow.waste import findings
from trackflow.weekly_summary import layout, recipients
from trackflow.weekly_summary.layout import Link, Mail
from trackflow.weekly_summary.sections import MOST_LINES, Material, mail

SETTINGS = "TrackFlow Settings"
TEMPLATE = "weekly_summary"


@dataclass(frozen=True, slots=True)
class Sent:
	"""What became of it: the Monday of the week in which it was sent, how many were written to, and why nobody was."""

	week: date
	recipients: int = 0
	reason: str = ""


@recorded
def send_weekly() -> int:
	"""Monday morning: send it, if the settings want it; returns to how many. Without a mail server it is tried again within the
	morning."""
	if not cint(frappe.db.get_single_value(SETTINGS, "weekly_summary")):
		return 0
	return send().recipients


def send() -> Sent:
	"""Send the summary of the week that is over, unless that was done."""
	week = monday(getdate(nowdate()))
	made = build(week)
	frappe.db.commit()
	settings = frappe.get_doc(SETTINGS, SETTINGS, for_update=True)
	if settings.weekly_summary_sent and getdate(settings.weekly_summary_sent) >= week:
		frappe.db.rollback()
		return Sent(week, reason="sent")
	to = recipients.addresses(settings.weekly_summary_recipients)
	if not to:
		frappe.db.rollback()
		return Sent(week, reason="nobody")
	frappe.sendmail(
		recipients=to,
		subject=made.subject,
		template=TEMPLATE,
		args={"html": layout.html(made), "text": layout.text(made)},
		reference_doctype=SETTINGS,
		reference_name=SETTINGS,
	)
	frappe.db.set_single_value(SETTINGS, "weekly_summary_sent", week, update_modified=False)
	frappe.db.commit()
	log("weekly summary", week=week, recipients=len(to))
	return Sent(week, len(to))


def build(week: date | None = None) -> Mail:
	"""The summary of the week before this Monday, this week's if none is named."""
	week = week or monday(getdate(nowdate()))
	period = Period(week - timedelta(days=7), week - timedelta(days=1))
	everything, model = Scope(), model_of("")
	return mail(
		Material(
			site=frappe.local.site,
			overview=overview(everything, period, model),
			waste=findings.answer(period.first, period.last, CAMPAIGN, model, Decimal(0), "", MOST_LINES),
			tags=utm_report.report(everything, period, MOST_LINES),
			findings=[(one.check, one.text) for one in doctor.examine() if one.is_broken],
			links=_links(),
		)
	)


def monday(day: date) -> date:
	"""The Monday of a day's week."""
	return day - timedelta(days=day.weekday())


def _links() -> list[Link]:
	names = frappe.get_all("Report", filters={"module": MODULE, "disabled": 0}, pluck="name", order_by="name")
	return [
		Link("TrackFlow", get_url("/trackflow")),
		*(Link(name, get_url_to_report(name)) for name in names),
	]
