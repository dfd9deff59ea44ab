"""Which of the persons that a CRM found is meant (SYN-1). Pure. Nothing is guessed: one, none, or several.

A CRM's own search is held to what was asked for: an address or a name that only resembles it is nobody's.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Person(NamedTuple):
	"""A person as a CRM's search tells it."""

	id: str
	name: str = ""
	emails: tuple[str, ...] = ()


def by_email(found: Iterable[Person], email: str) -> list[Person]:
	"""Those who have this address, each once."""
	wanted = _plain(email)
	return _once(one for one in found if wanted in map(_plain, one.emails))


def by_name(found: Iterable[Person], first_name: str, last_name: str) -> list[Person]:
	"""Those who are called so, each once."""
	wanted = _plain(full_name(first_name, last_name))
	return _once(one for one in found if _plain(one.name) == wanted)


def full_name(first_name: str, last_name: str) -> str:
	"""The name as it is searched for; "" where a half of it is missing, as that is nobody's name."""
	first, last = first_name.strip(), last_name.strip()
	return f"{first} {last}" if first and last else ""


def person_key(email: str, first_name: str, last_name: str) -> str:
	"""What forms of one person have in common; "" for who cannot be searched for."""
	return _plain(email) or _plain(full_name(first_name, last_name))


def _once(found: Iterable[Person]) -> list[Person]:
	return list({one.id: one for one in found}.values())


def _plain(text: str) -> str:
	return " ".join(text.casefold().split())
