"""Takes a batch of events from a website or a server to the stream: key, origin, limits, shape, privacy, verdict (COL-1 to
COL-3).

Answers in plain values, for the site's API and for the edge alike. Asks nothing of the database, and stores nothing itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as _replaced
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from trackflow.access import api_keys, limits, request_log
from trackflow.incoming import GRANTED, Caller, Incoming, client_address, recognise
from trackflow.policy import ApiKey, Config, Domain
from trackflow.stream import tally, writer
from trackflow.tracking import arrivals, events, identity, packing, segment
from trackflow.tracking.events import Batch, BatchError, Event, EventError
from trackflow.tracking.parameters import host_of

SCOPE = "events:write"
# What the log keeps of an answer.
_TOLD = ("accepted", "duplicate", "error")
# What a page may send along, and read of the answer.
ALLOWED_HEADERS = "Content-Type"
JSON_HEADERS = (
	("Content-Type", "application/json"),
	("Cache-Control", "no-store"),
	("X-Content-Type-Options", "nosniff"),
)


class Desk(NamedTuple):
	"""What the collector of one site needs: its settings and secrets; the day's key is only asked for where it is used."""

	config: Config
	day_key: Callable[[], bytes]
	click_secret: bytes
	limit_secret: bytes


@dataclass(frozen=True, slots=True)
class Answer:
	"""HTTP status, JSON body, the origin that may read it ("" = none), the seconds to wait before the next attempt, and what is to
	be done once it is on its way."""

	status: int
	body: dict[str, Any]
	origin: str = ""
	wait: int = 0
	after: Callable[[], None] | None = None

	@property
	def headers(self) -> tuple[tuple[str, str], ...]:
		"""All but those that follow from the body."""
		more: tuple[tuple[str, str], ...] = ()
		if self.origin:
			more += (("Access-Control-Allow-Origin", self.origin), ("Vary", "Origin"))
		if self.wait:
			more += (("Retry-After", str(self.wait)), ("Access-Control-Expose-Headers", "Retry-After"))
		if self.status == 401:
			more += (("WWW-Authenticate", "Bearer"),)
		return JSON_HEADERS + more


@dataclass(frozen=True, slots=True)
class Sender:
	"""Who sends: a page of an allowed origin, or a server with a secret key."""

	domain: Domain
	origin: str = ""
	key: ApiKey | None = None


Read = Callable[[], Batch]


def collect(body: bytes, incoming: Incoming, desk: Desk, endpoint: str = "events") -> Answer:
	"""Take `body`: 202 with counts of accepted, duplicate and rejected events, or 4xx with a code and a reason. Counted as a
	request to `endpoint`; "" where it has been."""
	received = time.time()
	origin = incoming.headers.get("origin", "")
	answer = take(lambda: events.read_batch(body, origin, received), incoming, desk, received, endpoint)
	return _logged(answer, incoming, desk, received)


def collect_segment(body: bytes, incoming: Incoming, desk: Desk) -> Answer:
	"""Take a call of Segment's API (COL-4), and answer as its libraries expect."""
	encoding = incoming.headers.get("content-encoding", "")
	received = time.time()
	answer = take(lambda: segment.read_batch(incoming.path, body, encoding), incoming, desk, received)
	status, told = segment.told(answer.status, answer.body)
	return _logged(_replaced(answer, status=status, body=told), incoming, desk, received)


def _logged(answer: Answer, incoming: Incoming, desk: Desk, received: float) -> Answer:
	"""The answer, to be logged where the request shows a key that is known here (KEY-2)."""
	shown = api_keys.shown_in(incoming.headers)
	key = api_keys.known(shown, desk.config) if shown else None
	if not key:
		return answer
	told = {
		name: value for name, value in answer.body.items() if name in _TOLD and not isinstance(value, list)
	}
	answered = request_log.Answered(key.name, received, time.time() - received, answer.status, {}, told)
	return _replaced(answer, after=partial(request_log.write, answered, incoming, desk.config))


