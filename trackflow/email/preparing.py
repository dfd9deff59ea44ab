"""Before a mailing is sent: what it would be, what is wrong or doubtful about it, and its links (EML-1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urldefrag, urlsplit

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import escape_html, get_url

from trackflow import bulk
from trackflow.config import get_config
from trackflow.email import recipients, rendering, tokens
from trackflow.email.mailings import RECIPIENTS, TOTALS
from trackflow.email.message import LONGEST_ADDRESS, Mail, MessageError, composed
from trackflow.email.rendering import Own, Rendered, Template
from trackflow.email.senders import sender_of
from trackflow.links.addresses import own_hosts, short_url
from trackflow.links.destination import DEFAULT_PREFIX
from trackflow.tracking.people import GUARDED_LEVEL

Row = dict[str, Any]
PREFIX = "/tf"
# How many rows a preview counts.
COUNTED = 10_000
NOBODY = Own({}, "", "")
TEST_MARK = "[Test] "


@dataclass(frozen=True, slots=True)
class Link:
	"""A short link of a mailing: its name and what people click."""

	name: str
	url: str


def preview(mailing: Document) -> Row:
	"""The mail of the first recipient as it would be, without a trace; how many there are, and what is doubtful."""
	template = rendering.template_of(mailing)
	address, values = _first(mailing)
	mail = _rendered(template, values, address, NOBODY)
	count = recipients.number(mailing, COUNTED + 1)
	addresses = template.addresses
	return {
		"recipient": address,
		"subject": mail.subject,
		"html": mail.html,
		"text": mail.text,
		"recipients": min(count, COUNTED),
		"more_recipients": count > COUNTED,
		"links": [*addresses.tracked],
		"warnings": [*_doubts(mailing, template, mail, count)],
	}


def send_test(mailing: Document, to: str) -> None:
	"""Queue the first recipient's mail to somebody else, with plain links and no image."""
	template, sender = rendering.template_of(mailing), sender_of(mailing)
	address, values = _first(mailing)
	mail = _rendered(template, values, address, NOBODY)
	message_id = f"{frappe.generate_hash(length=20)}@{urlsplit(get_url()).hostname}"
	try:
		text = composed(
			Mail(
				sender.name,
				sender.address,
				to,
				TEST_MARK + mail.subject,
				mail.html,
				mail.text,
				message_id,
				mailing.reply_to or "",
			),
			datetime.now(UTC),
		)
	except MessageError as error:
		frappe.throw(str(error))
	queue(
		[(frappe.generate_hash(length=10), to, message_id, text)],
		mailing,
		sender.envelope,
		sender.account,
		priority=1,
	)


def check(mailing: Document) -> None:
	"""Refuse to send what would not work for anybody."""
	template = rendering.template_of(mailing)
	sender_of(mailing)
	address, values = _first(mailing)
	if not address:
		frappe.throw(_("Nobody would get this mailing: no row that you may read has an address."))
	if unknown := rendering.unknown_names(template, values):
		frappe.throw(
			_("The template asks for what a {0} does not have: {1}.").format(
				_(recipients.source_of(mailing)), ", ".join(unknown)
			)
		)
	_rendered(template, values, address, NOBODY)


def tracking_of(mailing: Document) -> str:
	"""What may be stored of recipients: the settings and the level of the links' domain may allow less than the mailing wants."""
	allowed = frappe.db.get_single_value("TrackFlow Settings", "mail_tracking") or RECIPIENTS
	config = get_config()
	domain = config.domains.get(mailing.domain or config.primary_domain)
	is_guarded = domain is not None and domain.privacy_level == GUARDED_LEVEL
	return TOTALS if is_guarded or TOTALS in (allowed, mailing.tracking) else RECIPIENTS


def make_links(mailing: Document, template: Template) -> None:
	"""Give the mailing a short link for each address of its template that has none yet; one that is a short link of this site stays."""
	known = {row.address for row in mailing.links}
	for address in template.addresses.tracked:
		if address not in known:
			mailing.append(
				"links",
				{"address": address, "tracked_link": _own_link(address) or _new_link(mailing, address)},
			)


def links_of(mailing: Document) -> dict[str, Link]:
	"""The mailing's short links, by what stands in its template."""
	names = {row.tracked_link for row in mailing.links if row.tracked_link}
	rows = bulk.load("Tracked Link", {"name": ("in", names)}, ["short_code", "domain"])
	return {
		row.address: Link(row.tracked_link, _clicked_address(row.address, rows[row.tracked_link]))
		for row in mailing.links
		if row.tracked_link in rows
	}


def _clicked_address(address: str, link: Row) -> str:
	"""What people click: one that is a short link already stays as it is, with its parameters."""
	return urldefrag(address).url if _own_code(address) else short_url(link.short_code, link.domain)


