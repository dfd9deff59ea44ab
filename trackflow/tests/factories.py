"""Makes every document that a test needs, with sensible values; what matters to the test is passed."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.access import stored_keys
from trackflow.naming import key_name
from trackflow.tracking import conversions
from trackflow.tracking.rows import event_name

SHORT_HOST = "go.example.com"
SHOP = "shop.example.com"


def make_campaign(name: str = "Spring Sale", **values: Any) -> Document:
	return frappe.get_doc(
		{"doctype": "Link Campaign", "campaign_name": name, "status": "Active", **values}
	).insert()


def make_link(short_code: str | None = None, **values: Any) -> Document:
	values = {"target_url": f"https://{SHOP}/products", "source": "newsletter", "medium": "email", **values}
	return frappe.get_doc({"doctype": "Tracked Link", "short_code": short_code, **values}).insert()


def make_domain(domain: str = SHOP, **values: Any) -> Document:
	values = {
		"enabled": 1,
		"privacy_level": "Standard",
		"consent_required": 0,
		"collect_address": 1,
		**values,
	}
	return frappe.get_doc({"doctype": "Domain Configuration", "domain": domain, **values}).insert()


def make_key(name: str = "shop server", domain: str | None = SHOP, **values: Any) -> str:
	"""A secret API key that may send events; the whole of it."""
	scopes = values.pop("scopes", ["events:write"])
	addresses = values.pop("addresses", ())
	made = stored_keys.create(name, scopes, domain, "Administrator", addresses)
	if values:
		frappe.get_doc("TrackFlow API Key", made["name"]).update(values).save()
	return made["key"]


def make_webhook(url: str, *events: str, key: str = "hooks", user: str = "Administrator") -> list[str]:
	"""Webhooks of a key that may all that they need, which is made where there is none; their names."""
	from trackflow.webhooks.messages import EVENTS

	if not frappe.db.exists("TrackFlow API Key", key):
		scopes = sorted({EVENTS[event].scope for event in EVENTS})
		stored_keys.create(key, scopes, user=user)
	doc = frappe.get_doc("TrackFlow API Key", key)
	for event in events:
		doc.append("webhook_events", {"event_type": event, "webhook_url": url, "is_active": 1})
	doc.save()
	frappe.db.commit()
	return [row.name for row in doc.webhook_events if row.webhook_url == url and row.event_type in events]


@contextmanager
def changed_model(name: str, **values: Any) -> Iterator[None]:
	"""An Attribution Model that is otherwise for a while, checks or no checks."""
	former = frappe.db.get_value("Attribution Model", name, list(values), as_dict=True)
	try:
		_set_model(name, values)
		yield
	finally:
		frappe.db.rollback()
		_set_model(name, former)


@contextmanager
def channel_rules(name: str, *rules: dict[str, Any]) -> Iterator[None]:
	"""An Attribution Model that has these channel rules for a while."""
	try:
		_save_rules(name, rules)
		yield
	finally:
		frappe.db.rollback()
		_save_rules(name, ())


def _save_rules(name: str, rules: Iterable[dict[str, Any]]) -> None:
	model = frappe.get_doc("Attribution Model", name)
	model.set("channel_rules", list(rules))
	model.save()
	frappe.db.commit()


def _set_model(name: str, values: dict[str, Any]) -> None:
	frappe.db.set_value("Attribution Model", name, values, update_modified=False)
	frappe.clear_document_cache("Attribution Model", name)
	frappe.db.commit()


def set_settings(**values: Any) -> None:
	settings = frappe.get_single("TrackFlow Settings")
	settings.update(values)
	settings.save()
	frappe.db.commit()


def make_visitor(visitor_id: str = "v_00000000000000aa", **values: Any) -> str:
	now = now_datetime()
	row = {"name": visitor_id, "visitor_id": visitor_id, "first_seen": now, "last_seen": now, **values}
	bulk.insert("Visitor", [row])
	return visitor_id


def make_touch(visitor_id: str, occurred_at: datetime, channel: str = "Email", **values: Any) -> str:
	name = key_name("test touch", visitor_id, str(occurred_at), channel)
	values = {"source": channel.lower(), "medium": "test", "is_direct": int(channel == "Direct"), **values}
	row = {"name": name, "visitor_id": visitor_id, "occurred_at": occurred_at, "channel": channel, **values}
	bulk.insert("Touch Point", [row])
	return name


def make_conversion(visitor_id: str, at: datetime, conversion_type: str = "Purchase", **values: Any) -> str:
	external_id = f"{visitor_id}-{at.isoformat()}"
	values = {
		"visitor": visitor_id,
		"value": 100,
		"currency": "USD",
		"conversion_date": at,
		"source_doctype": "Visitor Event",
		"source_name": external_id,
		**values,
	}
	return conversions.record_all(conversion_type, {external_id: values})[0]


def make_journey(
	visitor_id: str, *channels: str, end: datetime, every: timedelta = timedelta(days=1)
) -> list[str]:
	"""Touches of these channels, one `every` so often, the last one at `end`."""
	start = end - every * (len(channels) - 1)
	return [make_touch(visitor_id, start + every * index, channel) for index, channel in enumerate(channels)]


def make_lead(**values: Any) -> Document:
	values = {"first_name": "Ada", "email": "ada@example.com", "status": "New", **values}
	return frappe.get_doc({"doctype": "CRM Lead", **values}).insert()


def make_deal(**values: Any) -> Document:
	values = {"organization": make_organization(), "status": "Qualification", **values}
	return frappe.get_doc({"doctype": "CRM Deal", **values}).insert()


def make_contact(email: str, first_name: str = "Ada", **values: Any) -> Document:
	row = {
		"doctype": "Contact",
		"first_name": first_name,
		"email_ids": [{"email_id": email, "is_primary": 1}],
	}
	return frappe.get_doc({**row, **values}).insert()


def make_email_template(name: str, subject: str, html: str) -> Document:
	values = {
		"doctype": "Email Template",
		"name": name,
		"subject": subject,
		"use_html": 1,
		"response_html": html,
	}
	return frappe.get_doc(values).insert()


def make_mailing(campaign: str, email_template: str, **values: Any) -> Document:
	values = {"title": "Spring news", "recipients_from": "Contact", **values}
	row = {"doctype": "Campaign Mailing", "campaign": campaign, "email_template": email_template}
	return frappe.get_doc({**row, **values}).insert()


def make_web_form(doctype: str, *fields: str, **values: Any) -> Document:
	"""A Web Form that anybody may send, under a name that no other test's form had."""
	meta = frappe.get_meta(doctype)
	rows = [
		{"fieldname": name, "fieldtype": meta.get_field(name).fieldtype, "label": name} for name in fields
	]
	title = f"Form {frappe.generate_hash(length=10)}"
	values = {"title": title, "doc_type": doctype, "published": 1, "web_form_fields": rows, **values}
	return frappe.get_doc({"doctype": "Web Form", **values}).insert()


