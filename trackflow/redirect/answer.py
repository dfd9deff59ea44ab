"""From a request for a short link to its answer, without a host: what is sent, and what goes on the stream.

Promises the same bytes wherever it runs (the hook on a bench, the stand-alone server). Pure but for the ids that it
makes: what must be asked of Redis is yielded as a question, and whoever runs the visit answers it in its own way.
"""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from urllib.parse import unquote_plus
from zoneinfo import ZoneInfo

import msgspec
from werkzeug.http import dump_cookie

from trackflow.email import tokens
from trackflow.incoming import (
	CONSENT_COOKIE,
	DENIED,
	MAX_FORM,
	VISITOR_COOKIE,
	Caller,
	Incoming,
	asks_not_to_be_tracked,
	client_address,
	country,
	recognise,
)
from trackflow.links import codes, destination
from trackflow.policy import Config, Domain
from trackflow.redirect import page, passwords, rules
from trackflow.redirect.decision import (
	Decision,
	EventType,
	Facts,
	Link,
	Password,
	decide,
	decide_plain,
	is_open,
)
from trackflow.redirect.page import Form, Words
from trackflow.redirect.rules import UNKNOWN, Traits
from trackflow.remembering import remembered
from trackflow.times import advancing_time
from trackflow.tracking import agents, identity
from trackflow.tracking.parameters import CLICK_PARAMETER, utm_of

PREFIX = "/r"
_PREFIXES = (f"{PREFIX}/", f"{PREFIX.upper()}/")
METHODS = ("GET", "HEAD")
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
HEADERS = {
	"Cache-Control": "private, no-store",
	"Referrer-Policy": "strict-origin-when-cross-origin",
	"X-Content-Type-Options": "nosniff",
	"X-Robots-Tag": "noindex",
}
# Where the visitor came by https. Subdomains are not ours to speak for.
HTTPS_HEADERS = {**HEADERS, "Strict-Transport-Security": "max-age=31536000"}

Headers = tuple[tuple[str, str], ...]


class Click(msgspec.Struct, tag_field="kind", tag="click", gc=False):
	"""A click as it goes on the stream: made for each request, so no dict of names; read back, it is one."""

	id: str
	at: float
	link: str
	code: str
	campaign: str
	domain: str
	event_type: EventType
	variant: str
	counted: bool
	url: str
	destination: str
	referrer: str
	utm: Mapping[str, str]
	visitor: str
	cookieless: bool
	address: str
	user_agent: str
	is_bot: bool
	bot_reason: str
	is_internal: bool
	country: str
	region: str
	city: str
	# Only where the user agent may not be kept, by which the drain describes the device.
	device_type: str | msgspec.UnsetType = msgspec.UNSET
	browser: str | msgspec.UnsetType = msgspec.UNSET
	os: str | msgspec.UnsetType = msgspec.UNSET
	# Only in one's own mail: the name of its row.
	mail: str | msgspec.UnsetType = msgspec.UNSET


class Answer(msgspec.Struct, frozen=True, gc=False):
	"""What is sent, and what is recorded: `headers` are complete but for Content-Length, `record` goes on the stream.

	`own` are the headers of this answer alone, `common` those that all answers of its kind have: a server can prepare them.
	The answer to HEAD has the body that GET would have; the server leaves it out.
	"""

	status: int
	common: Headers
	own: Headers = ()
	body: str = ""
	record: Click | None = None

	@property
	def headers(self) -> Headers:
		return (*self.common, *self.own)


@dataclass(frozen=True, slots=True)
class Keys:
	"""The secrets that a visit may need; the day's key is only asked for where it is used."""

	day_key: Callable[[], bytes]
	click_secret: bytes
	password_secret: bytes
	# Random digits for a click's id.
	draw: Callable[[], str] = identity.random_digits


@dataclass(frozen=True, slots=True)
class ClickLeft:
	"""Question: is one of the link's `max_clicks` left? Where the visit `takes` one, it is taken by the answer."""

	link: Link
	takes: bool


@dataclass(frozen=True, slots=True)
class MayTry:
	"""Question: may this caller (a keyed hash) try this link's password? A wrong one is counted by the answer."""

	link: Link
	caller: str
	is_right: bool


Question = ClickLeft | MayTry
Visit = Generator[Question, bool, Answer]


def claims(path: str) -> bool:
	"""Tell whether an address is a short link's. Capital letters too: people type what a poster says."""
	return path.startswith(_PREFIXES) or path in (PREFIX, PREFIX.upper())


def code_in(path: str) -> str:
	"""The code of a short link's address, ready to be looked up; "" where no link can have it."""
	return valid_code(path[len(PREFIX) :].strip("/"))


