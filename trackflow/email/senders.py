"""From whom a mailing comes: the outgoing account, the name beside it, and where mail goes that cannot be delivered."""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.email.message import MessageError, plain_address

ACCOUNT = "Email Account"


@dataclass(frozen=True, slots=True)
class Sender:
	"""`address` and `name` stand in the mail; `envelope` gets reports of delivery; `account` is "" for that of the site's
	configuration."""

	address: str
	name: str
	envelope: str
	account: str


def sender_of(mailing: Document) -> Sender:
	"""The mailing's sender; refused in words where the site has no way to send."""
	account = _account(mailing.email_account)
	address = account.email_id if account else _configured()
	if not address:
		frappe.throw(
			_(
				"There is no outgoing Email Account: set one up, or name mail_server in the site's configuration."
			)
		)
	try:
		plain_address(address)
	except MessageError as error:
		frappe.throw(_("The sender's address: {0}").format(str(error)))
	own_name = account.name if account and account.always_use_account_name_as_sender_name else ""
	name = own_name or mailing.sender_name or (account.name if account else "")
	return Sender(address, name, returns_to() or address, account.name if account else "")


def returns_to() -> str:
	"""The address of the account that is read for returned mail; "" for none."""
	account = frappe.db.get_single_value("TrackFlow Settings", "bounce_account")
	return (frappe.db.get_value(ACCOUNT, account, "email_id") or "") if account else ""


def _account(name: str | None) -> Document | None:
	filters = {"name": name} if name else {"default_outgoing": 1}
	fields = ["name", "email_id", "enable_outgoing", "always_use_account_name_as_sender_name"]
	found = frappe.db.get_value(ACCOUNT, filters, fields, as_dict=True)
	if name and not (found and found.enable_outgoing):
		frappe.throw(_("The Email Account {0} does not send.").format(name))
	return found if found and found.enable_outgoing else None


def _configured() -> str:
	conf = frappe.conf
	return (conf.auto_email_id or conf.mail_login or "") if conf.mail_server else ""
