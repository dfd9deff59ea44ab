"""Who came, domain by domain: visits by day and by what is known of the visitors' devices and places."""

from typing import Any

from trackflow.analytics import change, sums
from trackflow.analytics.scope import Period, Scope
from trackflow.analytics.sums import Sums
from trackflow.click_rollups.reading import Days, People
from trackflow.day_range import each_day
from trackflow.tracking.visit_figures import FIGURES as DAY_FIGURES

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
	"""The statistics of a scope as JSON; `domains` has a line for each of its domains that was visited. `visitors_estimated`: a figure
	of visitors is put together of sketches."""
	of = Sums(scope, Days(period.first, period.last))
	rows = of.sessions_by_day(period)
	by_day, total = sums.added_by(rows, "day"), sums.added(rows, DAY_FIGURES)
	visitors_of = of.visitors_by_day(period, total["sessions"])
	visitors = of.visitors(period, total["sessions"])
	domains = of.sessions_by_domain(period)
	visitors_at = of.visitors_by_domain(period, total["sessions"])
	days = map(str, each_day(period.first, period.last))
	nothing = dict.fromkeys(DAY_FIGURES, 0)
	estimates = [visitors, *visitors_of.values(), *visitors_at.values()]
	return {
		**period.named,
		**scope.named,
		"totals": _figures(total, visitors),
		"domains": [
			{"domain": row["domain"], **_figures(row, visitors_at.get(row["domain"]))}
			for row in domains[: sums.MOST]
		],
		"by_day": [{"day": day, **_figures(by_day.get(day, nothing), visitors_of.get(day))} for day in days],
		"visitors_estimated": any(one.estimated for one in estimates),
		**{name: of.sessions_by(period, field) for name, field in _BREAKDOWNS.items()},
	}


def _figures(row: Row, visitors: People | None) -> Row:
	visits = row["visits"]
	return {
		"visitors": visitors.number if visitors else 0,
		**{name: row[name] for name in _FIGURES},
		"bounce_rate": change.percent(row["bounces"], visits),
		"average_seconds": change.ratio(row["seconds"], visits),
	}
