"""What opens and clicks of one mail say: a person's, a scanner's, or nobody can tell (EML-1, RED-4). Pure.

A mail's traces are a list that only grows, and this is a function of it: so they may come twice, late and in any order. What is a burst
of a scanner's stays one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from trackflow.tracking import agents, bursts

PERSON, PROXY, ROBOT = "person", "proxy", "robot"
# Traces that are kept of one mail: the first ones.
MOST = 60
OPENS_OF_SCANNER = 3
# Apple's privacy proxy fetches images of all mails, opened or not, and calls itself this and no more.
_APPLE = "Mozilla/5.0"
# They fetch an image when a person opens the mail.
_PROXIES_OF_PEOPLE = ("GoogleImageProxy", "YahooMailProxy")

Trace = tuple[str, str, str]
OPEN, CLICK = "open", "click"


@dataclass(frozen=True, slots=True)
class Judged:
	"""What a mail's traces come to: opens and clicks of people, when the first ones were, opens of which nobody knows, and whether a
	scanner was at it."""

	opens: int = 0
	opened_at: datetime | None = None
	clicks: int = 0
	clicked_at: datetime | None = None
	link: str = ""
	unsure: int = 0
	is_scanner: bool = False


def opener(user_agent: str) -> str:
	"""Who fetched the image, by what it says of itself."""
	if user_agent.strip() == _APPLE:
		return PROXY
	if any(name in user_agent for name in _PROXIES_OF_PEOPLE):
		return PERSON
	return ROBOT if agents.bot_reason(user_agent, {}) else PERSON


def joined(known: Iterable[Collection[str]], new: Iterable[Trace]) -> list[Trace]:
	"""The traces of a mail, each once, in the order of time; a trace is a kind, an ISO time, and who or which link."""
	return sorted({*(tuple(one) for one in known), *new}, key=lambda one: (one[1], one))[:MOST]


def judged(traces: Collection[Trace]) -> Judged:
	"""What these say. A click of a robot's has no link."""
	clicks = [(datetime.fromisoformat(at), link) for kind, at, link in traces if kind == CLICK]
	opens = [(datetime.fromisoformat(at), who) for kind, at, who in traces if kind == OPEN]
	scanned = bursts.scanned(
		[bursts.Click(str(number), at, link, "this mail") for number, (at, link) in enumerate(clicks) if link]
	)
	of_people = [one for number, one in enumerate(clicks) if one[1] and str(number) not in scanned]
	# A scanner that follows links has fetched the images too.
	busy = [at for number, (at, link) in enumerate(clicks) if not link or str(number) in scanned]
	seen = [at for at, who in opens if who == PERSON and not _is_scanners(at, opens, busy)]
	return Judged(
		len(seen),
		min(seen, default=None),
		len(of_people),
		min((at for at, _link in of_people), default=None),
		min(of_people, default=(None, ""))[1],
		sum(who == PROXY for _at, who in opens),
		bool(busy) or len(seen) + sum(who == PROXY for _at, who in opens) < len(opens),
	)


def _is_scanners(at: datetime, opens: Collection[tuple[datetime, str]], busy: Collection[datetime]) -> bool:
	if any(abs(at - other) <= bursts.WITHIN for other in busy):
		return True
	return sum(abs(at - other) <= bursts.WITHIN / 2 for other, _who in opens) >= OPENS_OF_SCANNER
