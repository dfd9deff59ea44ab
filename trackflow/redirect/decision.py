"""What becomes of a request for a short link: one pure function of link, request facts and time (RED-2, RED-3).

Promises the same answer for the same values, and that every way a link can end is told apart. Never reads a
clock, never counts, never stores: who calls it sends the response and records the event.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from trackflow.links.app_addresses import can_be_opened
from trackflow.links.destination import forward, is_page
from trackflow.redirect.rules import UNKNOWN, Rule, Traits, fits

Page = Literal["", "not_found", "gone", "password", "wrong_password", "locked"]
Password = Literal["", "right", "wrong", "locked"]
EventType = Literal["", "Click", "QR Scan", "Bot", "Prefetch", "Expired", "Blocked"]

FOUND = 302
SEE_OTHER = 303
NOT_FOUND = 404
GONE = 410
REDIRECT_STATUSES = frozenset({301, 302, 307, 308})

# What a visitor who has to type a password gets, by what became of the last attempt.
_PASSWORD_PAGES: dict[Password, tuple[int, Page]] = {
	"": (200, "password"),
	"wrong": (403, "wrong_password"),
	"locked": (429, "locked"),
}
_STOPPED_STATUSES = frozenset({"Paused", "Archived"})
_CLOSED_STATUSES = _STOPPED_STATUSES | {"Expired"}
_NOTHING: frozenset[str] = frozenset()
_WITHOUT_EFFECT = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Variant:
	"""One arm of a split test: a weight of nothing takes it out, no destination means the link's own."""

	name: str
	destination: str
	weight: int = 50
	active: bool = True

	def __post_init__(self) -> None:
		_set(self, "destination", self.destination or "")
		_set(self, "weight", max(0, int(self.weight or 0)))
		_set(self, "active", bool(self.active))


@dataclass(frozen=True, slots=True)
class Link:
	"""What the decision needs of a Tracked Link; times are naive and in the site's time zone."""

	name: str
	short_code: str
	status: str
	destination: str
	redirect_status: int = FOUND
	campaign: str = ""
	starts_on: datetime | None = None
	expires_on: datetime | None = None
	expired_url: str = ""
	max_clicks: int = 0
	clicks: int = 0
	variants: tuple[Variant, ...] = ()
	forward_query: bool = False
	domain: str = ""
	rules: tuple[Rule, ...] = ()
	ios_url: str = ""
	android_url: str = ""
	# What stands for the password (`passwords.digest`), never the password.
	password: str = ""

	def __post_init__(self) -> None:
		status = int(self.redirect_status or FOUND)
		_set(self, "redirect_status", status if status in REDIRECT_STATUSES else FOUND)
		_set(self, "max_clicks", max(0, int(self.max_clicks or 0)))
		_set(self, "clicks", max(0, int(self.clicks or 0)))
		_set(self, "variants", tuple(self.variants or ()))
		_set(self, "forward_query", bool(self.forward_query))
		_set(self, "rules", tuple(self.rules or ()))
		for field in ("campaign", "expired_url", "domain", "password"):
			_set(self, field, getattr(self, field) or "")
		for field in ("ios_url", "android_url"):
			address = getattr(self, field) or ""
			_set(self, field, address if can_be_opened(address) else "")

	@property
	def looks_at(self) -> frozenset[str]:
		"""The kinds of traits that the way on depends on: of rules, and "OS" for deep links."""
		if not (self.rules or self.ios_url or self.android_url):
			return _NOTHING
		kinds = {rule.kind for rule in self.rules}
		return frozenset(kinds | {"OS"} if self.ios_url or self.android_url else kinds)

	@property
	def app_schemes(self) -> tuple[str, ...]:
		"""The schemes of deep links that open an app instead of a page."""
		schemes = {
			address.partition(":")[0].lower() for address in (self.ios_url, self.android_url) if address
		}
		return tuple(sorted(schemes - {"http", "https"}))