def turned_away(incoming: Incoming, desk: Desk, endpoint: str) -> Answer | None:
	"""The answer to an address that is blocked, or that asks this endpoint too often; None where it may ask."""
	try:
		wait = limits.wait_for(
			limits.of_address(endpoint, _address(incoming, desk.config), desk.config, desk.limit_secret)
		)
		if not wait:
			return None
		refused = _too_many(wait)
	except BatchError as error:
		refused = error
	tally.add({f"{endpoint}.refused.{refused.code}": 1})
	return _refusal(refused)


def _address(incoming: Incoming, config: Config) -> str:
	"""The sender's address. Raises BatchError for one that is blocked."""
	address = client_address(incoming, config)
	if limits.is_blocked(address, config):
		raise BatchError(403, "blocked", limits.BLOCKED)
	return address


def _refusal(error: BatchError) -> Answer:
	"""Any page may read why it was refused: a script that cannot takes it for an outage and tries again."""
	return Answer(error.status, {"error": error.code, "message": str(error)}, origin="*", wait=error.wait)


def take(read: Read, incoming: Incoming, desk: Desk, received: float, endpoint: str = "events") -> Answer:
	"""Take the batch that `read` gives, or the BatchError that it raises."""
	began, refused = time.perf_counter(), ""
	try:
		address = _address(incoming, desk.config)
		answer = _Batch(read, incoming, desk, address, received, endpoint).take()
	except BatchError as error:
		answer, refused = _refusal(error), error.code
	seconds = time.perf_counter() - began
	tally.answered("events", answer.status, seconds, refused, **_events_of(answer))
	return answer


def _events_of(answer: Answer) -> dict[str, int]:
	body = answer.body
	if "rejected" not in body:
		return {}
	return {
		"accepted": body["accepted"],
		"duplicate": body["duplicate"],
		"rejected": len(body["rejected"]),
	}


def preflight(incoming: Incoming, config: Config) -> tuple[int, tuple[tuple[str, str], ...]]:
	"""The answer to a browser that asks whether a page may send: any page of a configured website may ask."""
	origin = incoming.headers.get("origin", "")
	if not any(one.enabled and is_allowed(host_of(origin), one) for one in config.domains.values()):
		return 403, (("Vary", "Origin"),)
	return 204, (
		("Access-Control-Allow-Origin", origin),
		("Access-Control-Allow-Methods", "POST"),
		("Access-Control-Allow-Headers", ALLOWED_HEADERS),
		("Access-Control-Max-Age", "86400"),
		("Vary", "Origin"),
	)


def is_allowed(host: str, domain: Domain) -> bool:
	"""Whether pages of `host` belong to the domain: itself and its subdomains, unless narrowed to a list."""
	if domain.allowed_origins:
		return host in {host_of(one) or one.partition(":")[0] for one in domain.allowed_origins}
	own = host_of(f"//{domain.name}")
	return host == own or host.endswith(f".{own}")


