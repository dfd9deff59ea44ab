"""Sums over clicks, sessions, touches and page views of a scope: of days that are worked out their rollups, of others the hits. Each
function is one statement, whose answer has at most a line for each day, or MOST lines.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import frappe
from frappe.query_builder.functions import Coalesce, Min, Sum
from pypika.analytics import Sum as OfAll
from pypika.functions import NullIf

from trackflow.analytics.change import with_others
from trackflow.analytics.scope import Period, Scope
from trackflow.click_rollups import sources
from trackflow.click_rollups.reading import Days, People
from trackflow.click_rollups.sources import OTHERS, Source
from trackflow.tracking import texts
from trackflow.tracking.click_figures import FIGURES
from trackflow.tracking.visit_figures import FIGURES as DAY_FIGURES

Row = dict[str, Any]

# Lines of a list; what is below is one line without a name.
MOST = 50
# Hosts that differ in their port or spelling are put together of so many.
HOSTS = 1000


@dataclass(frozen=True, slots=True)
class Sums:
	"""The sums of a scope. `days` cover every period that is asked for."""

	scope: Scope
	days: Days

	def clicks_by_day(self, period: Period) -> dict[str, Row]:
		"""FIGURES of clicks by day; days without any are missing."""
		source = self._of_domain(sources.CLICKS, sources.CLICKS_BY_DOMAIN)
		return {row["day"]: row for row in self._by(source, period, ("day",), tuple(FIGURES))}

	def sessions_by_day(self, period: Period) -> list[Row]:
		"""DAY_FIGURES by `day` and `channel`, so that one statement serves both. A session is one touch."""
		return self._by(sources.SESSIONS_BY["channel"], period, ("day", "channel"), DAY_FIGURES)

	def sessions_by_domain(self, period: Period) -> list[Row]:
		"""DAY_FIGURES by `domain`."""
		return self._by(sources.SESSIONS_BY_DOMAIN, period, ("domain",), DAY_FIGURES)

	def visitors(self, period: Period, sessions: int) -> People:
		"""How many different visitors came in that many sessions. Up to three statements."""
		source = self._of_domain(sources.SESSIONS, sources.SESSIONS_BY_DOMAIN)
		return self.days.visitors(source, period.first, period.last, sessions, self.scope.only)

	def visitors_by_day(self, period: Period, sessions: int) -> dict[str, People]:
		"""Different visitors of each day, who came in that many sessions altogether. Up to two statements."""
		source = self._of_domain(sources.SESSIONS, sources.SESSIONS_BY_DOMAIN)
		return self.days.visitors_by_day(source, period.first, period.last, sessions, self.scope.only)

	def visitors_by_domain(self, period: Period, sessions: int) -> dict[str, People]:
		"""Different visitors of each domain, who came in that many sessions. Up to two statements."""
		only = self.scope.only
		source = sources.SESSIONS_BY_DOMAIN
		return self.days.visitors_by(source, "domain", period.first, period.last, sessions, only)

	def sessions_by_campaign(self, period: Period) -> Row:
		"""The campaigns with most sessions: ours, else what the address said. Sessions without one are in none."""
		by = ("campaign", "campaign_name")
		table = self._table(sources.SESSIONS_BY_CAMPAIGN, period, by, ("sessions",))
		campaign = Coalesce(NullIf(table.campaign, ""), NullIf(table.campaign_name, ""))
		query = frappe.qb.from_(table).where(campaign.isnotnull())
		return largest(query, campaign, {"sessions": Sum(table.sessions)})

	def clicks_by_link(self, period: Period) -> Row:
		"""The links that most people clicked or scanned."""
		table = self._table(sources.CLICKS_BY_LINK, period, ("tracked_link",), ("clicks", "scans"))
		people = Sum(table.clicks + table.scans)
		query = frappe.qb.from_(table).having(people > 0)
		return largest(query, Coalesce(table.tracked_link, ""), {"clicks": people})

	def views_by_page(self, period: Period) -> Row:
		"""The pages that were seen most often, without what stands behind ? and # in their addresses."""
		table = self._table(sources.VIEWS_BY_PAGE, period, ("page",), ("page_views",))
		address = Coalesce(table.page, "")
		by = sources.numbers(address)
		return largest(frappe.qb.from_(table), address, {"views": Sum(table.page_views)}, by=by)

	def sessions_by_referrer(self, period: Period) -> Row:
		"""The hosts outside that most sessions came from."""
		table = self._table(sources.SESSIONS_BY_REFERRER, period, ("referrer_host",), ("sessions",))
		sessions = Sum(table.sessions)
		query = frappe.qb.from_(table).having(sessions > 0)
		hosts = largest(query, Coalesce(table.referrer_host, ""), {"sessions": sessions}, limit=HOSTS)
		found: Counter[str] = Counter()
		for row in hosts["lines"]:
			found[texts.plain_host(row["name"])] += row["sessions"]
		total = found.total() + (hosts["others"] or {}).get("sessions", 0)
		lines = [{"name": host, "sessions": number} for host, number in found.most_common(MOST)]
		return with_others(lines, {"sessions": total})

	def sessions_by(self, period: Period, field: str) -> Row:
		"""Sessions by a field of Visitor Session; "" is not known."""
		table = self._table(sources.SESSIONS_BY[field], period, (field,), ("sessions",))
		sessions = Sum(table.sessions)
		query = frappe.qb.from_(table).having(sessions > 0)
		return largest(query, Coalesce(table[field], ""), {"sessions": sessions})

	def _of_domain(self, site: Source, domain: Source) -> Source:
		return site if self.scope.domains is None else domain

	def _table(self, source: Source, period: Period, by: Sequence[str], figures: Sequence[str]) -> Any:
		return self.days.table(source, period.first, period.last, by, figures, self.scope.only)

	def _by(self, source: Source, period: Period, by: Sequence[str], figures: Sequence[str]) -> list[Row]:
		return summed(self._table(source, period, by, figures), by, figures)