def own(mailing: Document, name: str, links: Mapping[str, Link], secret: bytes, base: str) -> Own:
	"""What is one recipient's alone; `name` is the mail's row."""
	is_named = mailing.tracking == RECIPIENTS
	urls = {
		address: tokens.with_token(link.url, tokens.sign(tokens.clicked(link.name), name, secret))
		if is_named
		else link.url
		for address, link in links.items()
	}
	seen = (
		tokens.sign(tokens.OPENED, name, secret)
		if is_named
		else tokens.sign(tokens.OPENED_BY_ANYBODY, mailing.name, secret)
	)
	return Own(
		urls, f"{base}{PREFIX}/o/{seen}", f"{base}{PREFIX}/u/{tokens.sign(tokens.LEAVE, name, secret)}"
	)


def queue(
	mails: list[tuple[str, str, str, str]], mailing: Document, envelope: str, account: str, priority: int = 0
) -> None:
	"""Put mails (name, to, message id, text) into Frappe's queue, in the caller's transaction. The lowest priority lets what people
	wait for overtake them."""
	rows = [
		{
			"name": name,
			"sender": envelope,
			"message": text,
			"message_id": message_id,
			"status": "Not Sent",
			"reference_doctype": mailing.doctype,
			"reference_name": mailing.name,
			"priority": priority,
			"add_unsubscribe_link": 0,
			"attachments": "[]",
			"retry": 0,
			"email_account": account or None,
		}
		for name, _to, message_id, text in mails
	]
	has = frappe.get_meta("Email Queue").has_field
	bulk.insert(
		"Email Queue",
		[{field: value for field, value in row.items() if field == "name" or has(field)} for row in rows],
	)
	bulk.insert(
		"Email Queue Recipient",
		[
			{
				"name": frappe.generate_hash(length=10),
				"parent": name,
				"parenttype": "Email Queue",
				"parentfield": "recipients",
				"idx": 1,
				"recipient": to,
				"status": "Not Sent",
			}
			for name, to, _message_id, _text in mails
		],
	)


def _first(mailing: Document) -> tuple[str, Row]:
	"""The first recipient's address and values; of none, names of fields without values."""
	doctype = recipients.source_of(mailing)
	[row] = recipients.page(mailing, limit=1) or [None]
	if not row:
		return "", dict.fromkeys(recipients.fields_of(doctype))
	return row["email"], recipients.values(doctype, [row["name"]])[row["name"]]


def _rendered(template: Template, values: Row, address: str, own: Own) -> Rendered:
	try:
		return rendering.rendered(template, values, address, own)
	except rendering.RenderError as error:
		frappe.throw(_("The template cannot be rendered: {0}").format(escape_html(str(error))))


def _doubts(mailing: Document, template: Template, mail: Rendered, count: int) -> list[str]:
	found = []
	if not count:
		found.append(_("Nobody would get it."))
	unknown = rendering.unknown_names(template, _first(mailing)[1])
	if unknown:
		found.append(_("Nobody has: {0}.").format(", ".join(unknown)))
	if not mail.subject:
		found.append(_("The subject is empty."))
	if left := template.addresses.left:
		found.append(_("Addresses that differ by recipient are not tracked: {0}").format(", ".join(left)))
	leave = own(mailing, "0" * tokens.NAME_LENGTH, {}, b"preview", get_url().rstrip("/")).leave
	if len(leave) > LONGEST_ADDRESS:
		found.append(
			_(
				"The site's address is so long that mail programs cannot be given a button to unsubscribe; the mail has a link."
			)
		)
	if get_url().startswith("http:"):
		found.append(
			_(
				"The site is not served by https: mail programs show no images and no button to unsubscribe then."
			)
		)
	return found


def _own_link(address: str) -> str | None:
	"""The link that this address is the short URL of."""
	code = _own_code(address)
	return frappe.db.get_value("Tracked Link", {"short_code": code}) if code else None


def _own_code(address: str) -> str:
	"""The code in an address of a short link of this site; "" in any other, and in what is none."""
	try:
		parts = urlsplit(address)
	except ValueError:
		return ""
	if parts.netloc.lower() not in own_hosts() or not parts.path.lower().startswith(DEFAULT_PREFIX):
		return ""
	return parts.path[len(DEFAULT_PREFIX) :].strip("/").lower()


def _new_link(mailing: Document, address: str) -> str:
	values = {
		"doctype": "Tracked Link",
		"target_url": address,
		"campaign": mailing.campaign,
		"domain": mailing.domain,
		"source": mailing.source,
		"medium": mailing.medium,
	}
	return frappe.get_doc(values).insert().name
