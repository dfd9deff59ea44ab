"""What of a visitor may leave for an outside CRM (SYN-1, COL-7). Pure; the reasons stand in docs/privacy.md.

Nothing of a domain of the level HIPAA, nor of who was on one; nothing of robots, of the own people, of who is not recognised (no
cookie, Do Not Track), of who is erased. With consent alone where the domain asks for it or is of the level GDPR; and never of a
person one of whose browsers refused. At the level GDPR neither address nor browser.
"""

from typing import NamedTuple

GRANTED, DENIED = "Granted", "Denied"
HIPAA, GDPR = "HIPAA", "GDPR"
# Fields that stay at the level GDPR.
WITHHELD = frozenset({"ip_address", "user_agent"})


class Sender(NamedTuple):
	"""Who sent a form, and where: the level of the domain and whether it asks for consent, the consent of the browser and those of
	the person's others."""

	level: str
	asks_consent: bool
	consent: str = ""
	others: frozenset[str] = frozenset()
	is_cookieless: bool = False
	is_robot: bool = False
	is_internal: bool = False
	is_erased: bool = False
	was_on_guarded: bool = False


def may_leave(sender: Sender) -> bool:
	"""Whether anything of this form may leave."""
	if sender.level == HIPAA or sender.was_on_guarded or sender.is_erased:
		return False
	if sender.is_robot or sender.is_internal or sender.is_cookieless:
		return False
	if DENIED in {sender.consent, *sender.others}:
		return False
	return sender.consent == GRANTED or not (sender.asks_consent or sender.level == GDPR)


def withheld(level: str) -> frozenset[str]:
	"""Fields that do not leave from a domain of that level."""
	return WITHHELD if level == GDPR else frozenset()
