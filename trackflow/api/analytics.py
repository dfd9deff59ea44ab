"""Figures of the site, of a domain or of the domains of a project, and the rows behind them (RPT-2), for people who may read them."""

from typing import Any

import frappe
from werkzeug.wrappers import Response

from trackflow.analytics import exporting, live, overview
from trackflow.analytics import statistics as visits
from trackflow.analytics import utm_report as tags
from trackflow.analytics.credited import model_of
from trackflow.analytics.scope import check, period_of, scope_of
from trackflow.paging import LIMIT, MOST, limit_of
from trackflow.privacy import reads
from trackflow.validation import check_choice, plain_text

Row = dict[str, Any]

FINDINGS, MOST_FINDINGS = 50, 500


@frappe.whitelist(methods=["GET"])
def get_overview(
	from_date: str | None = None,
	to_date: str | None = None,
	domain: str | None = None,
	project: str | None = None,
	model: str | None = None,
	part: str | None = None,
) -> Row:
	"""What came in during a range of days, the last 30 by default, beside as many days before it: people and robots, visits,
	channels, conversions under a model (the default one if none is named), and what led to most of it. `part`: "figures" for
	the first of it alone, "lists" for what led to it."""
	check(*overview.DOCTYPES)
	part = plain_text(part, "part")
	check_choice("part", part, overview.PARTS)
	return overview.overview(
		scope_of(domain, project),
		period_of(from_date, to_date),
		model_of(plain_text(model, "model")),
		(part,) if part else overview.PARTS,
	)


@frappe.whitelist(methods=["GET"])
def realtime(domain: str | None = None, project: str | None = None) -> Row:
	"""The last 30 minutes: who is there, minute by minute, on which pages, by which channels and links; and the newest of it."""
	check(*live.DOCTYPES)
	_note_hits()
	return live.realtime(scope_of(domain, project), _tells_visitors())


@frappe.whitelist(methods=["GET"])
def latest_events(
	domain: str | None = None,
	project: str | None = None,
	from_date: str | None = None,
	to_date: str | None = None,
	limit: int | str = LIMIT,
) -> Row:
	"""The newest clicks and events of a range of days, the last 30 by default, newest first: `limit` of them, 100 at most."""
	check(*live.DOCTYPES)
	number = limit_of(limit, MOST)
	scope, period = scope_of(domain, project), period_of(from_date, to_date)
	_note_hits()
	found = live.newest(scope, period.begin, period.end, number, _tells_visitors())
	return {**period.named, **scope.named, "events": found}


@frappe.whitelist(methods=["GET"])
def statistics(
	domain: str | None = None,
	project: str | None = None,
	from_date: str | None = None,
	to_date: str | None = None,
) -> Row:
	"""Visits of a range of days, the last 30 by default: domain by domain, day by day, by country, device, browser and system."""
	check(*visits.DOCTYPES)
	return visits.statistics(scope_of(domain, project), period_of(from_date, to_date))


@frappe.whitelist(methods=["GET"])
def utm_report(
	from_date: str | None = None,
	to_date: str | None = None,
	domain: str | None = None,
	project: str | None = None,
	limit: int | str = FINDINGS,
) -> Row:
	"""What is wrong with the campaign tags of a range of days, the last 30 by default: misspelt and inconsistent ones, placeholders,
	media that no channel knows, campaigns that are not ours, persons' data; `limit` findings (500 at most) with most sessions."""
	check(*tags.DOCTYPES)
	number = limit_of(limit, MOST_FINDINGS)
	scope, period = scope_of(domain, project), period_of(from_date, to_date)
	_note_hits()
	return tags.report(scope, period, number)


@frappe.whitelist(methods=["GET"])
def export(
	what: str,
	from_date: str | None = None,
	to_date: str | None = None,
	format: str = "json",
	domain: str | None = None,
	project: str | None = None,
) -> Response:
	"""The rows of a range of days, the last 30 by default, as a JSON or CSV file that leaves while it is read: clicks, sessions,
	events, touches, conversions, credits, or the links made in it. Without fields that the user may not read."""
	kind, form = plain_text(what, "what"), plain_text(format, "format").lower()
	# Before the rest is looked at: which domains there are is nobody's business who may not export.
	exporting.check(kind, form)
	return exporting.export(kind, form, scope_of(domain, project), period_of(from_date, to_date))


def _tells_visitors() -> bool:
	return bool(frappe.has_permission("Visitor", "read"))


def _note_hits() -> None:
	for doctype in ("Click Event", "Visitor Event"):
		reads.note(doctype)
