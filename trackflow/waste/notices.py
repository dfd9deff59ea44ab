"""Tells TrackFlow Managers when a campaign's waste reaches the severity that the settings name (RPT-4), and webhooks of all (WHK-1).

The last 30 days up to yesterday are judged, under the default model. A campaign is told of once for each reason and severity; if
it stays as it is, again after 30 days.
"""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import escape_html

from trackflow.naming import key_name
from trackflow.notices import Notice, tell_managers
from trackflow.policy import Webhook
from trackflow.rollups.run import yesterday
from trackflow.runs import recorded
from trackflow.waste import findings, words
from trackflow.waste.judge import SEVERITIES
from trackflow.webhooks import messages, outbox

EVENT = "waste.detected"
MOST = 50


@recorded
def tell_wasted() -> int:
	"""Each morning, when yesterday is worked out; returns how many campaigns managers were told of."""
	least = (frappe.db.get_single_value("TrackFlow Settings", "waste_notice") or "").lower()
	if least not in SEVERITIES and not outbox.subscribers(EVENT):
		return 0
	last = yesterday()
	answer = findings.of_days_until(last, MOST)
	_tell_webhooks(answer, since=last - timedelta(days=findings.DAYS))
	if least not in SEVERITIES:
		return 0
	found = answer["findings"]
	bad = [one for one in found if SEVERITIES.index(one["severity"]) >= SEVERITIES.index(least)]
	return tell_managers([_notice(one) for one in bad], since=last - timedelta(days=findings.DAYS))


def _tell_webhooks(answer: dict[str, Any], since: date) -> None:
	"""Tell each webhook of what it was not told since that day."""
	found = {
		key_name(one["platform"], one["campaign"], one["reason"], one["severity"]): one
		for one in answer["findings"]
	}

	def items(webhook: Webhook, _zone: ZoneInfo) -> dict[str, Any]:
		told = _told(webhook.name, since)
		return {
			name: messages.waste(name, one, answer["currency"])
			for name, one in found.items()
			if name not in told
		}

	outbox.tell_each(EVENT, items)


def _told(webhook: str, since: date) -> set[str]:
	filters = {"webhook": webhook, "event_type": EVENT, "creation": (">=", since)}
	payloads = frappe.get_all(outbox.DELIVERY, filters=filters, pluck="payload", order_by="creation")
	return {item["finding"] for payload in payloads for item in frappe.parse_json(payload)["items"]}


def _notice(one: dict[str, Any]) -> Notice:
	# A subject is shown as HTML, and a campaign may be called what an address said.
	place = escape_html(" / ".join(part for part in (one["platform"], one["campaign"]) if part) or _("None"))
	subject = _("TrackFlow: waste of {0} severity, {1}: {2}").format(
		one["severity"], place, words.table()[one["reason"]].label
	)
	return Notice(
		subject, f"{one['words']} {one['recommendation']}", "waste", f"{one['severity']} {one['reason']}"
	)