def summed(table: Any, by: Sequence[str], figures: Iterable[str]) -> list[Row]:
	"""The figures of a table of `Days`, by "day" or keys, in their order; a key of nothing is "", a day a text."""
	groups = {key: table.day if key == "day" else Coalesce(table[key], "") for key in by}
	columns = {**groups, **{name: Sum(table[name]) for name in figures}}
	query = frappe.qb.from_(table).select(*(term.as_(name) for name, term in columns.items()))
	for term in groups.values():
		query = query.groupby(term).orderby(term)
	return [
		{name: str(value) if name in groups else int(value or 0) for name, value in row.items()}
		for row in query.run(as_dict=True)
	]


def added_by(rows: Iterable[Row], key: str) -> dict[str, Row]:
	"""DAY_FIGURES of rows, by what they have under a key."""
	groups: dict[str, list[Row]] = {}
	for row in rows:
		groups.setdefault(row[key], []).append(row)
	return {group: added(some, DAY_FIGURES) for group, some in groups.items()}


def largest(
	query: Any,
	group: Any,
	figures: Mapping[str, Any],
	also: Mapping[str, Any] | None = None,
	limit: int = MOST,
	by: Sequence[Any] = (),
) -> Row:
	"""`lines`: the groups with most of the first of these figures, with their `name`, and `others`: what the groups below have of
	these figures together, None where there are none. What is in `also` cannot be added, and has no sum. `by` tells groups apart as
	well as their name does."""
	terms = {**figures, **(also or {})}
	first = next(iter(figures.values()))
	name = Min(group) if by else group
	rows = (
		query.select(name, *terms.values(), *(OfAll(term).over() for term in figures.values()))
		.groupby(*(by or [group]))
		.orderby(first, order=frappe.qb.desc)
		.orderby(name)
		.limit(limit + 1)
		.run()
	)
	lines = [
		{"name": row[0], **{one: int(value or 0) for one, value in zip(terms, row[1:], strict=False)}}
		for row in rows
		if row[0] != OTHERS
	][:limit]
	totals = [int(value or 0) for value in rows[0][1 + len(terms) :]] if rows else []
	return with_others(lines, dict(zip(figures, totals, strict=False)))


def added(rows: Iterable[Mapping[str, int]], names: Iterable[str]) -> dict[str, int]:
	"""The sums of these figures over rows."""
	rows = list(rows)
	return {name: sum(row[name] for row in rows) for name in names}