def make_organization(name: str = "Example Works") -> str:
	if not frappe.db.exists("CRM Organization", name):
		frappe.get_doc({"doctype": "CRM Organization", "organization_name": name}).insert()
	return name


def event(event_id: str, type: str = "PAGE_VIEW", **values: Any) -> dict[str, Any]:
	"""An event as the website script sends it."""
	url = f"https://{SHOP}/products"
	return {"eventId": event_id, "type": type, "url": url, "visitorId": "v_00000000000000aa", **values}


def batch(public_key: str, *events: dict[str, Any], **values: Any) -> bytes:
	"""A batch as the website script sends it."""
	return json.dumps({"publicKey": public_key, "events": list(events), **values}).encode()


# Ids of numbered visitors.
VISITOR = "v_00000000000000{:02x}"
AGENT = {"user_agent": "", "device_type": "Desktop", "browser": "Chrome", "os": "Windows"}
NOT_HUMAN = {"is_bot": False, "bot_reason": "", "is_internal": False, "address": ""}


def click_record(link: str, number: int = 1, at: float | None = None, **values: Any) -> dict[str, Any]:
	"""A click as a redirect writes it."""
	return {
		"kind": "click",
		"id": uuid4().hex[:20],
		"at": at or time.time(),
		"link": link,
		"code": "spring",
		"campaign": "",
		"domain": "",
		"event_type": "Click",
		"variant": "",
		"counted": True,
		"url": "https://go.example.com/r/spring",
		"destination": f"https://{SHOP}/",
		"referrer": "",
		"utm": {"utm_source": "news", "utm_medium": "email"},
		"visitor": VISITOR.format(number),
		"cookieless": False,
		**AGENT,
		**NOT_HUMAN,
		**values,
	}


def event_record(number: int = 1, at: float | None = None, **values: Any) -> dict[str, Any]:
	"""A page view as the collector writes it."""
	event_id = uuid4().hex
	return {
		"kind": "event",
		"id": event_name("pk", event_id),
		"event_id": event_id,
		"at": at or time.time(),
		"received": time.time(),
		"domain": "",
		"event_type": "PAGE_VIEW",
		"event_name": "",
		"url": f"https://{SHOP}/",
		"title": "",
		"referrer": "",
		"value": "0",
		"currency": "",
		"properties": None,
		"form": None,
		"screen": "",
		"viewport": "",
		"click_ref": "",
		"click_ids": {},
		"utm": {},
		"counted": True,
		"person": {},
		"visitor": VISITOR.format(number),
		"cookieless": False,
		**AGENT,
		**NOT_HUMAN,
		**values,
	}


def consent(status: str, version: str) -> dict[str, str]:
	"""What an event says of its visitor's consent."""
	return {"consent_status": status, "consent_policy_version": version}


def make_rate(day: date, rate: float, from_currency: str = "EUR", to_currency: str = "USD") -> Document:
	"""An exchange rate of a day."""
	row = {"date": day, "from_currency": from_currency, "to_currency": to_currency, "rate": rate}
	return frappe.get_doc({"doctype": "TrackFlow Exchange Rate", **row}).insert()


def make_cost(day: date, spend: float, **values: Any) -> Document:
	"""What a day of advertising on Meta cost."""
	row = {"date": day, "platform": "Meta", "currency": "USD", "spend": spend, **values}
	return frappe.get_doc({"doctype": "Daily Campaign Metric", **row}).insert()
