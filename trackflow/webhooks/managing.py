"""What people do with webhooks: add, remove, try, resume, send again; and how each fares (WHK-1)."""

import time
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.query_builder.functions import Count
from frappe.utils import get_datetime, get_system_timezone, now_datetime

from trackflow import bulk, keys
from trackflow.access.stored_keys import DOCTYPE, WEBHOOK, named, stored_keys, webhooks_of
from trackflow.times import iso
from trackflow.webhooks import sender, signing, target
from trackflow.webhooks.messages import PING
from trackflow.webhooks.outbox import DELIVERED, DELIVERY, FAILED, PENDING, queue, rows_of
from trackflow.webhooks.target import Attempt

Row = dict[str, Any]

MOST_AT_ONCE = 1000
_SHOWN = (
	"name", "event_type", "api_key", "webhook", "webhook_url", "status", "item_count", "attempts", "next_attempt_at", "delivered_at",
	"creation", "response_code", "response_excerpt", "error_message",
)  # fmt: skip


def listed() -> list[Row]:
	"""All webhooks, by key: each with its state and what waits or failed for good."""
	usable = {one.name for some in webhooks_of(stored_keys()).values() for one in some if _is_valid(one)}
	numbers = _numbers()
	rows = frappe.get_all(
		WEBHOOK,
		filters={"parenttype": DOCTYPE},
		fields=["name", "parent", "event_type", "webhook_url", "is_paused", "consecutive_failures"],
		order_by="parent, idx",
	)
	return [
		{
			"name": row.name,
			"key": row.parent,
			"event": row.event_type,
			"url": row.webhook_url,
			"state": "off" if row.name not in usable else "paused" if row.is_paused else "active",
			"failures": row.consecutive_failures,
			"pending": numbers.get((row.name, PENDING), 0),
			"failed": numbers.get((row.name, FAILED), 0),
		}
		for row in rows
	]


def deliveries(webhook: str | None, limit: int) -> list[Row]:
	"""The newest deliveries, of one webhook or of all; without what was sent."""
	filters = {"webhook": webhook} if webhook else {}
	zone = ZoneInfo(get_system_timezone())
	rows = frappe.get_list(
		DELIVERY, filters=filters, fields=list(_SHOWN), order_by="creation desc, name desc", limit=limit
	)
	times = ("next_attempt_at", "delivered_at", "creation")
	return [
		{**row, **{field: iso(get_datetime(row[field]), zone) if row[field] else None for field in times}}
		for row in rows
	]


def add(key: str, url: str, events: Collection[str]) -> Row:
	"""Have a key's address told of these events. `secret` is that of the signatures where the key had none yet, and is answered this
	once."""
	doc = named(key)
	for event in events:
		doc.append("webhook_events", {"event_type": event, "webhook_url": url, "is_active": 1})
	doc.flags.webhook_secret_is_answered = True
	doc.save()
	return {"key": doc.name, "secret": doc.flags.webhook_secret}


def remove(webhook: str) -> None:
	"""Tell it nothing more; what waits for it is given up."""
	doc = key_of(webhook)
	doc.set("webhook_events", [row for row in doc.webhook_events if row.name != webhook])
	doc.save()


def make_secret(key: str) -> str:
	"""Another secret for all webhooks of a key, answered this once; the former one signs nothing more, nor what is tried again."""
	doc = named(key)
	doc.flags.makes_webhook_secret = doc.flags.webhook_secret_is_answered = True
	doc.save()
	return doc.flags.webhook_secret


def resume(webhook: str) -> int:
	"""Deliver again to a webhook; what waits is due at once, in its order, with a day of attempts before it. Returns how much waits."""
	key_of(webhook).check_permission("write")
	frappe.db.commit()
	bulk.lock(WEBHOOK, [webhook])
	bulk.update(
		WEBHOOK, {webhook: {"is_paused": 0, "consecutive_failures": 0, "held_until": None}}, is_locked=True
	)
	table = frappe.qb.DocType(DELIVERY)
	is_waiting = (table.webhook == webhook) & (table.status == PENDING)
	query = frappe.qb.update(table).set(table.attempts, 0).set(table.next_attempt_at, table.creation)
	query.where(is_waiting).run()
	queue()
	return frappe.db.count(DELIVERY, {"webhook": webhook, "status": PENDING})


def redeliver(names: Collection[str]) -> int:
	"""Send these again, whatever became of them, under the ids that they had; returns how many there are. What waits is due at once."""
	if len(names) > MOST_AT_ONCE:
		frappe.throw(_("Choose at most {0} deliveries.").format(MOST_AT_ONCE))
	there = bulk.lock(DELIVERY, names, ("event_type", "webhook"))
	if pings := [name for name, row in there.items() if row.event_type == PING]:
		frappe.throw(_("{0} is a ping: try the webhook instead.").format(pings[0]))
	known = bulk.load(WEBHOOK, {"name": ("in", {row.webhook for row in there.values()})}, ())
	if gone := [name for name, row in there.items() if row.webhook not in known]:
		frappe.throw(_("The webhook of {0} is gone: nobody is there to be told again.").format(gone[0]))
	now = now_datetime()
	again = {"status": PENDING, "attempts": 0, "next_attempt_at": now, "delivered_at": None}
	bulk.update(DELIVERY, dict.fromkeys(there, again), is_locked=True)
	queue()
	return len(there)


def ping(webhook: str) -> Row:
	"""Try a webhook now, paused or not: a message without items, which counts as no delivery."""
	doc = key_of(webhook)
	doc.check_permission("write")
	row = next(one for one in doc.webhook_events if one.name == webhook)
	(delivery,) = rows_of(webhook, doc.name, row.webhook_url, PING, [], ZoneInfo(get_system_timezone()))
	body = delivery["payload"].encode()
	secret = keys.webhook_secret(doc.webhook_secret_id or "")
	headers = signing.headers(PING, delivery["name"], int(time.time()), body, secret)
	began = time.perf_counter()
	outcome = target.post(Attempt(row.webhook_url, headers, body, sender.allows_private()))
	said = "" if outcome.is_delivered else sender.in_words(outcome)
	bulk.insert(
		DELIVERY,
		[
			{
				**delivery,
				"status": DELIVERED if outcome.is_delivered else FAILED,
				"attempts": 1,
				"next_attempt_at": None,
				"delivered_at": now_datetime() if outcome.is_delivered else None,
				"response_code": outcome.status,
				"response_excerpt": outcome.excerpt,
				"error_message": said,
			}
		],
	)
	return {
		"delivered": outcome.is_delivered,
		"status": outcome.status,
		"milliseconds": round((time.perf_counter() - began) * 1000),
		"message": said,
		"delivery": delivery["name"],
	}


def key_of(webhook: str) -> "frappe.model.document.Document":
	"""The key that a webhook is of."""
	parent = frappe.db.get_value(WEBHOOK, {"name": webhook, "parenttype": DOCTYPE}, "parent")
	if not parent:
		frappe.throw(_("There is no webhook {0}.").format(webhook), frappe.DoesNotExistError)
	return frappe.get_doc(DOCTYPE, parent)


def _is_valid(webhook: Any) -> bool:
	return not webhook.expires_at or webhook.expires_at > time.time()


def _numbers() -> dict[tuple[str, str], int]:
	table = frappe.qb.DocType(DELIVERY)
	rows = (
		frappe.qb.from_(table)
		.select(table.webhook, table.status, Count("*"))
		.where(table.status.isin([PENDING, FAILED]) & (table.event_type != PING))
		.groupby(table.webhook, table.status)
		.run()
	)
	return {(webhook, status): number for webhook, status, number in rows}
