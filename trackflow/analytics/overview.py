"""The figures of a period beside those of the one before: what came in, through which channels, and what became of it.

A fixed number of statements, whatever there is. docs/analytics.md says what each figure counts. Each of its two parts may be had alone,
so that a screen asks for both at once and two workers tell them.
"""

from collections.abc import Collection, Mapping
from typing import Any

from trackflow.analytics import change, credited, links, sums
from trackflow.analytics.change import compared
from trackflow.analytics.credited import Credited
from trackflow.analytics.scope import Period, Scope
from trackflow.analytics.sums import Sums
from trackflow.click_rollups.reading import Days
from trackflow.day_range import each_day
from trackflow.tracking.click_figures import FIGURES
from trackflow.tracking.visit_figures import FIGURES as DAY_FIGURES

Row = dict[str, Any]

FIGURES_PART, LISTS_PART = PARTS = ("figures", "lists")
DOCTYPES = ("Attribution Link", "Click Event", "Touch Point", "Visitor Event", "Visitor Session")
# Figures of a period that are sums of its days.
_SUMS = (
	"sessions", "page_views", "visits", "clicks", "scans", "robots", "blocked", "expired", "internal", "conversions",
)  # fmt: skip
_OF_DAY = ("visitors", "sessions", "page_views", "clicks", "scans", "robots", "conversions")


def overview(scope: Scope, period: Period, model: str, parts: Collection[str] = PARTS) -> Row:
	"""The overview as JSON, or these of its parts. `model` is an active one."""
	begin = period.before.first if FIGURES_PART in parts else period.first
	of, of_model = Sums(scope, Days(begin, period.last)), Credited(model, scope)
	told = {**period.named, "previous": period.before.named, **scope.named, "model": model}
	if FIGURES_PART in parts:
		told |= _told_figures(period, of, of_model)
	if LISTS_PART in parts:
		told |= _lists(period, of, of_model)
	return told


def _told_figures(period: Period, of: Sums, of_model: Credited) -> Row:
	"""`visitors_estimated`: a figure of visitors is put together of sketches."""
	days = _Days(period, of, of_model)
	totals = [days.total(one) for one in (period, period.before)]
	people = [
		of.visitors(one, total["sessions"])
		for one, total in zip((period, period.before), totals, strict=True)
	]
	now, then = (_figures(total, one.number) for total, one in zip(totals, people, strict=True))
	return {
		"figures": {name: compared(now[name], then[name]) for name in now},
		"visitors_estimated": any(one.estimated for one in (*people, *days.visitors.values())),
		"value": _values(days.value(period), days.value(period.before)),
		"by_channel": days.channels(),
		"by_day": days.lines(),
	}


class _Days:
	"""Clicks, sessions and credits by day, of a period and of the one before, and the visitors of its days: up to five statements."""

	def __init__(self, period: Period, of: Sums, of_model: Credited) -> None:
		self.period = period
		both = Period(period.before.first, period.last)
		self.touches = of.sessions_by_day(both)
		self.sessions = sums.added_by(self.touches, "day")
		first = str(period.first)
		sessions = sum(row["sessions"] for row in self.touches if row["day"] >= first)
		self.visitors = of.visitors_by_day(period, sessions)
		self.clicks = of.clicks_by_day(both)
		self.credits: dict[str, list[Row]] = {}
		for row in of_model.by_day(both):
			self.credits.setdefault(row["grp"], []).append(row)

	def total(self, period: Period) -> Row:
		"""The sums of a period's days."""
		days = [self._of(str(day)) for day in each_day(period.first, period.last)]
		return sums.added(days, (*_SUMS, "bounces", "seconds"))

	def value(self, period: Period) -> dict[str, float]:
		days = map(str, each_day(period.first, period.last))
		return credited.amounts([row for day in days for row in self.credits.get(day, ())])

	def channels(self) -> list[Row]:
		"""Touches by channel, most first."""
		first = str(self.period.first)
		now = sums.added_by((row for row in self.touches if row["day"] >= first), "channel")
		then = sums.added_by((row for row in self.touches if row["day"] < first), "channel")
		nothing = dict.fromkeys(DAY_FIGURES, 0)
		lines = [
			(channel, *(of.get(channel, nothing)["sessions"] for of in (now, then)))
			for channel in now.keys() | then.keys()
		]
		lines.sort(key=lambda line: (-line[1], -line[2], line[0]))
		return [{"channel": channel, "touches": compared(one, other)} for channel, one, other in lines]

	def lines(self) -> list[Row]:
		"""A line for every day of the period."""
		return [
			{
				"day": day,
				**{name: self._of(day)[name] for name in _OF_DAY},
				"value": credited.amounts(self.credits.get(day, [])),
			}
			for day in map(str, each_day(self.period.first, self.period.last))
		]

	def _of(self, day: str) -> Row:
		clicks = self.clicks.get(day) or dict.fromkeys(FIGURES, 0)
		return {
			**(self.sessions.get(day) or dict.fromkeys(DAY_FIGURES, 0)),
			"visitors": self.visitors[day].number if day in self.visitors else 0,
			**clicks,
			"robots": clicks["bots"] + clicks["prefetches"],
			"conversions": credited.conversions(self.credits.get(day, [])),
		}


def _figures(total: Row, visitors: int) -> Row:
	return {
		"visitors": visitors,
		**{name: total[name] for name in _SUMS},
		"conversions": round(total["conversions"], 6),
		"bounce_rate": change.percent(total["bounces"], total["visits"]),
		"average_seconds": change.ratio(total["seconds"], total["visits"]),
		"pages_per_visit": change.ratio(total["page_views"], total["visits"]),
	}


def _values(now: Mapping[str, float], then: Mapping[str, float]) -> list[Row]:
	"""Value by currency; amounts of different ones are never added."""
	return [
		{"currency": currency, **compared(now.get(currency, 0.0), then.get(currency, 0.0))}
		for currency in sorted({*now, *then})
	]


def _lists(period: Period, of: Sums, of_model: Credited) -> Row:
	campaigns, clicked = of.sessions_by_campaign(period), of.clicks_by_link(period)
	of_campaigns = of_model.by_campaign(period, {line["name"] for line in campaigns["lines"]})
	of_links = of_model.by_link(period, {line["name"] for line in clicked["lines"]})
	for line in campaigns["lines"]:
		line.update(credited.of_group(of_campaigns, line["name"]))
	for line in clicked["lines"]:
		line.update(credited.of_group(of_links, line["name"]))
	return {
		"campaigns": campaigns,
		"links": {**clicked, "lines": links.labelled(clicked["lines"])},
		"pages": of.views_by_page(period),
		"referrers": of.sessions_by_referrer(period),
	}
