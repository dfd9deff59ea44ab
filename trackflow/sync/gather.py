"""Reads what is known around forms, by a handful of statements, whatever the site's size (SYN-1). Reads only."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import frappe
from frappe.query_builder.functions import Min
from pypika.analytics import RowNumber

from trackflow import bulk
from trackflow.config import get_config
from trackflow.policy import Config
from trackflow.sync.fields import MOST_PAGES, Facts
from trackflow.sync.intake import asks_consent, form_of
from trackflow.sync.leaving import Sender
from trackflow.tracking import identity, people
from trackflow.tracking.channels import CLICK_IDS
from trackflow.tracking.parameters import AD_FIELDS, UTM_FIELDS

Row = dict[str, Any]

# Of each visitor: pages are told without their parameters, so many addresses may be one page.
MOST_ADDRESSES = 10 * MOST_PAGES
_PLACE_AND_DEVICE = ("country", "region", "city", "screen", "viewport", "device_type", "os", "browser")
_EVENT = (
	"event_id", "timestamp", "page_url", "page_title", "referrer", "domain", "session", "form_data", "user_agent", "ip_address",
	"is_bot", "is_internal", *UTM_FIELDS, *_PLACE_AND_DEVICE,
)  # fmt: skip
_SESSION = (
	"source", "medium", "campaign", "content", "term", "channel", "platform", "referrer", "entry_page", "exit_page",
	"duration_seconds", "page_views", *CLICK_IDS, *AD_FIELDS, *_PLACE_AND_DEVICE,
)  # fmt: skip
_TOUCH = ("source", "medium", "campaign", "content", "term", "channel")
_VISITOR = (
	"visitor_id", "first_seen", "last_seen", "page_views", "engagement_score", "conversion_count", "first_touch_at",
	"last_touch_at", "consent_status", "is_cookieless", "is_bot", "is_internal", "erased_person",
	*_TOUCH, *(f"last_{one}" for one in _TOUCH),
)  # fmt: skip


class Form(NamedTuple):
	"""A form with what is known around it, who sent it, and the level of its domain."""

	facts: Facts
	sender: Sender


def of(logs: Collection[Row]) -> dict[str, Form]:
	"""The forms that these rows of CRM Sync Log are about, by the rows' names."""
	config = get_config()
	events = bulk.load("Visitor Event", {"name": ("in", {row.visitor_event for row in logs})}, _EVENT)
	sessions = bulk.load(
		"Visitor Session", {"name": ("in", {row.session for row in events.values() if row.session})}, _SESSION
	)
	ids = {row.visitor for row in logs if row.visitor}
	persons = people.of_visitors(ids)
	everybody = {one for person in persons.values() for one in person}
	visitors = bulk.load("Visitor", {"name": ("in", everybody)}, _VISITOR)
	guarded = people.on_guarded_domains(everybody)
	pages = _pages(ids)
	projects = _projects()
	found = {}
	for log in logs:
		event = events.get(log.visitor_event) or frappe._dict()
		visitor = visitors.get(log.visitor) or frappe._dict()
		browsers = [visitors[one] for one in persons.get(log.visitor, ()) if one in visitors]
		domain = config.domains.get(event.get("domain") or "")
		facts = Facts(
			event={**event, "form": form_of(event)},
			session=sessions.get(event.get("session")) or {},
			visitor=visitor,
			domain={"public_key": domain.public_key, "project": projects.get(domain.name)} if domain else {},
			pages=tuple(pages.get(log.visitor, ())),
		)
		found[log.name] = Form(facts, _sender(log, event, visitor, browsers, guarded, config))
	return found


def _sender(
	log: Row, event: Row, visitor: Row, browsers: Sequence[Row], guarded: Collection[str], config: Config
) -> Sender:
	domain = config.domains.get(event.get("domain") or "")
	return Sender(
		level=domain.privacy_level if domain else "",
		asks_consent=asks_consent(domain, config),
		consent=visitor.get("consent_status") or "",
		others=frozenset(row.consent_status or "" for row in browsers),
		is_cookieless=bool(visitor.get("is_cookieless")),
		is_robot=bool(event.get("is_bot") or visitor.get("is_bot")),
		is_internal=bool(event.get("is_internal")),
		is_erased=not visitor
		or identity.is_erased(log.visitor)
		or any(row.erased_person for row in browsers),
		was_on_guarded=any(row.name in guarded for row in browsers),
	)


def _pages(ids: Collection[str]) -> Mapping[str, list[str]]:
	"""The first addresses that each of these visitors saw, the first first."""
	if not ids:
		return {}
	table = frappe.qb.DocType("Visitor Event")
	first = Min(table.timestamp)
	seen = (
		frappe.qb.from_(table)
		.select(table.visitor, table.page_url, first.as_("first"))
		.where(bulk.among(table.visitor, ids) & (table.event_type == "PAGE_VIEW") & (table.counted == 1))
		.groupby(table.visitor, table.page_url)
	).as_("seen")
	place = RowNumber().over(seen.visitor).orderby(seen.first, seen.page_url)
	ranked = frappe.qb.from_(seen).select(seen.visitor, seen.page_url, place.as_("place")).as_("ranked")
	query = (
		frappe.qb.from_(ranked)
		.select(ranked.visitor, ranked.page_url)
		.where(ranked.place <= MOST_ADDRESSES)
		.orderby(ranked.place)
	)
	found: dict[str, list[str]] = defaultdict(list)
	for visitor, page in query.run():
		found[visitor].append(page or "")
	return found


def _projects() -> dict[str, str]:
	rows = frappe.get_all("Domain Configuration", fields=["name", "project"], order_by="name")
	return {row.name: row.project for row in rows}
