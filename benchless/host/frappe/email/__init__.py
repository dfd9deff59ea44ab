"""`frappe.sendmail`: a mail goes to the Email Queue, and from there to the server that the configuration names (`mail_server`).

HTML and text, from a template or as it is; no attachments, no unsubscribe links, no Email Accounts.
"""

from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid
from html import unescape
from typing import Any

from jinja2 import TemplateNotFound

import frappe
from frappe.email.doctype.email_queue.email_queue import RECIPIENT
from frappe.utils import split_emails, strip_html

ENDS_OF_LINES = ("</p>", "</h1>", "</h2>", "</h3>", "</tr>", "</li>", "<br>", "<br/>")


def sendmail(
	recipients: list[str] | str = (),
	sender: str = "",
	subject: str = "No Subject",
	message: str = "No Message",
	delayed: bool = True,
	reference_doctype: str | None = None,
	reference_name: str | None = None,
	content: str | None = None,
	reply_to: str | None = None,
	cc: list[str] | str = (),
	send_after: Any = None,
	send_priority: int = 1,
	now: bool | None = None,
	template: str | None = None,
	args: dict[str, Any] | None = None,
	**_others: Any,
) -> Any:
	"""Queue a mail with the current transaction, and send it at once if `now`; answers the Email Queue document."""
	text = None
	if template:
		message, text = from_template(template, args or {})
	message = content or message
	to = sorted({*_addresses(recipients), *_addresses(cc)})
	if not to:
		return []
	sender = sender or frappe.conf.auto_email_id or frappe.conf.mail_login or "notifications@example.com"
	mail = _message(sender, subject, message, text or as_text(message), reply_to)
	doc = frappe.get_doc(
		{
			"doctype": "Email Queue",
			"sender": sender,
			"recipients": [{"recipient": one} for one in to],
			"message": mail.as_string(),
			"message_id": mail["Message-Id"],
			"reference_doctype": reference_doctype,
			"reference_name": reference_name,
			"send_after": send_after,
			"priority": send_priority,
		}
	).insert(ignore_permissions=True)
	if now or not delayed:
		doc.send()
	return doc


def from_template(name: str, args: dict[str, Any]) -> tuple[str | None, str | None]:
	"""`templates/emails/<name>.html` and `.txt` of an app, where there are such, with these arguments."""
	return tuple(_rendered(f"templates/emails/{name}.{ending}", args) for ending in ("html", "txt"))


def as_text(html: str) -> str:
	"""A mail's HTML without its tags, for who reads no HTML."""
	for end in ENDS_OF_LINES:
		html = html.replace(end, f"{end}\n")
	return unescape(strip_html(html)).strip()


def _rendered(path: str, args: dict[str, Any]) -> str | None:
	try:
		return frappe.get_template(path).render(args)
	except TemplateNotFound:
		return None


def _message(sender: str, subject: str, html: str, text: str, reply_to: str | None) -> MIMEMultipart:
	mail = MIMEMultipart("alternative")
	mail["Subject"] = Header(" ".join(subject.splitlines()), "utf-8")
	mail["From"] = sender
	mail["To"] = RECIPIENT
	mail["Date"] = formatdate()
	mail["Message-Id"] = make_msgid(domain=frappe.local.site)
	if reply_to:
		mail["Reply-To"] = reply_to
	mail.attach(MIMEText(text, "plain", "utf-8"))
	mail.attach(MIMEText(f"<!DOCTYPE html>\n<html><body>{html}</body></html>", "html", "utf-8"))
	return mail


def _addresses(given: list[str] | str) -> list[str]:
	return [one for one in (split_emails(given) if isinstance(given, str) else given or []) if one]
