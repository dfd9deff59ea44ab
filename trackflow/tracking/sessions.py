"""Cuts a visitor's clicks and events into sessions (COL-6). Pure.

A session ends after `timeout` without a hit, or when a hit comes with other campaign parameters. A click and the visit
that it led to are one session: by the click id that the landing page was called with, or by time and equal parameters.
The same hits give the same sessions in whatever order and portions they arrive.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from trackflow.tracking.channels import CLICK_IDS, classify, platform, source_of_referrer

CLICK, EVENT = "click", "event"
PAGE_VIEW = "PAGE_VIEW"
# What says nothing of the visit itself: knowing a visitor's consent or name is not engagement.
SILENT_EVENTS = frozenset({"CONSENT", "IDENTIFY"})
NO_CLICK_IDS = dict.fromkeys(CLICK_IDS, "")
# Custom events that a page sends by itself when it is left: how long it was looked at makes no visit of a bounce, earns no
# points, and says of no new visit where it came from, for the next one may have begun when it is sent.
PASSIVE_NAMES = frozenset({"engagement"})
CAMPAIGN_FIELDS = ("source", "medium", "campaign", "term", "content")


@dataclass(frozen=True, slots=True)
class Hit:
	"""One human click on a link or one event of a page. `at` is naive site time; texts are "" where unknown.

	`click_ids` are pairs of parameter and value; `external_ids` are a platform's names of the campaign; `click_ref` is the click that the page's signed click id names.
	`details` are device and place fields, taken over by the session that the hit begins.
	"""

	id: str
	at: datetime
	kind: str
	event_type: str = ""
	event_name: str = ""
	url: str = ""
	referrer: str = ""
	source: str = ""
	medium: str = ""
	campaign: str = ""
	term: str = ""
	content: str = ""
	click_ids: tuple[tuple[str, str], ...] = ()
	tracked_link: str = ""
	link_campaign: str = ""
	click_ref: str = ""
	external_ids: tuple[str, ...] = field(default=(), compare=False)
	details: tuple[tuple[str, object], ...] = field(default=(), compare=False)

	@property
	def parameters(self) -> tuple[str, ...]:
		"""The campaign parameters, compared without case."""
		return tuple(getattr(self, name).casefold() for name in CAMPAIGN_FIELDS)

	@property
	def is_marketing(self) -> bool:
		"""Whether the hit itself says where the visitor came from."""
		# In this order, as it is asked for each click: the parameters have to be folded.
		return bool(self.tracked_link or self.click_ids or any(self.parameters))


@dataclass(frozen=True, slots=True)
class Session:
	"""Hits of one visit, in order. All else is derived from them."""

	hits: tuple[Hit, ...]
	own_hosts: frozenset[str] = frozenset()

	@property
	def first(self) -> Hit:
		return self.hits[0]

	@property
	def start(self) -> datetime:
		return self.hits[0].at

	@property
	def end(self) -> datetime:
		return self.hits[-1].at

	@property
	def events(self) -> list[Hit]:
		return [
			hit
			for hit in self.hits
			if hit.kind == EVENT
			and hit.event_type not in SILENT_EVENTS
			and not is_passive(hit.event_type, hit.event_name)
		]

	@property
	def pages(self) -> list[Hit]:
		return [hit for hit in self.hits if hit.event_type == PAGE_VIEW]

	@property
	def click(self) -> Hit | None:
		return next((hit for hit in self.hits if hit.kind == CLICK), None)

	@property
	def click_ids(self) -> dict[str, str]:
		"""Each platform's click id of the session, the first one that came."""
		found: dict[str, str] = {}
		for hit in _telling(self.hits):
			for name, value in hit.click_ids:
				found.setdefault(name, value)
		return found

	@property
	def origin(self) -> Hit:
		"""The hit that says where the visit came from: the first with campaign parameters, else the first."""
		return next((hit for hit in _telling(self.hits) if hit.is_marketing), self.first)

	@property
	def referrer(self) -> str:
		"""The first referrer from outside."""
		for hit in _telling(self.hits):
			if hit.referrer and _is_outside(hit.referrer, self.own_hosts):
				return hit.referrer
		return ""

	@property
	def campaign_keys(self) -> tuple[tuple[str, ...], str]:
		"""By what the campaign may be known where no link says it: its ids with a platform, and its utm_campaign."""
		ids = next((hit.external_ids for hit in _telling(self.hits) if hit.external_ids), ())
		return ids, self.origin.campaign

	def derived(self) -> dict[str, object]:
		"""The session's figures and attributes by field name of Visitor Session, without its name and visitor."""
		click, origin, pages, events = self.click, self.origin, self.pages, self.events
		click_ids, attributes = self.click_ids, self.attributes()
		return {
			"session_start": self.start,
			"session_end": self.end,
			"page_views": len(pages),
			"event_count": len(events),
			"entry_page": pages[0].url if pages else "",
			"exit_page": pages[-1].url if pages else "",
			"duration_seconds": int((self.end - self.start).total_seconds()),
			"is_bounce": int(len(pages) == 1 and len(events) == 1),
			"tracked_link": click.tracked_link if click else origin.tracked_link,
			"link_campaign": (click.link_campaign if click else "") or origin.link_campaign,
			"click_event": click.id if click else "",
			**NO_CLICK_IDS,
			**click_ids,
			**attributes,
			**dict(pages[0].details if pages else self.first.details),
		}

	def attributes(self) -> dict[str, str]:
		"""Source, medium, campaign, term, content, channel, platform and referrer of the visit (TCH-1)."""
		origin, referrer = self.origin, self.referrer
		source, medium = origin.source, origin.medium
		if not origin.is_marketing:
			source, medium = source_of_referrer(referrer, self.own_hosts)
		campaign, click_ids = origin.campaign, tuple(self.click_ids.items())
		channel, of_platform = _classified(source, medium, campaign, referrer, click_ids)
		if channel == "Direct" and origin.is_marketing:
			# Somebody made a link for this: it is marketing, even where nobody said which.
			channel = "Unassigned"
		return {
			"source": source,
			"medium": medium,
			"campaign": campaign,
			"term": origin.term,
			"content": origin.content,
			"channel": channel,
			"platform": of_platform,
			"referrer": referrer,
		}