class _Batch:
	"""One batch on its way, and what its events have in common."""

	def __init__(
		self, read: Read, incoming: Incoming, desk: Desk, address: str, received: float, endpoint: str
	) -> None:
		self._endpoint = endpoint
		self._read = read
		self._incoming = incoming
		self._visitor = _without_foreign_cookies(incoming)
		self._desk = desk
		self._config = desk.config
		self._address = address
		self._received = received
		self._hosts: dict[str, bool] = {}
		self._callers: dict[tuple[Any, ...], int] = {}
		self._known: list[Caller] = []

	def take(self) -> Answer:
		try:
			batch = self._read()
			sender = self._sender(batch.public_key)
		except BatchError:
			# What is refused costs as much as what is taken.
			self._limit(self._of_caller(None))
			raise
		taken, rejected = self._sorted(batch, sender)
		buckets = self._of_caller(sender.key) + limits.of_site(
			sender.domain.name, len(batch.events), self._config
		)
		if not taken:
			self._limit(buckets)
			return self._answer(400, (), rejected, sender)
		record = packing.packed(
			taken,
			[self._as_record(caller) for caller in self._known],
			sender.domain.public_key,
			sender.domain.name,
			self._received,
			self._config.consent_policy_version,
		)
		ids = [event.event_id for _place, event in taken]
		written = writer.write([record], ids, sender.domain.public_key, buckets)
		if written.wait:
			arrivals.count(sender.domain, too_many=1)
			raise _too_many(written.wait)
		return self._answer(202, written.new, rejected, sender)

	def _sender(self, public_key: str) -> Sender:
		try:
			return _sender(public_key, self._incoming, self._config, self._address, self._received)
		except BatchError as error:
			arrivals.refused(error.code, public_key, _page_host(self._incoming), self._config)
			raise

	def _of_caller(self, key: ApiKey | None) -> list[limits.Bucket]:
		if key:
			return limits.of_key(key, self._config)
		if not self._endpoint:
			return []
		return limits.of_address(self._endpoint, self._address, self._config, self._desk.limit_secret)

	def _limit(self, buckets: list[limits.Bucket]) -> None:
		if wait := limits.wait_for(buckets):
			raise _too_many(wait)

	def _answer(
		self, status: int, new: tuple[bool, ...], rejected: list[dict[str, Any]], sender: Sender
	) -> Answer:
		accepted = sum(new)
		arrivals.count(sender.domain, accepted=accepted, rejected=len(rejected))
		body = {"accepted": accepted, "duplicate": len(new) - accepted, "rejected": rejected}
		return Answer(status, body, origin=sender.origin)

	def _sorted(self, batch: Batch, sender: Sender) -> tuple[list[tuple[int, Event]], list[dict[str, Any]]]:
		"""The events that are taken, each with the place of its caller, and those that are rejected, with the reason."""
		taken: list[tuple[int, Event]] = []
		rejected: list[dict[str, Any]] = []
		for index, raw in enumerate(batch.events):
			try:
				event = events.read_event(raw, self._received, batch.sent_at)
				if event.url and not self._is_own(event.url, sender.domain):
					raise EventError("The url is of another website than the public key.")
				taken.append(self._placed(event, sender))
			except EventError as error:
				rejected.append({"index": index, "reason": str(error)})
		return taken, rejected

	def _is_own(self, url: str, domain: Domain) -> bool:
		# Whatever follows the first slash after the host says nothing about the host.
		end = url.find("/", 8)
		start = url if end < 0 else url[:end]
		known = self._hosts.get(start)
		if known is None:
			known = self._hosts[start] = is_allowed(host_of(start), domain)
		return known

	def _placed(self, event: Event, sender: Sender) -> tuple[int, Event]:
		"""An event without what may not be kept of it, and the place of its caller. It keeps a visitor id only where that is
		not its caller's."""
		visitor_id = event.visitor_id
		if event.anonymous_id and not visitor_id:
			visitor_id = identity.visitor_id_of(
				self._desk.click_secret, sender.domain.public_key, event.anonymous_id
			)
		if sender.key and not visitor_id:
			raise EventError("A server has to say whose event it is: visitorId or anonymousId is missing.")
		place, caller = self._caller(event, visitor_id, sender)
		kept = self._kept_id(event, visitor_id, caller, sender)
		values = self._taken_out(event, caller, sender.domain)
		if kept != event.visitor_id:
			values["visitor_id"] = kept
		return place, replace(event, **values) if values else event

	def _taken_out(self, event: Event, caller: Caller, domain: Domain) -> dict[str, Any]:
		"""What may not be kept of an event, with what stands there instead."""
		values: dict[str, Any] = {}
		if event.anonymous_id or event.address or event.user_agent:
			values |= {"anonymous_id": "", "address": "", "user_agent": ""}
		if event.email and not (caller.may_set_cookie and domain.privacy_level != "HIPAA"):
			values |= {"email": "", "full_name": ""}
		if event.form and not self._keeps_values(event, caller, domain):
			values["form"] = events.without_values(event.form)
		return values

	def _keeps_values(self, event: Event, caller: Caller, domain: Domain) -> bool:
		"""Whether what was typed may be kept (COL-7): by setting and level, of a visitor who may be recognised; at level GDPR of
		one who said so."""
		if (
			not (self._config.collect_form_values and caller.may_set_cookie)
			or domain.privacy_level == "HIPAA"
		):
			return False
		return domain.privacy_level != "GDPR" or event.consent == GRANTED

	def _kept_id(self, event: Event, visitor_id: str, caller: Caller, sender: Sender) -> str:
		"""The visitor's id where it is not the caller's. Whoever withdraws consent is no longer recognised; the withdrawal
		itself belongs to who gave it."""
		if event.type == "CONSENT" or not caller.is_cookieless:
			return visitor_id
		if not sender.key:
			return ""
		# What a server knows of a visitor may be no address and no browser: its own id tells them apart, for a day.
		return identity.cookieless_id(self._desk.day_key(), sender.domain.name, visitor_id, "")

	def _caller(self, event: Event, visitor_id: str, sender: Sender) -> tuple[int, Caller]:
		"""Whose event it is. Visitors whom nothing but their ids tells apart have one caller; the ids stand in the events."""
		is_consent = event.type == "CONSENT"
		told = (event.address, event.user_agent) if sender.key else ()
		of = (event.consent, bool(visitor_id), is_consent, *told)
		place = self._callers.get(of)
		if place is None:
			caller = self._recognised(event, visitor_id, sender)
			place = self._callers[of] = len(self._known)
			self._known.append(caller)
		return place, self._known[place]

	def _recognised(self, event: Event, visitor_id: str, sender: Sender) -> Caller:
		desk = self._desk
		incoming = _told(self._incoming, event) if sender.key else self._visitor
		caller = recognise(
			incoming, desk.config, sender.domain, desk.day_key, visitor_id, event.consent, sets_cookie=False
		)
		if event.type == "CONSENT" and caller.is_cookieless:
			# It is kept with who gave the consent, and must not tell who of the unrecognised that is from now on.
			caller = replace(caller, address="")
		# A server need not say with which browser its visitor came.
		return replace(caller, bot_reason="") if sender.key and not event.user_agent else caller

	def _as_record(self, caller: Caller) -> dict[str, Any]:
		counted = not caller.bot_reason and not (caller.is_internal and self._config.exclude_internal)
		return {**caller.as_record(), "counted": counted}


