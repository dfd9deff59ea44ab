"""Gathers what a conversion's credits are computed from: its person's touch points and the active models. Reads only.

Many conversions at once take a handful of queries, whatever their number. One that is nobody's tells its journey itself.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import cint, flt

from trackflow.attribution.channel_rules import FACTS, ChannelRule
from trackflow.attribution.models import CUSTOM, DATA_DRIVEN, MARKOV
from trackflow.attribution.shapes import JourneyTouch, Learning, Model
from trackflow.tracking import people
from trackflow.tracking.conversions import KEPT

Row = dict[str, Any]

CONVERSION_FIELDS = (
	"name", "visitor", "conversion_type", "value", "currency", "conversion_date", "crm_lead", "crm_deal",
	"lead_created_at", "deal_created_at", "source_doctype", "source_name", "attribution_status", "attributed_at",
)  # fmt: skip
# What tells the journey of one that is nobody's.
KEPT_FIELDS = ("attribution_status", "attribution_data")
TOUCH_FIELDS = (
	"name", "visitor_id", "occurred_at", "channel", "platform", "source", "medium", "campaign", "link_campaign",
	"tracked_link", "click_event", "is_direct",
)  # fmt: skip


def active_models() -> list[Model]:
	"""The active models, by name."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	names = frappe.get_all("Attribution Model", filters={"is_active": 1}, pluck="name", order_by="name")
	return [_model(frappe.get_cached_doc("Attribution Model", name), settings) for name in names]


def conversions(names: Iterable[str]) -> list[Row]:
	"""These conversions, as far as they are somebody's, locked for the rest of the transaction, by name."""
	conversion = frappe.qb.DocType("Conversion")
	names = sorted(names)
	if not names:
		return []
	return (
		frappe.qb.from_(conversion)
		.select(*(conversion[field] for field in CONVERSION_FIELDS))
		.where(conversion.name.isin(names))
		.where(conversion.attribution_status != KEPT)
		.orderby(conversion.name)
		.for_update()
		.run(as_dict=True)
	)


def touches_of(rows: Sequence[Row], longest_window_days: int) -> dict[str, list[JourneyTouch]]:
	"""Each conversion's touch points within the longest window, in the order of the journey. Rows that may be of nobody's
	conversions have KEPT_FIELDS too."""
	kept = {row["name"]: _told(row) for row in rows if row.get("attribution_status") == KEPT}
	rows = [row for row in rows if row["name"] not in kept]
	by_conversion = persons(rows)
	visitors = sorted({visitor for person in by_conversion.values() for visitor in person})
	if not visitors:
		return kept
	earliest = min(row["conversion_date"] for row in rows) - timedelta(days=longest_window_days)
	latest = max(row["conversion_date"] for row in rows)
	found = frappe.get_all(
		"Touch Point",
		filters={"visitor_id": ("in", visitors), "occurred_at": ("between", [earliest, latest])},
		fields=list(TOUCH_FIELDS),
		order_by="occurred_at, name",
	)
	by_visitor: dict[str, list[JourneyTouch]] = defaultdict(list)
	for row in found:
		by_visitor[row.visitor_id].append(touch_of(row))
	return kept | {
		name: sorted(
			(touch for visitor in person for touch in by_visitor.get(visitor, ())),
			key=lambda touch: (touch.occurred_at, touch.id),
		)
		for name, person in by_conversion.items()
	}


def to_text(journey: Sequence[JourneyTouch]) -> str:
	"""What is kept of the journey of a conversion that becomes nobody's: what paths are made of, and rules look at."""
	touches = [
		{
			"occurred_at": touch.occurred_at.isoformat(sep=" "),
			"is_direct": int(touch.is_direct),
			**{name: value for name in FACTS if (value := getattr(touch, name))},
		}
		for touch in journey
	]
	return json.dumps({"touches": touches})


def _told(row: Row) -> list[JourneyTouch]:
	"""The journey that `to_text` wrote; of where its touches led nothing is in it."""
	touches = (frappe.parse_json(row["attribution_data"]) or {}).get("touches", ())
	return [
		touch_of(
			{
				**dict.fromkeys(TOUCH_FIELDS, ""),
				**touch,
				"name": str(number),
				"occurred_at": datetime.fromisoformat(touch["occurred_at"]),
			}
		)
		for number, touch in enumerate(touches)
	]


def persons(rows: Sequence[Row]) -> dict[str, set[str]]:
	"""The visitors of each conversion's person: those of its lead, and all that are one with its visitor."""
	by_lead = people.of_leads({row["crm_lead"] for row in rows})
	by_visitor = people.of_visitors({row["visitor"] for row in rows})
	return {
		row["name"]: by_lead.get(row["crm_lead"], set()) | by_visitor.get(row["visitor"], set())
		for row in rows
	}


def _channel_weights(text: str | None) -> dict[str, float]:
	"""The weights of the settings, which a model's own override channel by channel."""
	return dict((frappe.parse_json(text) or {}).get("channel_weights") or {})


def touch_of(row: Mapping[str, Any]) -> JourneyTouch:
	"""A Touch Point's row (TOUCH_FIELDS) as models read it."""
	texts = (
		"channel",
		"platform",
		"source",
		"medium",
		"campaign",
		"link_campaign",
		"tracked_link",
		"click_event",
	)
	return JourneyTouch(
		id=row["name"],
		occurred_at=row["occurred_at"],
		is_direct=bool(row["is_direct"]),
		visitor_id=row["visitor_id"],
		**{name: row[name] or "" for name in texts},
	)


def _model(doc: Document, settings: Document) -> Model:
	weights = _channel_weights(settings.custom_attribution_settings) | _channel_weights(doc.custom_rules)
	return Model(
		name=doc.name,
		model_type=doc.model_type,
		lookback_days=cint(doc.lookback_days) or cint(settings.attribution_window_days),
		count_direct=bool(cint(doc.count_direct)),
		first_weight=flt(doc.position_based_first_weight),
		last_weight=flt(doc.position_based_last_weight),
		half_life_days=cint(doc.time_decay_half_life_days) or 7,
		base_model=doc.base_model or "",
		is_default=bool(cint(doc.is_default)),
		channel_weights=weights if doc.model_type == CUSTOM else {},
		rules=tuple(
			ChannelRule(row.channel_name, row.match_conditions, cint(row.priority), flt(row.weight))
			for row in doc.channel_rules
		),
		learning=_learning(doc, settings) if doc.model_type in DATA_DRIVEN else None,
	)


def _learning(doc: Document, settings: Document) -> Learning:
	return Learning(
		days=cint(doc.training_days),
		conversion_types=tuple(sorted((settings.counted_conversion_types or "").splitlines())),
		minimum_conversions=cint(doc.minimum_conversions),
		order=cint(doc.markov_order) if doc.model_type == MARKOV else 1,
	)
