"""Webhooks of API keys, for who may see and change these (WHK-1)."""

from typing import Any

import frappe

from trackflow.access import limits
from trackflow.access.stored_keys import DOCTYPE
from trackflow.validation import listed_names, plain_text, whole_number
from trackflow.webhooks import managing
from trackflow.webhooks.messages import EVENTS
from trackflow.webhooks.outbox import DELIVERY

MOST = 200


@frappe.whitelist(methods=["GET"])
def get_webhooks() -> dict[str, Any]:
	"""All `webhooks`, by key: `state` active, paused or off, `failures` in a row, and how many deliveries are `pending` or `failed` for
	good; and the `events` that there are, each with the scope that a key needs for it."""
	frappe.has_permission(DOCTYPE, "read", throw=True)
	events = {name: event.scope for name, event in EVENTS.items()}
	return {"webhooks": managing.listed(), "events": events}


@frappe.whitelist(methods=["GET"])
def get_deliveries(webhook: str | None = None, limit: int | str = 20) -> list[dict[str, Any]]:
	"""The newest deliveries, of one webhook or of all, without what was sent."""
	frappe.has_permission(DELIVERY, "read", throw=True)
	number = min(max(whole_number(limit, "limit"), 1), MOST)
	return managing.deliveries(plain_text(webhook, "webhook"), number)


@frappe.whitelist(methods=["POST"])
def add_webhook(key: str, url: str, events: str | list[str]) -> dict[str, Any]:
	"""Have an address told of events, as far as the key's user may read them. `secret` checks the signatures: it is answered with the
	key's first webhook, this once, and is null with later ones."""
	_guard()
	return managing.add(plain_text(key, "key"), plain_text(url, "url"), listed_names(events, "events"))


@frappe.whitelist(methods=["POST"])
def remove_webhook(webhook: str) -> dict[str, Any]:
	"""Tell a webhook nothing more; what waits for it is given up."""
	_guard()
	managing.remove(plain_text(webhook, "webhook"))
	return {"webhook": webhook, "state": "removed"}


@frappe.whitelist(methods=["POST"])
def make_webhook_secret(key: str) -> dict[str, Any]:
	"""Another secret for a key's webhooks. `secret` is answered this once; what is sent from now on is signed with it."""
	_guard()
	return {"key": key, "secret": managing.make_secret(plain_text(key, "key"))}


@frappe.whitelist(methods=["POST"])
def test_webhook(webhook: str) -> dict[str, Any]:
	"""Send a webhook a ping now, paused or not, and say what came of it."""
	_guard()
	return managing.ping(plain_text(webhook, "webhook"))


@frappe.whitelist(methods=["POST"])
def resume_webhook(webhook: str) -> dict[str, Any]:
	"""Deliver again to a paused webhook, beginning with what waits."""
	_guard()
	return {"webhook": webhook, "pending": managing.resume(plain_text(webhook, "webhook"))}


@frappe.whitelist(methods=["POST"])
def redeliver(names: str | list[str]) -> dict[str, Any]:
	"""Send deliveries once more, under the ids that they had, whatever became of them."""
	_guard()
	return {"queued": managing.redeliver(listed_names(names, "names"))}


def _guard() -> None:
	limits.guard("management")
	frappe.has_permission(DOCTYPE, "write", throw=True)