def _without_foreign_cookies(incoming: Incoming) -> Incoming:
	"""The request as the page's own: cookies of this host say nothing of what was answered and who is known on another."""
	if not incoming.cookies or _page_host(incoming) == host_of(f"//{incoming.host}"):
		return incoming
	return replace(incoming, cookies={})


def _page_host(incoming: Incoming) -> str:
	return host_of(incoming.headers.get("origin") or incoming.headers.get("referer", ""))


def _told(incoming: Incoming, event: Event) -> Incoming:
	"""The request as the visitor's own, by what the server says of it."""
	headers = {"user-agent": event.user_agent}
	return replace(incoming, peer=event.address, headers=headers, cookies={})


def _too_many(wait: int) -> BatchError:
	return BatchError(429, "too_many", limits.TOO_MANY, wait)


def _sender(public_key: str, incoming: Incoming, config: Config, address: str, now: float) -> Sender:
	"""Who sends, and for which domain. Raises BatchError."""
	shown = api_keys.shown_in(incoming.headers)
	key = _checked(shown, config, address, now) if shown else None
	domain = _domain(public_key, incoming, key, config)
	if not domain or not domain.enabled:
		raise BatchError(401, "unknown_key", "This public key is not known here.")
	if not config.enabled:
		raise BatchError(403, "tracking_off", "Tracking is switched off.")
	if key:
		try:
			api_keys.check_domain(key, SCOPE, domain.name)
		except api_keys.Refused as error:
			raise BatchError(error.status, error.code, str(error)) from None
		return Sender(domain, key=key)
	if not is_allowed(_page_host(incoming), domain):
		raise BatchError(403, "origin", "This website may not use this public key.")
	return Sender(domain, incoming.headers.get("origin", ""))


def _checked(shown: str, config: Config, address: str, now: float) -> ApiKey:
	try:
		return api_keys.checked(shown, config, address, now)
	except api_keys.Refused as error:
		raise BatchError(error.status, error.code, str(error)) from None


def _domain(public_key: str, incoming: Incoming, key: ApiKey | None, config: Config) -> Domain | None:
	"""The domain that is named by its public key or its host; else that of the secret key."""
	if public_key:
		return config.domain_of_key(public_key) or config.domain_of(public_key)
	if key and key.domain:
		return config.domains.get(key.domain)
	raise BatchError(400, "no_key", "publicKey is missing.")