@dataclass(frozen=True, init=False)
class Facts:
	"""What is known of the request; `query` is raw, `now` naive in the site's time zone, and never goes back.

	Made for each request: all fields are written at once, which takes half the time of one after the other.
	"""

	visitor_id: str
	now: datetime
	method: str = "GET"
	query: str = ""
	is_bot: bool = False
	bot_reason: str = ""
	is_prefetch: bool = False
	is_internal: bool = False
	not_found_url: str = ""
	count_internal: bool = True
	# The limit is reached by now, though the link's own count may not know it yet.
	is_spent: bool = False
	traits: Traits = UNKNOWN
	password: Password = ""

	def __init__(
		self,
		visitor_id: str | None,
		now: datetime,
		method: str | None = "GET",
		query: str | None = "",
		is_bot: bool = False,
		bot_reason: str = "",
		is_prefetch: bool = False,
		is_internal: bool = False,
		not_found_url: str | None = "",
		count_internal: bool = True,
		is_spent: bool = False,
		traits: Traits = UNKNOWN,
		password: Password = "",
	) -> None:
		vars(self).update(
			visitor_id=visitor_id or "",
			now=now,
			method=(method or "GET").upper(),
			query=(query or "").lstrip("?"),
			is_bot=bool(is_bot or bot_reason or is_prefetch),
			bot_reason=bot_reason,
			is_prefetch=bool(is_prefetch or bot_reason == "prefetch"),
			is_internal=is_internal,
			not_found_url=not_found_url or "",
			count_internal=count_internal,
			is_spent=is_spent,
			traits=traits,
			password=password,
		)

	@property
	def is_scan(self) -> bool:
		"""Tell whether the request came from the link's own QR code (LNK-3)."""
		return ("qr", "1") in parse_qsl(self.query)


class Decision(msgspec.Struct, frozen=True, gc=False):
	"""The answer to a request: a location or a page, and the event to record ("" = none)."""

	status: int
	location: str = ""
	page: Page = ""
	event_type: EventType = ""
	variant: str = ""
	counts: bool = False


def decide(link: Link | None, facts: Facts) -> Decision:
	"""Return what the visitor gets and what is recorded, in the order of RED-3."""
	for applies, answer in _ORDER:
		if applies(link, facts):
			return answer(link, facts)
	raise AssertionError("The last row of the order applies always.")


def decide_plain(link: Link, method: str, query: str, bot_reason: str, counts: bool) -> Decision | None:
	"""Return what `decide` does where nothing but the link matters: a person asks for one that has no conditions, and says
	nothing else. None for all others. `counts` says whether this person's click would.

	Nearly all requests are such, and to gather the facts for them costs several times what is decided.
	"""
	if (
		method != "GET"
		or query
		or bot_reason
		or link.status in _CLOSED_STATUSES
		or link.starts_on is not None
		or link.expires_on is not None
		or link.max_clicks
		or link.password
		or link.rules
		or link.variants
		or link.ios_url
		or link.android_url
	):
		return None
	return Decision(link.redirect_status, link.destination, "", "Click", "", counts)


def is_open(link: Link | None, facts: Facts) -> bool:
	"""Tell whether the link leads anywhere now, be it by a password."""
	return not any(applies(link, facts) for applies, _answer in _CLOSED)


def choose_variant(link: Link, visitor_id: str) -> Variant | None:
	"""Return the visitor's variant, the same on every visit, by weight over many visitors; None without variants.

	Weighted rendezvous hashing: each variant draws -weight / ln(u) with its own u from (link, visitor, variant),
	and the highest draw wins. A variant added, removed or weighed anew moves only visitors to or from itself.
	"""
	best, best_draw = None, 0.0
	for variant in link.variants:
		if not variant.active or not variant.weight:
			continue
		draw = -variant.weight / math.log(_uniform(link.name, visitor_id, variant.name))
		if draw > best_draw:
			best, best_draw = variant, draw
	return best


def _is_unknown(link: Link | None, facts: Facts) -> bool:
	"""The first moment of a link belongs to it."""
	return link is None or (link.starts_on is not None and facts.now < link.starts_on)


def _unknown(_link: Link | None, facts: Facts) -> Decision:
	if facts.not_found_url:
		return Decision(_status(FOUND, facts), location=facts.not_found_url)
	return Decision(NOT_FOUND, page="not_found")


def _is_stopped(link: Link, _facts: Facts) -> bool:
	return link.status in _STOPPED_STATUSES


def _stopped(_link: Link, facts: Facts) -> Decision:
	return Decision(NOT_FOUND, page="not_found", event_type=_event("Blocked", facts))


