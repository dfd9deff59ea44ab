"""Who came, domain by domain: visits by day and by what is known of the visitors' devices and places."""

from typing import Any

import frappe
from frappe.query_builder.functions import Coalesce

from trackflow.analytics import change, sums
from trackflow.analytics.scope import Period, Scope

Row = dict[str, Any]

DOCTYPES = ("Visitor Session",)
_BREAKDOWNS = {
	"countries": "country",
	"devices": "device_type",
	"browsers": "browser",
	"systems": "os",
	"channels": "channel",
	"sources": "source",
}
_FIGURES = ("sessions", "page_views", "visits")


def statistics(scope: Scope, period: Period) -> Row:
	"""The statistics of a scope as JSON; `domains` has a line for each of its domains that was visited."""
	rows, visitors_of = sums.sessions_by_day(scope, period), sums.visitors_by_day(scope, period)
	by_day = sums.added_by(rows, "day")
	days = map(str, change.days(period.first, period.last))
	nothing = dict.fromkeys(sums.DAY_FIGURES, 0)
	return {
		**period.named,
		**scope.named,
		"totals": _figures({**sums.added(rows, sums.DAY_FIGURES), "visitors": sums.visitors(scope, period)}),
		"domains": _domains(scope, period),
		"by_day": [
			{"day": day, **_figures({**by_day.get(day, nothing), "visitors": visitors_of.get(day, 0)})}
			for day in days
		],
		**{name: sums.sessions_by(scope, period, field) for name, field in _BREAKDOWNS.items()},
	}


def _domains(scope: Scope, period: Period) -> list[Row]:
	session = frappe.qb.DocType("Visitor Session")
	domain = Coalesce(session.domain, "")
	query = frappe.qb.from_(session).select(domain.as_("domain"), *sums.session_figures(session))
	query = scope.narrow(period.of(query, session.session_start), session.domain).groupby(domain)
	rows = query.orderby(domain).limit(sums.MOST).run(as_dict=True)
	return [{"domain": row.domain, **_figures(row)} for row in rows]


def _figures(row: Row) -> Row:
	visits = row["visits"]
	return {
		"visitors": int(row["visitors"] or 0),
		**{name: int(row[name] or 0) for name in _FIGURES},
		"bounce_rate": change.percent(row["bounces"], visits),
		"average_seconds": change.ratio(row["seconds"], visits),
	}
