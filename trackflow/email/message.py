"""One mail as the text that goes into the queue: headers, plain text, HTML (EML-1). Pure.

Whatever stands in a value is one line of one header, or it is refused (`MessageError`). Lines that Frappe's queue would fold again,
and thereby encode, which breaks List-Unsubscribe (RFC 2369, 8058), are kept short or left out.
"""

from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError as ParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

# RFC 5322's line, less the blank that begins a folded one and the brackets around the address.
LONGEST_ADDRESS = 78 - len(" <>")
LONGEST_SUBJECT = 500
ONE_CLICK = "List-Unsubscribe=One-Click"


class MessageError(ValueError):
	"""This cannot be a mail; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Mail:
	"""What a mail is made of. `leave_url` is where one unsubscribes; `message_id` without its brackets."""

	sender_name: str
	sender: str
	to: str
	subject: str
	html: str
	text: str
	message_id: str
	reply_to: str = ""
	leave_url: str = ""


def composed(mail: Mail, at: datetime) -> str:
	"""The mail as text, with the end of lines that SMTP wants. `at` knows its time zone."""
	message = EmailMessage(policy=SMTP)
	try:
		message["Subject"] = one_line(mail.subject)[:LONGEST_SUBJECT]
		message["From"] = Address(one_line(mail.sender_name), addr_spec=plain_address(mail.sender))
		message["To"] = Address(addr_spec=plain_address(mail.to))
		if mail.reply_to:
			message["Reply-To"] = Address(addr_spec=plain_address(mail.reply_to))
		message["Date"] = at
		message["Message-ID"] = f"<{mail.message_id}>"
		# Automatic answers (out of office) stay away from what is sent to many.
		message["Precedence"] = "bulk"
		if is_short(mail.leave_url):
			message["List-Unsubscribe"] = f"<{mail.leave_url}>"
			message["List-Unsubscribe-Post"] = ONE_CLICK
		_fill(message, _storable(mail.text), _storable(mail.html))
		return message.as_string()
	except MessageError:
		raise
	except (ValueError, ParseError, IndexError, AttributeError) as error:
		raise MessageError(f"This cannot be a mail: {error}") from error


def is_short(address: str) -> bool:
	"""Whether an address can stand in a header that no queue folds."""
	return bool(address) and len(address) <= LONGEST_ADDRESS and address.isascii() and address.isprintable()


def plain_address(address: str) -> str:
	"""The address, if a mail server of any age takes it: one address, nothing but visible ASCII."""
	if not address.isascii() or not address.isprintable() or any(one in address for one in ' ,;<>"()[]\\'):
		raise MessageError(f"{address!a} is no address that can be written to.")
	local, at, domain = address.rpartition("@")
	if not (local and at and domain) or "@" in local or len(address) > 254:
		raise MessageError(f"{address!a} is no address that can be written to.")
	return address


def one_line(text: str) -> str:
	"""A text as a header can hold it: one line, no control characters."""
	words = _storable(text).split()
	return " ".join("".join(one for one in word if one.isprintable()) for word in words)


def _fill(message: EmailMessage, text: str, html: str) -> None:
	how: dict[str, Any] = {"charset": "utf-8", "cte": "quoted-printable"}
	message.set_content(text or " ", **how)
	message.add_alternative(html, subtype="html", **how)


def _storable(text: str) -> str:
	"""Without halves of characters and zeros."""
	return text.encode("utf-8", "replace").decode().replace("\0", "")
