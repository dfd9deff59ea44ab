"""Gathers the campaign tags of a period, as they stood in the addresses of clicks and pages, and has them judged (RPT-2).

Six statements, whatever there is. Tags are grouped by their bytes: a collation would take for
one what differs in case. An e-mail address in a tag is masked in the answer. Among millions only names of hits are carried along; the
addresses of the examples that are shown are read in the end.
"""

from collections import Counter
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Min
from pypika.terms import LiteralValue

from trackflow import bulk
from trackflow.analytics import utm, utm_words
from trackflow.analytics.scope import Period, Scope
from trackflow.analytics.utm import Finding, Known, Tags, Value
from trackflow.tracking import texts
from trackflow.tracking.channels import CLICK_IDS
from trackflow.tracking.click_figures import is_human

Row = dict[str, Any]

DOCTYPES = ("Click Event", "Visitor Event", "Link Campaign")
# Different tags of a period that are looked at: those with most sessions.
MOST_TAGS = 10_000
# Campaigns whose ids are known, the newest.
MOST_CAMPAIGNS = 5_000
_TAGS = (utm.SOURCE, utm.MEDIUM, utm.CAMPAIGN)


def report(scope: Scope, period: Period, limit: int) -> Row:
	"""The findings of a period as JSON: `limit` of them, those with most sessions first, and the number of each kind."""
	tagged = _tagged(scope, period)
	found = utm.findings(
		tagged, _known(), _values(scope, period, utm.TERM), _values(scope, period, utm.CONTENT)
	)
	kinds, sessions = Counter(one.kind for one in found), Counter[str]()
	for one in found:
		sessions[one.kind] += one.sessions
	addresses = _addresses([one.example for one in found[:limit]])
	return {
		**period.named,
		**scope.named,
		"looked_at": len(tagged),
		"is_complete": len(tagged) < MOST_TAGS,
		"summary": [
			{"kind": kind, "findings": kinds[kind], "sessions": sessions[kind]}
			for kind in utm.KINDS
			if kinds[kind]
		],
		"findings": [_spoken(one, addresses.get(one.example, "")) for one in found[:limit]],
		"others": max(len(found) - limit, 0),
	}


def _spoken(one: Finding, address: str) -> Row:
	return {
		"kind": one.kind,
		"tag": f"utm_{one.tag}" if one.tag else None,
		"value": utm.masked(one.value),
		"sessions": one.sessions,
		"example": texts.plain_page(address),
		"reason": utm_words.reason(one),
		"suggestion": utm_words.suggestion(one),
	}


def _tagged(scope: Scope, period: Period) -> list[Tags]:
	hit = _hits(scope, period, _TAGS)
	tags = [hit[tag] for tag in _TAGS]
	return [
		Tags(*map(_text, values), click_id, sessions, example or "")
		for *values, click_id, sessions, example in _most(hit, [*tags, hit.click_id])
	]


def _values(scope: Scope, period: Period, tag: str) -> list[Value]:
	hit = _hits(scope, period, (tag,), must_have=True)
	return [Value(_text(text), sessions, example or "") for text, sessions, example in _most(hit, [hit[tag]])]


def _most(hit: Any, groups: list[Any]) -> Any:
	"""The groups with most sessions, their number, and the name of a hit as an example."""
	sessions = Count(hit.session).distinct()
	return (
		frappe.qb.from_(hit)
		.select(*groups, sessions, Min(hit.name))
		.groupby(*groups)
		.orderby(sessions, order=frappe.qb.desc)
		.orderby(*groups)
		.limit(MOST_TAGS)
		.run()
	)


def _hits(scope: Scope, period: Period, tags: tuple[str, ...], must_have: bool = False) -> Any:
	"""The clicks and events that came with a tag or, unless it must have one of these, with a click id."""
	event, click = frappe.qb.DocType("Visitor Event"), frappe.qb.DocType("Click Event")
	has_ids = event.click_ids.like('%"%')
	events = (
		period.of(frappe.qb.from_(event), event.timestamp)
		.where(event.counted == 1)
		.where(_any(event, tags) if must_have else _any(event, tags) | has_ids)
		.select(
			event.session,
			event.name,
			*_hexed(event, tags),
			_click_id(event.click_ids).as_("click_id"),
		)
	)
	clicks = (
		period.of(frappe.qb.from_(click), click.click_timestamp)
		.where(is_human(click) & _any(click, tags))
		.select(click.session, click.name, *_hexed(click, tags), LiteralValue("''"))
	)
	return scope.narrow(events, event.domain).union_all(scope.narrow(clicks, click.domain)).as_("hit")


def _addresses(hits: list[str]) -> dict[str, str]:
	"""The addresses of hits, by name: an event's page, a click's destination."""
	found: dict[str, str] = {}
	for doctype, field in (("Visitor Event", "page_url"), ("Click Event", "destination_url")):
		rows = bulk.load(doctype, {"name": ("in", set(hits) - found.keys())}, (field,))
		found |= {name: row[field] or "" for name, row in rows.items()}
	return found


def _hexed(table: Any, tags: tuple[str, ...]) -> list[Any]:
	return [bulk.as_hex(table[f"utm_{tag}"]).as_(tag) for tag in tags]


def _any(table: Any, tags: tuple[str, ...]) -> Any:
	first, *rest = (table[f"utm_{tag}"] > "" for tag in tags)
	for one in rest:
		first = first | one
	return first


def _click_id(click_ids: Any) -> Any:
	"""The parameter of the first click id among those of an event, in the order in which they are believed."""
	case = Case()
	for name in CLICK_IDS:
		case = case.when(click_ids.like(f'%"{name}"%'), name)
	return case.else_("")


def _known() -> Known:
	"""What our campaigns say of themselves."""
	rows = frappe.get_all(
		"Link Campaign",
		fields=["campaign_id", "external_campaign_id", "source", "medium"],
		order_by="creation desc, name",
		limit=MOST_CAMPAIGNS,
	)
	campaigns = {one for row in rows for one in (row.campaign_id, row.external_campaign_id) if one}
	sources, media = ({row[field] for row in rows if row[field]} for field in ("source", "medium"))
	return Known(sources, media, campaigns)


def _text(hexed: str) -> str:
	return bytes.fromhex(hexed).decode("utf-8", "replace")
