"""Writes down what is to be told, in the transaction in which it happens: so nothing is told that did not happen, and nothing that
happened is lost with a process (WHK-1). A job delivers it after the commit (`sender`).

Who subscribes stands in the settings' snapshot. Where nobody does, nothing is asked and nothing is made.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk, jobs
from trackflow.access.stored_keys import WEBHOOK
from trackflow.collisions import is_collision
from trackflow.config import get_config
from trackflow.naming import timed_name
from trackflow.policy import Config, Webhook
from trackflow.runs import note_failure
from trackflow.times import iso
from trackflow.webhooks.messages import EVENTS, Item, is_message, messages, narrowed

DELIVERY = "Webhook Delivery"
PENDING, DELIVERED, FAILED = "Pending", "Delivered", "Failed"
JOB = "trackflow.webhooks.sender.send_due"
SAVE_POINT = "trackflow_outbox"

Items = Mapping[str, Item]


def tell(event: str, items: Callable[[ZoneInfo], Items], config: Config | None = None) -> None:
	"""Have this told to who subscribes to the event. `items` gives them by the names of the documents that they are of; it is asked
	only where somebody subscribes. Part of the caller's transaction, which it never fails."""
	if webhooks := subscribers(event, config):
		zone = ZoneInfo(get_system_timezone())
		with _harmless(event):
			_put(event, dict.fromkeys(webhooks, items(zone)), zone)


def tell_each(event: str, items: Callable[[Webhook, ZoneInfo], Items]) -> None:
	"""The same where not every webhook is told the same."""
	if webhooks := subscribers(event):
		zone = ZoneInfo(get_system_timezone())
		with _harmless(event):
			_put(event, {one: items(one, zone) for one in webhooks}, zone)


@contextmanager
def _harmless(event: str) -> Iterator[None]:
	"""Told in the transaction in which it happens, so exactly if it did; where nobody subscribes that costs nothing, else a savepoint and
	a few statements a batch of clicks, whatever its size. But a click, a lead or a link is worth more than that somebody is told of it:
	what goes wrong here, such as a permission's hook of another app, is undone by itself and noted, and fails nothing."""
	frappe.db.savepoint(SAVE_POINT)
	try:
		yield
	except jobs.TimeIsUp:
		raise
	except Exception as error:
		if is_collision(error):
			# The database has undone more than this.
			raise
		frappe.db.rollback(save_point=SAVE_POINT)
		note_failure(f"TrackFlow: webhooks could not be told of {event}")


def _put(event: str, items: Mapping[Webhook, Items], zone: ZoneInfo) -> None:
	names = {name for some in items.values() for name in some}
	if not names:
		return
	readable = {user: readable_by(user, event, names) for user in {webhook.user for webhook in items}}
	addresses = bulk.load(WEBHOOK, {"name": ("in", [one.name for one in items])}, ["webhook_url"])
	rows: list[dict[str, Any]] = []
	for webhook, some in items.items():
		told = [item for name, item in some.items() if name in readable[webhook.user]]
		if told and webhook.name in addresses:
			address = addresses[webhook.name].webhook_url
			rows += rows_of(webhook.name, webhook.key, address, event, told, zone)
	if rows:
		bulk.insert(DELIVERY, rows)
		queue()


def subscribers(event: str, config: Config | None = None) -> list[Webhook]:
	"""The webhooks that want to know of an event."""
	webhooks = (config or get_config()).webhooks.get(event, ())
	return [one for one in webhooks if not one.expires_at or one.expires_at > time.time()]


def readable_by(user: str, event: str, names: Collection[str]) -> Collection[str]:
	"""Of these documents those that the user may read, as Frappe's own lists say."""
	of = EVENTS[event]
	if not frappe.has_permission(of.doctype, "read", user=user):
		return ()
	if not of.by_document:
		return set(names)
	filters = {"name": ("in", list(names))}
	return set(
		frappe.get_list(of.doctype, filters=filters, pluck="name", order_by="name", limit=0, user=user)
	)


def rows_of(
	webhook: str, key: str, address: str, event: str, items: list[Item], zone: ZoneInfo
) -> list[dict[str, Any]]:
	"""Deliveries of these items, which are due at once."""
	now = now_datetime()
	made = messages(event, items, iso(now, zone), lambda: timed_name(now, uuid4().hex))
	of_all = {
		"event_type": event,
		"api_key": key,
		"webhook": webhook,
		"webhook_url": address,
		"status": PENDING,
	}
	return [
		{
			"name": one.id,
			**of_all,
			"item_count": one.items,
			"attempts": 0,
			"next_attempt_at": now,
			"payload": one.text,
		}
		for one in made
	]


def forget(names: Collection[str], is_about: Callable[[str], bool]) -> None:
	"""Take what is about somebody out of these deliveries: those that tell of nobody else go, others keep what they tell of others and
	go on. Part of the caller's transaction."""
	rows = bulk.lock(DELIVERY, names, ("payload", "response_excerpt", "error_message"))
	kept: dict[str, dict[str, Any]] = {}
	for name, row in rows.items():
		is_one = is_message(row.payload)
		text, number = narrowed(row.payload, lambda item: not is_about(item)) if is_one else ("", 0)
		if number:
			kept[name] = {
				"payload": text,
				"item_count": number,
				"response_excerpt": None,
				"error_message": None,
			}
	bulk.update(DELIVERY, kept, is_locked=True)
	bulk.delete(DELIVERY, rows.keys() - kept.keys())


def only_about(payload: str | None, is_about: Callable[[str], bool]) -> str | None:
	"""What a delivery tells of somebody, without what it tells of others."""
	return narrowed(payload, is_about)[0] if is_message(payload) else payload


def queue() -> None:
	"""Queue the job that delivers, for after the commit. One that is at work may have looked already: so its name says when, and two
	of a second are one."""
	jobs.enqueue(JOB, job_id=f"webhooks::{now_datetime():%Y%m%d%H%M%S}")