@remembered(16_384, longest=codes.MAX_LENGTH)
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
	token: Callable[[], str] = str,
	address: str | None = None,
) -> Visit:
	"""Answer a request for `link` (None: no such link) at `now`, in seconds since 1970.

	A generator: it yields at most one question of each kind, expects True or False for each, and returns the Answer. Only
	links with a click limit or a password yield any. `words` is called where a page is shown, `token` where it has a
	form: what the host wants back with it, if anything. `address` is `client_address`, from whoever has asked for it already.
	"""
	sends_form = incoming.method == "POST" and link is not None and bool(link.password)
	if incoming.method not in METHODS and not sends_form:
		return _answer(405, {**_headers(incoming.scheme), "Allow": ", ".join(METHODS)})
	if incoming.body_size > MAX_FORM and sends_form:
		return _answer(413, _headers(incoming.scheme))
	domain = config.domain_of(incoming.host)
	caller = recognise(incoming, config, domain, keys.day_key, address=address)
	if link is not None:
		counts = not (config.exclude_internal and caller.is_internal)
		decision = decide_plain(link, incoming.method, incoming.query, caller.bot_reason, counts)
		if decision is not None:
			return _finish(decision, incoming, link, config, keys, now, domain, caller, words, token)
	facts = _facts(incoming, link, config, domain, caller, now, zone)
	if sends_form and is_open(link, facts):
		facts = replace(facts, password=(yield from _try_password(incoming, link, config, keys)))
	decision = decide(link, facts)
	if link and link.max_clicks and is_open(link, facts) and not (yield ClickLeft(link, decision.counts)):
		decision = decide(link, replace(facts, is_spent=True))
	return _finish(decision, incoming, link, config, keys, now, domain, caller, words, token)


def _headers(scheme: str) -> dict[str, str]:
	return HTTPS_HEADERS if scheme == "https" else HEADERS


def unavailable(words: Words) -> Answer:
	"""The answer where something of ours is broken: without its link nobody can be sent anywhere."""
	return _page(503, page.render("unavailable", words, None), {**HEADERS, "Retry-After": "5"})


def turned_away(words: Words, status: int, wait: int = 0) -> Answer:
	"""The answer to an address that is blocked (403), or that asks too often (429) and has to wait."""
	headers = {**HEADERS, **({"Retry-After": str(wait)} if wait else {})}
	return _page(status, page.render("unavailable", words, None), headers)


def _try_password(
	incoming: Incoming, link: Link, config: Config, keys: Keys
) -> Generator[MayTry, bool, Password]:
	given = incoming.form.get("password", "")
	is_right = passwords.is_right(keys.password_secret, link.name, link.password, given)
	address = client_address(incoming, config)
	who = passwords.attempts_of(keys.password_secret, link.name, address)
	if not (yield MayTry(link, who, is_right)):
		return "locked"
	return "right" if is_right else "wrong"


def _finish(
	decision: Decision,
	incoming: Incoming,
	link: Link | None,
	config: Config,
	keys: Keys,
	now: float,
	domain: Domain | None,
	caller: Caller,
	words: Callable[[], Words],
	token: Callable[[], str],
) -> Answer:
	click_id = identity.new_click_id(now, keys.draw())
	record = None
	if config.enabled and link and decision.event_type:
		record = _click(click_id, now, incoming, domain, caller, link, decision)
		if incoming.query and (mail := _mail_of(incoming, link, config, domain, keys)):
			record.mail = mail
	common = _common_headers(incoming.scheme, domain.headers if domain else ())
	own: Headers = ()
	if incoming.cookies and _keeps_cookie_in_vain(incoming.cookies):
		own = (("Set-Cookie", _expired_cookie(incoming.scheme == "https")),)
	if decision.location:
		own = (("Location", _location(decision, config, click_id, keys)), *own)
		if config.enabled and decision.counts and caller.may_set_cookie:
			own += (("Set-Cookie", _cookie(caller.visitor_id, now, incoming.scheme, config.cookie_days)),)
		return Answer(decision.status, common, own, "", record)
	headers = {**dict(common), **dict(own)}
	if decision.page == "locked":
		headers["Retry-After"] = str(passwords.ATTEMPT_SECONDS)
	form = None
	if decision.page in ("password", "wrong_password"):
		is_again = decision.page == "wrong_password"
		form = Form(_form_address(link, incoming.query), is_again, token(), link.app_schemes)
	return _page(decision.status, page.render(decision.page, words(), domain, form), headers, record, form)


def _form_address(link: Link, query: str) -> str:
	"""The short link's own address: whatever address it was asked under, the form goes there, with what it was asked."""
	kept = [piece for piece in query.split("&") if piece and not _is_ours(piece)]
	return f"{PREFIX}/{link.short_code}" + ("?" + "&".join(kept) if kept else "")


def _is_ours(piece: str) -> bool:
	name = unquote_plus(piece.partition("=")[0])
	return name in destination.NEVER_FORWARDED and name not in ("qr", tokens.PARAMETER)


def _mail_of(incoming: Incoming, link: Link, config: Config, domain: Domain | None, keys: Keys) -> str:
	"""In whose mail the link was clicked; "" where nobody signed that, or the caller or the domain wants it not to be known."""
	token = tokens.in_query(incoming.query)
	if not token or (domain and domain.privacy_level == "HIPAA"):
		return ""
	if config.honour_do_not_track and asks_not_to_be_tracked(incoming.headers):
		return ""
	return tokens.read(tokens.clicked(link.name), token, keys.click_secret)


