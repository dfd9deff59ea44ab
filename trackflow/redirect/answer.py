"""From a request for a short link to its answer, without a host: what is sent, and what goes on the stream.

Promises the same bytes wherever it runs (the hook on a bench, the stand-alone server). Pure but for the ids that it
makes: what must be asked of Redis is yielded as a question, and whoever runs the visit answers it in its own way.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from werkzeug.http import dump_cookie

from trackflow.incoming import VISITOR_COOKIE, Caller, Incoming, recognise
from trackflow.links import codes, destination
from trackflow.policy import Config, Domain
from trackflow.redirect import page
from trackflow.redirect.decision import Decision, Facts, Link, decide, is_open
from trackflow.redirect.page import Words
from trackflow.times import site_time
from trackflow.tracking import identity
from trackflow.tracking.parameters import CLICK_PARAMETER, utm_of

PREFIX = "/r"
METHODS = ("GET", "HEAD")
HEADERS = {
	"Cache-Control": "private, no-store",
	"Referrer-Policy": "strict-origin-when-cross-origin",
	"X-Content-Type-Options": "nosniff",
	"X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class Answer:
	"""What is sent, and what is recorded: `headers` are complete but for Content-Length, `record` goes on the stream.

	The answer to HEAD has the body that GET would have; the server leaves it out.
	"""

	status: int
	headers: tuple[tuple[str, str], ...]
	body: str = ""
	record: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Keys:
	"""The secrets that a visit may need; the day's key is only asked for where it is used."""

	day_key: Callable[[], bytes]
	click_secret: bytes


@dataclass(frozen=True, slots=True)
class ClickLeft:
	"""Question: is there a click left of the link's `limit`? Where it `takes`, it takes one."""

	link: Link
	takes: bool


Question = ClickLeft
Visit = Generator[Question, bool, Answer]


def claims(path: str) -> bool:
	"""Tell whether an address is a short link's. Capital letters too: people type what a poster says."""
	start = path[: len(PREFIX) + 1].lower()
	return start in (PREFIX, f"{PREFIX}/")


def code_in(path: str) -> str:
	"""The code of a short link's address, ready to be looked up; "" where no link can have it."""
	return valid_code(path[len(PREFIX) :].strip("/"))


def valid_code(code: str) -> str:
	"""A code as links have it; "" where none can."""
	code = codes.normalise(code)
	try:
		codes.check(code)
	except codes.CodeError:
		return ""
	return code


def visit(
	incoming: Incoming,
	link: Link | None,
	config: Config,
	keys: Keys,
	now: float,
	zone: ZoneInfo,
	words: Callable[[], Words],
) -> Visit:
	"""Answer a request for `link` (None: no such link) at `now`, in seconds since 1970.

	A generator: it yields at most one question of each kind, expects True or False for each, and returns the Answer. Only
	links with a limit yield any. `words` is called where a page is shown.
	"""
	if incoming.method not in METHODS:
		return _answer(405, {**HEADERS, "Allow": ", ".join(METHODS)})
	domain = config.domain_of(incoming.host)
	caller = recognise(incoming, config, domain, keys.day_key)
	facts = _facts(incoming, config, domain, caller, now, zone)
	decision = decide(link, facts)
	if link and link.max_clicks and is_open(link, facts) and not (yield ClickLeft(link, decision.counts)):
		decision = decide(link, replace(facts, is_spent=True))
	click_id = token_hex(10)
	location = _with_click_id(decision, config, click_id, keys)
	record = None
	if config.enabled and link and decision.event_type:
		record = _click_record(click_id, now, incoming, domain, caller, link, decision)
	cookie = ""
	if config.enabled and decision.counts and caller.may_set_cookie:
		cookie = _cookie(caller.visitor_id, now, incoming, config)
	headers = {**HEADERS, **dict(domain.headers if domain else ())}
	if location:
		headers["Location"] = destination.ascii_url(location)
		return _answer(decision.status, headers, record=record, cookie=cookie)
	return _page(decision.status, decision.page, words(), domain, headers, record=record)


def unavailable(words: Words) -> Answer:
	"""The answer where something of ours is broken: without its link nobody can be sent anywhere."""
	return _page(503, "unavailable", words, None, {**HEADERS, "Retry-After": "5"})


def _facts(
	incoming: Incoming, config: Config, domain: Domain | None, caller: Caller, now: float, zone: ZoneInfo
) -> Facts:
	return Facts(
		visitor_id=caller.visitor_id,
		now=site_time(now, zone),
		method=incoming.method,
		query=incoming.query,
		is_bot=bool(caller.bot_reason),
		bot_reason=caller.bot_reason,
		is_internal=caller.is_internal,
		not_found_url=domain.not_found_url if domain else "",
		count_internal=not config.exclude_internal,
	)


def _with_click_id(decision: Decision, config: Config, click_id: str, keys: Keys) -> str:
	"""The destination, with the signed click id where it is a website of ours that can read it (RED-6)."""
	if not (decision.counts and config.add_click_id and config.enabled):
		return decision.location
	if not config.website_of(urlsplit(decision.location).netloc):
		return decision.location
	signed = identity.sign_click(click_id, keys.click_secret)
	return destination.set_parameter(decision.location, CLICK_PARAMETER, signed)


def _click_record(
	click_id: str,
	now: float,
	incoming: Incoming,
	domain: Domain | None,
	caller: Caller,
	link: Link,
	decision: Decision,
) -> dict[str, Any]:
	return {
		"kind": "click",
		"id": click_id,
		"at": now,
		"link": link.name,
		"code": link.short_code,
		"campaign": link.campaign,
		"domain": domain.name if domain else "",
		"event_type": decision.event_type,
		"variant": decision.variant,
		"counted": decision.counts,
		"url": f"{incoming.scheme}://{incoming.host}{incoming.path}"[:2048],
		"destination": decision.location[:2048],
		"referrer": incoming.headers.get("referer", "")[:2048],
		"utm": utm_of(decision.location),
		**caller.as_record(),
	}


def _page(
	status: int,
	name: str,
	words: Words,
	domain: Domain | None,
	headers: dict[str, str],
	record: dict[str, Any] | None = None,
) -> Answer:
	title, text = words.pages[name]
	body = page.render(title, text, words.language, domain)
	headers |= {**page.SECURITY_HEADERS, "Content-Type": "text/html; charset=utf-8"}
	return _answer(status, headers, body, record)


def _answer(
	status: int,
	headers: dict[str, str],
	body: str = "",
	record: dict[str, Any] | None = None,
	cookie: str = "",
) -> Answer:
	pairs = {"Content-Type": "text/plain; charset=utf-8", **headers}.items()
	return Answer(status, (*pairs, ("Set-Cookie", cookie)) if cookie else tuple(pairs), body, record)


def _cookie(visitor_id: str, now: float, incoming: Incoming, config: Config) -> str:
	seconds = config.cookie_days * 24 * 60 * 60
	return dump_cookie(
		VISITOR_COOKIE,
		visitor_id,
		max_age=seconds,
		expires=now + seconds,
		path="/",
		secure=incoming.scheme == "https",
		httponly=True,
		samesite="Lax",
	)
