"""Mails that did not arrive: what a server said when it refused one, and reports of delivery (RFC 3464) (EML-1). Pure.

Reads whatever comes in without raising. A report counts for the mail whose signed Message-ID it quotes, and for no other: anybody
can send one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

# A report names headers and at most the mail that came back; longer ones are not read on.
LONGEST = 2_000_000
LONGEST_TEXT = 500
FAILED = "failed"

_MESSAGE_ID = re.compile(r"<([a-z0-9]{20,52})@[^<>\s]+>", re.IGNORECASE)
_SAID = re.compile(r"""\(([2-5][0-9]{2}), b?(["'])(.*?)\2\)""", re.DOTALL)
_STATUS = re.compile(r"\b([245])\.[0-9]{1,3}\.[0-9]{1,3}\b")
# Refusals that speak of the recipient; others speak of the sender, the login, the connection.
_OF_RECIPIENT = ("SMTPRecipientsRefused", "SMTPDataError")


@dataclass(frozen=True, slots=True)
class Refusal:
	"""What the server said: whether it refuses this recipient for good, and its words."""

	is_final: bool
	text: str


@dataclass(frozen=True, slots=True)
class Report:
	"""A report on one mail: the name that its signed Message-ID holds, what became of it, whether for good, and why."""

	name: str
	action: str
	is_final: bool
	text: str


def refusal(error: str | None) -> Refusal | None:
	"""What an error of the queue says of a refusal; None where no server refused anything."""
	said = list(_SAID.finditer(error or ""))
	if not said:
		return None
	code, text = said[-1][1], said[-1][3]
	is_of_recipient = any(kind in error for kind in _OF_RECIPIENT)
	return Refusal(is_of_recipient and code.startswith("5"), _short(f"{code} {text}"))


def reports(raw: bytes, name_of: Callable[[str], str]) -> list[Report]:
	"""What a mail reports on mails of ours; nothing for any other mail. `name_of` reads a signed Message-ID's part before the @,
	"" for one that is none."""
	try:
		message = message_from_bytes(raw[:LONGEST], policy=policy.compat32)
		if message.get_content_type() != "multipart/report" or "delivery-status" not in str(
			message.get_param("report-type") or message
		):
			return []
		name = next(filter(None, map(name_of, _message_ids(message))), "")
		return [_report(name, fields) for fields in _recipients(message)] if name else []
	except (ValueError, LookupError, TypeError, AttributeError):
		return []


def _message_ids(report: Message) -> Iterator[str]:
	"""Message-IDs that a report quotes: of the mail that came back, whole or its headers, else of what it answers."""
	for part in report.walk():
		if part is not report and part.get("Message-ID"):
			yield from _ids(str(part["Message-ID"]))
		elif part.get_content_type() in ("text/rfc822-headers", "text/plain"):
			text = part.get_payload(decode=True) or b""
			for line in text.decode("utf-8", "replace").splitlines():
				if line.lower().startswith("message-id:"):
					yield from _ids(line)
	for header in ("In-Reply-To", "References"):
		yield from _ids(str(report.get(header) or ""))


def _ids(text: str) -> Iterator[str]:
	yield from (found.lower() for found in _MESSAGE_ID.findall(text))


def _recipients(report: Message) -> Iterator[Message]:
	"""The fields of each recipient; the first group tells of the message itself."""
	for part in report.walk():
		if part.get_content_type() == "message/delivery-status":
			groups = part.get_payload()
			for fields in groups if isinstance(groups, list) else ():
				if fields.get("Action") or fields.get("Final-Recipient"):
					yield fields


def _report(name: str, fields: Message) -> Report:
	action = str(fields.get("Action") or "").strip().lower().partition(" ")[0]
	status, said = str(fields.get("Status") or ""), str(fields.get("Diagnostic-Code") or "")
	kind = _STATUS.search(f"{status} {said}")
	# "smtp; 550 No such user": the type of what follows is of no use to people.
	words = said.partition(";")[2] or said
	return Report(
		name, action, action == FAILED and (kind is None or kind[1] == "5"), _short(f"{status} {words}")
	)


def _short(text: str) -> str:
	return " ".join("".join(one for one in word if one.isprintable()) for word in text.split())[:LONGEST_TEXT]