def _facts(
	incoming: Incoming,
	link: Link | None,
	config: Config,
	domain: Domain | None,
	caller: Caller,
	now: float,
	zone: ZoneInfo,
) -> Facts:
	return Facts(
		caller.visitor_id,
		advancing_time(now, zone),
		incoming.method,
		incoming.query,
		bot_reason=caller.bot_reason,
		is_internal=caller.is_internal,
		not_found_url=domain.not_found_url if domain else "",
		count_internal=not config.exclude_internal,
		traits=_traits(incoming, link.looks_at, config) if link else UNKNOWN,
	)


def _traits(incoming: Incoming, wanted: frozenset[str], config: Config) -> Traits:
	"""What the link looks at, and nothing else: to describe an agent that was never seen takes a millisecond."""
	if not wanted:
		return UNKNOWN
	device = system = ""
	if wanted & {"Device", "OS"}:
		agent = agents.describe(incoming.headers.get("user-agent", ""))
		device, system = agent.device_type.lower(), rules.system_of(agent.os)
	return Traits(
		device,
		system,
		country(incoming, config) if "Country" in wanted else "",
		rules.preferred_language(incoming.headers.get("accept-language", "")) if "Language" in wanted else "",
	)


class _Way(msgspec.Struct, frozen=True, gc=False):
	"""A destination as it is sent; for a page also its host, port included, and what stands around a click id."""

	address: str
	host: str = ""
	before_id: str = ""
	behind_id: str = ""


def _location(decision: Decision, config: Config, click_id: str, keys: Keys) -> str:
	"""The destination, with the signed click id where it is a website of ours that can read it (RED-6)."""
	way = _way_to(decision.location)
	takes_id = decision.counts and config.add_click_id and config.enabled and way.host
	if not takes_id or not config.website_of(way.host):
		return way.address
	signature = identity.signature_of(click_id, keys.click_secret)
	return f"{way.before_id}{click_id}.{signature}{way.behind_id}"


@remembered(4096)
def _way_to(url: str) -> _Way:
	address = destination.ascii_url(url)
	if not destination.is_page(url):
		return _Way(address)
	host = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
	return _Way(address, host, *destination.place_for(address, CLICK_PARAMETER))


def _click(
	click_id: str,
	now: float,
	incoming: Incoming,
	domain: Domain | None,
	caller: Caller,
	link: Link,
	decision: Decision,
) -> Click:
	return Click(
		click_id,
		now,
		link.name,
		link.short_code,
		link.campaign,
		domain.name if domain else "",
		decision.event_type,
		decision.variant,
		decision.counts,
		f"{incoming.scheme}://{incoming.host}{incoming.path}"[:2048],
		decision.location[:2048],
		incoming.headers.get("referer", "")[:2048],
		utm_of(decision.location),
		caller.visitor_id,
		caller.is_cookieless,
		caller.address,
		caller.user_agent,
		bool(caller.bot_reason),
		caller.bot_reason,
		caller.is_internal,
		*caller.place,
		*(astuple(caller.device) if caller.device else ()),
	)


def _page(
	status: int,
	body: str,
	headers: dict[str, str],
	record: Click | None = None,
	form: Form | None = None,
) -> Answer:
	headers |= form.security_headers if form else page.SECURITY_HEADERS
	return _answer(status, {**headers, "Content-Type": "text/html; charset=utf-8"}, body, record)


def _answer(status: int, headers: dict[str, str], body: str = "", record: Click | None = None) -> Answer:
	return Answer(status, tuple({**_PLAIN, **headers}.items()), (), body, record)


@lru_cache(maxsize=256)
def _common_headers(scheme: str, of_domain: Headers) -> Headers:
	"""The headers of all redirects: the same object each time."""
	return tuple({**_PLAIN, **_headers(scheme), **dict(of_domain)}.items())


def _keeps_cookie_in_vain(cookies: Mapping[str, str]) -> bool:
	"""Whether the browser still has a visitor's id after a withdrawal: no script could take away what none can read (RED-5)."""
	return VISITOR_COOKIE in cookies and cookies.get(CONSENT_COOKIE) == DENIED


@lru_cache(maxsize=2)
def _expired_cookie(is_secure: bool) -> str:
	return dump_cookie(
		VISITOR_COOKIE, max_age=0, expires=0, path="/", secure=is_secure, httponly=True, samesite="Lax"
	)


def _cookie(visitor_id: str, now: float, scheme: str, days: int) -> str:
	return f"{VISITOR_COOKIE}={visitor_id}{_behind_visitor_id(int(now), days, scheme == 'https')}"


@lru_cache(maxsize=16)
def _behind_visitor_id(now: int, days: int, is_secure: bool) -> str:
	"""What follows in the cookie: the same for all visitors of a second."""
	seconds = days * 24 * 60 * 60
	cookie = dump_cookie(
		VISITOR_COOKIE,
		max_age=seconds,
		expires=now + seconds,
		path="/",
		secure=is_secure,
		httponly=True,
		samesite="Lax",
	)
	return cookie.removeprefix(f"{VISITOR_COOKIE}=")