@lru_cache(maxsize=4096)
def _is_outside(referrer: str, own_hosts: frozenset[str]) -> bool:
	return source_of_referrer(referrer, own_hosts) != ("", "")


@lru_cache(maxsize=4096)
def _classified(
	source: str, medium: str, campaign: str, referrer: str, click_ids: tuple[tuple[str, str], ...]
) -> tuple[str, str]:
	"""Channel and platform; of many visits at once most came the same few ways."""
	return classify(source, medium, campaign, referrer, click_ids), platform(
		source, medium, click_ids, referrer
	)


def is_passive(event_type: str, event_name: str | None) -> bool:
	"""Whether an event happened without the visitor doing anything."""
	return event_type == "CUSTOM" and event_name in PASSIVE_NAMES


def _telling(hits: Sequence[Hit]) -> Sequence[Hit]:
	"""The hits that say where a visit came from: passive ones only where there are no others."""
	if len(hits) == 1:
		return hits
	return [hit for hit in hits if not is_passive(hit.event_type, hit.event_name)] or hits


def sessionize(hits: Iterable[Hit], timeout: timedelta, own_hosts: Collection[str] = ()) -> list[Session]:
	"""Cut one visitor's hits into sessions, oldest first. Ties in time are ordered by id."""
	hosts = frozenset(own_hosts)
	sessions: list[list[Hit]] = []
	for hit in sorted(hits, key=lambda hit: (hit.at, hit.id)):
		if not sessions or _begins_session(sessions[-1], hit, timeout):
			sessions.append([])
		sessions[-1].append(hit)
	return [Session(tuple(some), hosts) for some in sessions]


def _begins_session(open_hits: Sequence[Hit], hit: Hit, timeout: timedelta) -> bool:
	if hit.at - open_hits[-1].at > timeout:
		return True
	if not hit.is_marketing or is_passive(hit.event_type, hit.event_name) or _joins(open_hits, hit):
		return False
	return _comes_from_elsewhere(open_hits, hit)


def _joins(open_hits: Sequence[Hit], hit: Hit) -> bool:
	return bool(hit.click_ref) and any(hit.click_ref == known.id for known in open_hits)


def _comes_from_elsewhere(open_hits: Sequence[Hit], hit: Hit) -> bool:
	"""Whether the hit's campaign differs from the one of the open session."""
	marketing = [known for known in _telling(open_hits) if known.is_marketing]
	if not marketing:
		return True
	if any(hit.parameters) and all(hit.parameters != known.parameters for known in marketing):
		return True
	return _differs(hit, marketing, lambda known: known.tracked_link) or _has_new_click_id(hit, marketing)


def _differs(hit: Hit, marketing: Sequence[Hit], attribute: Callable[[Hit], str]) -> bool:
	known = {attribute(one) for one in marketing} - {""}
	return bool(attribute(hit) and known and attribute(hit) not in known)


def _has_new_click_id(hit: Hit, marketing: Sequence[Hit]) -> bool:
	"""A click id of a kind that the session has with another value: somebody clicked another ad."""
	known = {(name, value) for one in marketing for name, value in one.click_ids}
	kinds = {name for name, _value in known}
	return any(name in kinds and (name, value) not in known for name, value in hit.click_ids)
