"""Tells the clicks of mail scanners from those of people, by how many links they open at once (RED-4). Pure.

What is a burst stays one whatever else is known: more clicks can only add to it. So clicks may come in any order and in
any portions, and need to be looked at only together with those of 10 seconds before and after.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

REASON = "scanner burst"
WITHIN = timedelta(seconds=10)
# Different links within that time that nobody opens by hand: of one e-mail campaign, and of any.
LINKS_OF_MAILING = 3
LINKS = 10


@dataclass(frozen=True, slots=True)
class Click:
	"""A click that counts, or was taken for a scanner's before. `mailing` is its e-mail campaign, "" if it has none."""

	id: str
	at: datetime
	link: str
	mailing: str = ""


def scanned(clicks: Iterable[Click]) -> set[str]:
	"""The ids of those clicks of one caller (one address and agent) that are a scanner's."""
	ordered = sorted(clicks, key=lambda click: (click.at, click.id))
	mailings: dict[str, list[Click]] = defaultdict(list)
	for click in ordered:
		if click.mailing:
			mailings[click.mailing].append(click)
	found = _bursts(ordered, LINKS)
	for some in mailings.values():
		found |= _bursts(some, LINKS_OF_MAILING)
	return found


def _bursts(clicks: Sequence[Click], number: int) -> set[str]:
	"""The clicks of every time span of that length with at least so many different links."""
	found: set[str] = set()
	links: Counter[str] = Counter()
	first = told = 0
	for last, click in enumerate(clicks):
		links[click.link] += 1
		while click.at - clicks[first].at > WITHIN:
			links[clicks[first].link] -= 1
			if not links[clicks[first].link]:
				del links[clicks[first].link]
			first += 1
		if len(links) >= number:
			told = max(told, first)
			found.update(one.id for one in clicks[told : last + 1])
			told = last + 1
	return found
