"""Writes credits: by job after a conversion, hourly as repair, by command for any range (ATT-4).

Works through conversions in chunks of one transaction each. Rows that are right already are not touched, so a rebuild of
unchanged data changes nothing; a conversion whose chunk failed stays pending and is tried again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.attribution import deal_rows, journeys, link_totals, training
from trackflow.attribution.credits import Credit, credits
from trackflow.attribution.shapes import Model
from trackflow.collisions import retried
from trackflow.garbage import seldom_collected
from trackflow.jobs import enqueue
from trackflow.naming import key_name
from trackflow.rollups import marks
from trackflow.runs import note_failure, recorded
from trackflow.tracking.conversions import DONE, FAILED, KEPT, PENDING

Row = dict[str, Any]

CHUNK = 200
REBUILD_SECONDS = 6 * 60 * 60
CREDIT_FIELDS = (
	"conversion", "touch_point", "attribution_model", "position", "touch_count", "weight", "credited_value", "currency",
	"channel", "campaign", "tracked_link", "visitor_id", "occurred_at", "conversion_date", "conversion_type",
)  # fmt: skip


@seldom_collected()
@recorded
def credit_new(names: list[str]) -> None:
	"""Job: credit these conversions; one that fails is set aside as Failed."""
	try:
		credit(names)
	except Exception:
		frappe.db.rollback()
		for name in names:
			_credit_or_set_aside(name)


@seldom_collected()
def credit_pending() -> int:
	"""Credit all conversions that wait for it; returns how many there were. One that fails is set aside as Failed."""
	done = 0
	while names := _names({"attribution_status": PENDING}):
		credit_new(names)
		done += len(names)
	return done


@recorded
def repair() -> int:
	"""Hourly: credit what no job came for, and try again what failed; returns how many conversions there were."""
	failed = _names({"attribution_status": FAILED})
	for name in failed:
		_credit_or_set_aside(name)
	return len(failed) + credit_pending()


@recorded
def learn() -> list[training.Trained]:
	"""Weekly: train the data-driven models, and credit the conversions that new versions concern."""
	trained = training.train()
	credit_pending()
	return trained


@seldom_collected()
def rebuild(from_date: date | None = None, to_date: date | None = None) -> tuple[int, int]:
	"""Compute the credits of all conversions of a range of days again, and the figures of all links; returns conversions
	seen and rows written."""
	seen = written = 0
	for names in _names_between(from_date, to_date):
		written += credit(names)
		seen += len(names)
	return seen, written + link_totals.recount_all()


def queue_rebuild(version: object) -> None:
	"""Queue a rebuild, after a change (`version`) of the settings or of a model that all credits depend on."""
	job_id = f"rebuild::{version}"
	enqueue("trackflow.attribution.run.rebuild_changed", job_id=job_id, queue="long", timeout=REBUILD_SECONDS)


@recorded
def rebuild_changed() -> int:
	"""Job: learn first what a data-driven model has to learn on other terms than before, then compute all credits again."""
	training.train(only_missing=True)
	_seen, written = rebuild()
	return written


def credit_name(conversion: str, touch_point: str | None, model: str) -> str:
	"""The name of a credit; "Unattributed" has no touch point."""
	return key_name("credit", conversion, touch_point, model)


def link_conversion_name(conversion: str, click: str) -> str:
	return key_name("link conversion", conversion, click)


@retried
def credit(names: Iterable[str]) -> int:
	"""Make the credits of these conversions what they should be, in one transaction; returns rows written. Those that are nobody's
	stay as they are."""
	frappe.db.commit()
	rows = journeys.conversions(names)
	if not rows:
		return 0
	models = journeys.active_models()
	touches = journeys.touches_of(rows, max((model.lookback_days for model in models), default=0))
	values_for = training.values_of(models, (row.conversion_date for row in rows))
	found = [
		(
			row,
			model,
			credits(
				model,
				touches.get(row.name, ()),
				row.conversion_date,
				*_money(row),
				*_milestones(row),
				values_for(model, row.conversion_date),
			),
		)
		for row in rows
		for model in models
	]
	written, links, days = _write(rows, found)
	deals = [
		(row, model, some) for row, model, some in found if row.crm_deal and row.source_doctype == "CRM Deal"
	]
	written += deal_rows.write(deals)
	now = now_datetime()
	fresh = [row for row in rows if row.attribution_status != DONE]
	bulk.update("Conversion", {row.name: {"attribution_status": DONE, "attributed_at": now} for row in fresh})
	# What a touch says of its ad is in no credit: where touches changed, the days' figures may have, credits or no credits.
	marks.mark(days | {row.conversion_date.date() for row in fresh})
	frappe.db.commit()
	link_totals.recount(links)
	_tell(sorted({row.name for row in rows}))
	return written


def take_back(conversion: str) -> None:
	"""Remove a conversion and all that was credited for it: what it stood for is not true any more. Ends the transaction.

	Locking reads only: they see what another job has just credited, and wait for one that is at it.
	"""
	table, credit = frappe.qb.DocType("Conversion"), frappe.qb.DocType("Attribution Link")
	locked = frappe.qb.from_(table).select(table.crm_deal).where(table.name == conversion).for_update().run()
	rows = (
		frappe.qb.from_(credit)
		.select(credit.tracked_link, credit.conversion_date)
		.where(credit.conversion == conversion)
		.for_update()
		.run()
	)
	for (deal,) in locked:
		deal_rows.remove(deal)
	for doctype in ("Attribution Link", "Link Conversion"):
		frappe.db.delete(doctype, {"conversion": conversion})
	frappe.db.delete("Conversion", {"name": conversion})
	marks.mark({at.date() for _link, at in rows if at})
	frappe.db.commit()
	link_totals.recount(link for link, _at in rows if link)


def _credit_or_set_aside(name: str) -> None:
	try:
		credit([name])
	except Exception:
		frappe.db.rollback()
		note_failure(f"TrackFlow: conversion {name} could not be credited")
		frappe.db.set_value("Conversion", name, "attribution_status", FAILED, update_modified=False)
		frappe.db.commit()


def _names(filters: dict[str, Any]) -> list[str]:
	return frappe.get_all(
		"Conversion", filters=filters, pluck="name", order_by="conversion_date, name", limit=CHUNK
	)


def _names_between(from_date: date | None, to_date: date | None) -> Iterator[list[str]]:
	"""Names of the conversions of these days (both included), a chunk at a time; not of those that are nobody's."""
	filters: list[list[Any]] = [["attribution_status", "!=", KEPT]]
	if from_date:
		filters.append(["conversion_date", ">=", from_date])
	if to_date:
		filters.append(["conversion_date", "<=", datetime.combine(to_date, datetime.max.time())])
	last = ""
	while names := frappe.get_all(
		"Conversion", filters=[*filters, ["name", ">", last]], pluck="name", order_by="name", limit=CHUNK
	):
		yield names
		last = names[-1]