def _has_ended(link: Link, facts: Facts) -> bool:
	"""By status, time (the moment of expiry is over) or number of clicks."""
	if link.status == "Expired" or (link.expires_on is not None and facts.now >= link.expires_on):
		return True
	return 0 < link.max_clicks and (facts.is_spent or link.max_clicks <= link.clicks)


def _ended(link: Link, facts: Facts) -> Decision:
	event = _event("Expired", facts)
	if link.expired_url:
		# Always temporary: a link can be given more time.
		return Decision(_status(FOUND, facts), location=link.expired_url, event_type=event)
	return Decision(GONE, page="gone", event_type=event)


def _needs_password(link: Link, facts: Facts) -> bool:
	"""Robots need it too: what is protected is the destination."""
	return bool(link.password) and facts.password != "right"  # noqa: S105 a verdict


def _ask_password(_link: Link, facts: Facts) -> Decision:
	status, page = _PASSWORD_PAGES[facts.password]
	return Decision(status, page=page, event_type=_event("Blocked", facts) if facts.password else "")


def _is_bot(_link: Link, facts: Facts) -> bool:
	return facts.is_bot


def _bot(link: Link, facts: Facts) -> Decision:
	event = _event("Prefetch" if facts.is_prefetch else "Bot", facts)
	return Decision(_status(link.redirect_status, facts), location=link.destination, event_type=event)


def _always(_link: Link, _facts: Facts) -> bool:
	return True


def _visit(link: Link, facts: Facts) -> Decision:
	location, variant = _way(link, facts)
	# What an app makes of parameters that it did not ask for, nobody knows: it gets what was entered.
	if link.forward_query and facts.query and is_page(location):
		location = forward(location, facts.query)
	event = _event("QR Scan" if facts.query and facts.is_scan else "Click", facts)
	counts = bool(event) and (facts.count_internal or not facts.is_internal)
	return Decision(_status(link.redirect_status, facts), location, "", event, variant, counts)


def _way(link: Link, facts: Facts) -> tuple[str, str]:
	"""Where the link leads this visitor, and by which variant."""
	if not (link.rules or link.variants or link.ios_url or link.android_url):
		return link.destination, ""
	return next(found for way in _WAYS if (found := way(link, facts)))


def _by_rule(link: Link, facts: Facts) -> tuple[str, str] | None:
	return next(
		((rule.destination, "") for rule in link.rules if fits(rule, facts.traits, facts.query, facts.now)),
		None,
	)


def _by_deep_link(link: Link, facts: Facts) -> tuple[str, str] | None:
	address = {"ios": link.ios_url, "android": link.android_url}.get(facts.traits.system, "")
	return (address, "") if address else None


def _by_variant(link: Link, facts: Facts) -> tuple[str, str] | None:
	variant = choose_variant(link, facts.visitor_id)
	return (variant.destination or link.destination, variant.name) if variant else None


def _by_itself(link: Link, _facts: Facts) -> tuple[str, str]:
	return link.destination, ""


def _status(status: int, facts: Facts) -> int:
	"""A browser that has sent a form must ask for the destination, not send the form on to it."""
	return SEE_OTHER if facts.method == "POST" else status


def _event(event_type: EventType, facts: Facts) -> EventType:
	"""A request that only asks what would happen is answered and leaves no trace (RED-1)."""
	return "" if facts.method in _WITHOUT_EFFECT else event_type


def _uniform(*parts: str) -> float:
	"""Return a number strictly between 0 and 1 that depends on `parts` alone."""
	text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
	value = int.from_bytes(hashlib.sha256(text).digest()[:6], "big")
	return (value + 0.5) / 2**48


def _set(instance: object, field: str, value: object) -> None:
	"""Write a field of a frozen value object while it is being made."""
	object.__setattr__(instance, field, value)


# Whatever applies first decides. The closed ones go before all that leads anywhere.
_CLOSED = ((_is_unknown, _unknown), (_is_stopped, _stopped), (_has_ended, _ended))
_ORDER = (*_CLOSED, (_needs_password, _ask_password), (_is_bot, _bot), (_always, _visit))
# The same for where a person goes, and by which variant.
_WAYS = (_by_rule, _by_deep_link, _by_variant, _by_itself)
