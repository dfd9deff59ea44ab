"""What the rows of each grain are sums of: queries over clicks, sessions, touches and page views, and the fields of Daily Click
Rollup that they fill. The night stores them by day; whoever reads days that are not stored asks the same queries.

A key is where something belongs, such as a domain and a channel. A domain is where it happened: the short link's host for a click,
the website's for a session or a page view. So clicks and sessions of one link stand in grains of their own.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Max
from pypika.functions import Concat
from pypika.terms import Criterion, Function, Term

from trackflow import keys
from trackflow.naming import timed_names
from trackflow.tracking import click_figures, texts, visit_figures

DAY, DOMAIN, LINK, LINK_SESSIONS, CAMPAIGN = "Day", "Domain", "Link", "Link Sessions", "Campaign"
CHANNEL, SOURCE, REFERRER, PAGE = "Channel", "Source", "Referrer", "Page"
COUNTRY, DEVICE, BROWSER, SYSTEM = "Country", "Device", "Browser", "System"
GRAINS = (
	DAY,
	DOMAIN,
	LINK,
	LINK_SESSIONS,
	CAMPAIGN,
	CHANNEL,
	SOURCE,
	REFERRER,
	PAGE,
	COUNTRY,
	DEVICE,
	BROWSER,
	SYSTEM,
)
KEYS = (
	"domain", "tracked_link", "variant", "campaign", "campaign_name", "channel", "source", "referrer_host", "page", "country",
	"device_type", "browser", "os",
)  # fmt: skip
# What visitors can make up, by grain; and what stands for all that is not among the largest.
MADE_UP = {CAMPAIGN: "campaign_name", SOURCE: "source", REFERRER: "referrer_host", PAGE: "page"}
OTHERS = "(others)"
# Keys that are long texts: told apart by `numbers`.
LONG = {"page"}
FIGURES = (*click_figures.FIGURES, *visit_figures.FIGURES)
# What all of it comes from, and when that was.
HITS = {"Click Event": "click_timestamp", "Visitor Session": "session_start", "Visitor Event": "timestamp"}


@dataclass(frozen=True, slots=True)
class Rows:
	"""A query over what is stored of hits, when they were, what they belong to and the sums, by the rollup's fields. `visitor` is who
	counts as one. `largest`, where visitors can make keys up, says by what they are kept, the largest first. `name` is what rows are
	called, where that follows from when they were."""

	query: Any
	at: Term
	keys: dict[str, Any]
	figures: dict[str, Any]
	visitor: Any
	largest: tuple[Any, ...] = ()
	name: Term | None = None

	def within(self, begin: datetime, end: datetime) -> Criterion:
		"""The hit was at `begin` or later, and before `end`. Rows whose names follow the time are read by their names, one after the
		other as they are stored; by an index of times each of them would be looked up."""
		criterion = (self.at >= begin) & (self.at < end)
		if not self.name:
			return criterion
		first, last = timed_names(begin, end)
		return criterion & (self.name >= first) & (self.name < last)


def hashed(visitor: Any) -> tuple[Any, Any]:
	"""Terms for `sketch.place_of`: the register of a visitor, and what the least of is to be found."""
	digest = Function("MD5", Concat(keys.sketch_salt(), visitor))
	return Function("SUBSTRING", digest, 14, 3), Function("SUBSTRING", digest, 1, 13)


def numbers(text: Any) -> list[Any]:
	"""Two numbers that tell a text apart from others: MariaDB groups tens of thousands of long texts faster by them than by
	themselves."""
	return [Function("CRC32", text), Function("CRC32", Function("REVERSE", text))]


@dataclass(frozen=True, slots=True)
class Source:
	"""Rows of a grain. Some grains have two sources: a row has something of this one where one of `counts` is not 0."""

	grain: str
	rows: Callable[[], Rows]
	counts: tuple[str, ...] = ("sessions",)


def _clicks(*fields: str) -> Callable[[], Rows]:
	def rows() -> Rows:
		click = frappe.qb.DocType("Click Event")
		terms = {key: texts.host(click.referrer) if key == "referrer_host" else click[key] for key in fields}
		query = frappe.qb.from_(click)
		if "referrer_host" in fields:
			query = query.where(click.referrer > "")
		visitor = Case().when(click_figures.is_human(click), click.visitor_id)
		figures, largest = click_figures.figures(click), _largest(fields)
		return Rows(query, click.click_timestamp, terms, figures, visitor, largest)

	return rows


def _sessions(*fields: str) -> Callable[[], Rows]:
	def rows() -> Rows:
		session = frappe.qb.DocType("Visitor Session")
		terms = {
			key: texts.host(session.referrer) if key == "referrer_host" else session[key] for key in fields
		}
		query = frappe.qb.from_(session)
		for key, field in (("referrer_host", session.referrer), ("tracked_link", session.tracked_link)):
			if key in fields:
				query = query.where(field > "")
		figures, largest = visit_figures.figures(session), _largest(fields)
		return Rows(query, session.session_start, terms, figures, session.visitor_id, largest, session.name)

	return rows


def _largest(fields: Collection[str]) -> tuple[Any, ...]:
	return (Count("*"),) if not set(fields).isdisjoint(MADE_UP.values()) else ()


def _touches() -> Rows:
	"""Sessions by the campaign whose touch they began with, or, without one, what the address calls it. A session has one touch, and
	the touch has the index. Visitors are those of campaigns."""
	touch, session = frappe.qb.DocType("Touch Point"), frappe.qb.DocType("Visitor Session")
	query = frappe.qb.from_(touch).join(session).on(session.name == touch.session)
	is_ours = touch.link_campaign > ""
	belongs = {
		"domain": session.domain,
		"campaign": touch.link_campaign,
		"campaign_name": Case().when(is_ours, None).else_(touch.campaign),
		"channel": touch.channel,
	}
	figures, visitor = visit_figures.figures(session), Case().when(is_ours, session.visitor_id)
	largest = (Max(Case().when(is_ours, 1).else_(0)), Count("*"))
	return Rows(query, touch.occurred_at, belongs, figures, visitor, largest, touch.name)


def _page_views() -> Rows:
	event = frappe.qb.DocType("Visitor Event")
	query = frappe.qb.from_(event).where(event.event_type == "PAGE_VIEW").where(event.counted == 1)
	belongs = {"domain": event.domain, "page": texts.page(event.page_url)}
	figures = {"page_views": Count("*")}
	return Rows(query, event.timestamp, belongs, figures, event.visitor, (Count("*"),))


_OF_CLICKS = tuple(click_figures.FIGURES)
# Of the whole site: without a key.
CLICKS, SESSIONS = Source(DAY, _clicks(), _OF_CLICKS), Source(DAY, _sessions())
CLICKS_BY_DOMAIN = Source(DOMAIN, _clicks("domain"), _OF_CLICKS)
CLICKS_BY_LINK = Source(LINK, _clicks("domain", "campaign", "tracked_link", "variant"), _OF_CLICKS)
SESSIONS_BY_DOMAIN = Source(DOMAIN, _sessions("domain"))
SESSIONS_BY_LINK = Source(LINK_SESSIONS, _sessions("domain", "tracked_link"))
SESSIONS_BY_CAMPAIGN = Source(CAMPAIGN, _touches)
SESSIONS_BY_REFERRER = Source(REFERRER, _sessions("domain", "referrer_host"))
VIEWS_BY_PAGE = Source(PAGE, _page_views, ("page_views",))
# By the field of a session that is asked for.
SESSIONS_BY = {
	"channel": Source(CHANNEL, _sessions("domain", "channel")),
	"source": Source(SOURCE, _sessions("domain", "source")),
	"country": Source(COUNTRY, _sessions("domain", "country")),
	"device_type": Source(DEVICE, _sessions("domain", "device_type")),
	"browser": Source(BROWSER, _sessions("domain", "browser")),
	"os": Source(SYSTEM, _sessions("domain", "os")),
}
# Whose visitors are counted, by day, one by one.
OF_VISITORS = (CLICKS_BY_LINK, SESSIONS_BY_DOMAIN, SESSIONS_BY_CAMPAIGN)
ALL = (
	CLICKS_BY_DOMAIN,
	CLICKS_BY_LINK,
	Source(REFERRER, _clicks("domain", "referrer_host"), _OF_CLICKS),
	Source(COUNTRY, _clicks("domain", "country"), _OF_CLICKS),
	Source(DEVICE, _clicks("domain", "device_type"), _OF_CLICKS),
	SESSIONS_BY_DOMAIN,
	SESSIONS_BY_LINK,
	SESSIONS_BY_CAMPAIGN,
	SESSIONS_BY_REFERRER,
	VIEWS_BY_PAGE,
	*SESSIONS_BY.values(),
)
