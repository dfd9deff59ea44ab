"""Tells TrackFlow Managers when a campaign's waste reaches the severity that the settings name (RPT-4).

The last 30 days up to yesterday are judged, under the default model. A campaign is told of once for each reason and severity; if
it stays as it is, again after 30 days.
"""

from datetime import timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html

from trackflow.notices import Notice, tell_managers
from trackflow.rollups.run import yesterday
from trackflow.runs import recorded
from trackflow.waste import findings, words
from trackflow.waste.judge import SEVERITIES

MOST = 50


@recorded
def tell_wasted() -> int:
	"""Each morning, when yesterday is worked out; returns how many campaigns were told of."""
	least = (frappe.db.get_single_value("TrackFlow Settings", "waste_notice") or "").lower()
	if least not in SEVERITIES:
		return 0
	last = yesterday()
	found = findings.of_days_until(last, MOST)["findings"]
	bad = [one for one in found if SEVERITIES.index(one["severity"]) >= SEVERITIES.index(least)]
	return tell_managers([_notice(one) for one in bad], since=last - timedelta(days=findings.DAYS))


def _notice(one: dict[str, Any]) -> Notice:
	# A subject is shown as HTML, and a campaign may be called what an address said.
	place = escape_html(" / ".join(part for part in (one["platform"], one["campaign"]) if part) or _("None"))
	subject = _("TrackFlow: waste of {0} severity, {1}: {2}").format(
		one["severity"], place, words.table()[one["reason"]].label
	)
	return Notice(
		subject, f"{one['words']} {one['recommendation']}", "waste", f"{one['severity']} {one['reason']}"
	)