def _money(row: Row) -> tuple[Decimal, str]:
	return Decimal(str(row.value or 0)), row.currency or ""


def _milestones(row: Row) -> tuple[datetime | None, datetime | None]:
	return row.lead_created_at, row.deal_created_at


def _write(
	rows: Sequence[Row], found: Sequence[tuple[Row, Model, list[Credit]]]
) -> tuple[int, set[str], set[date]]:
	"""Write what differs; returns how many rows, the links whose credits changed, and the days of credits that did."""
	names = [row.name for row in rows]
	desired = {
		row["name"]: row
		for row in (_row(*one, credit) for *one, some in found for credit in some if credit.weight)
	}
	stored = bulk.load("Attribution Link", {"conversion": ("in", names)}, CREDIT_FIELDS)
	differences = bulk.sync("Attribution Link", desired, stored)
	default = [(row, some) for row, model, some in found if model.is_default]
	converted = {
		row["name"]: row
		for row in (_link_conversion(row, one) for row, some in default for one in some)
		if row
	}
	fields = next(iter(converted.values()), {"name": ""}).keys() - {"name"}
	known = bulk.load("Link Conversion", {"conversion": ("in", names)}, fields)
	differences_of_links = bulk.sync("Link Conversion", converted, known)
	touched = {row["tracked_link"] for row in (*desired.values(), *stored.values())} if differences else set()
	former = [stored[name] for name in (*differences.changed, *differences.vanished)]
	changed = (*differences.added.values(), *differences.changed.values(), *former)
	days = {row["conversion_date"].date() for row in changed}
	return len(differences) + len(differences_of_links), touched - {None, ""}, days


def _row(conversion: Row, model: Model, credit: Credit) -> Row:
	touch = credit.touch
	return {
		"name": credit_name(conversion.name, touch.id if touch else None, model.name),
		"conversion": conversion.name,
		"touch_point": touch.id if touch else None,
		"attribution_model": model.name,
		"position": credit.position,
		"touch_count": credit.touch_count,
		"weight": credit.weight,
		"credited_value": credit.value,
		"currency": conversion.currency,
		"channel": credit.channel,
		"campaign": (touch.link_campaign or None) if touch else None,
		"tracked_link": (touch.tracked_link or None) if touch else None,
		"visitor_id": touch.visitor_id if touch else conversion.visitor,
		"occurred_at": touch.occurred_at if touch else None,
		"conversion_date": conversion.conversion_date,
		"conversion_type": conversion.conversion_type,
	}


def _link_conversion(conversion: Row, credit: Credit) -> Row | None:
	touch = credit.touch
	if not touch or not touch.click_event or not credit.weight:
		return None
	return {
		"name": link_conversion_name(conversion.name, touch.click_event),
		"conversion": conversion.name,
		"click_event": touch.click_event,
		"tracked_link": touch.tracked_link,
		"visitor_id": touch.visitor_id,
		"conversion_date": conversion.conversion_date,
		"conversion_type": conversion.conversion_type,
		"weight": credit.weight,
		"conversion_value": credit.value,
		"currency": conversion.currency,
	}


def _tell(names: list[str]) -> None:
	"""Call the `trackflow_credited` hooks; one that fails does not keep the others from being called."""
	for method in frappe.get_hooks("trackflow_credited"):
		try:
			frappe.get_attr(method)(names)
			frappe.db.commit()
		except Exception:
			frappe.db.rollback()
			note_failure(f"TrackFlow: {method} failed")
