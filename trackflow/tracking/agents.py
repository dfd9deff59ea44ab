"""Who asks: the device, browser and system of a user agent, and whether it is a program instead of a person (RED-4).

Promises a reason for every request that is not counted. Knows no list of its own: crawlers come from the
crawler-user-agents list, devices from ua-parser; here stands only which entries of the list are people after all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import ua_parser
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from user_agents.parsers import UserAgent, parse_browser, parse_device, parse_operating_system

from trackflow.remembering import remembered

MAX_LENGTH = 512

EMPTY = "empty user agent"
PREFETCH = "prefetch"
LINK_PREVIEW = "link preview"
HEADLESS = "headless browser"
CRAWLER = "crawler"

# What a browser says when it asks for a page that nobody has clicked on yet.
_PREFETCH_HEADERS = frozenset({"sec-purpose", "purpose", "x-purpose", "x-moz"})
_PREFETCH_WORDS = ("prefetch", "prerender", "preview")

# Entries of the list that people's own browsers match: the windows that Facebook and editors open pages in, and a
# build of Android that runs on millions of phones. Clicks on advertisements come through them.
_PEOPLE = frozenset({"MetaIAB Facebook", r"AP3A\.240617\.008", r"Code\/1\.", r"Trae\/", "Fluid"})
# Programs that fetch previews under their bare name, and show pages to people under a browser's.
_BARE_NAME_ONLY = frozenset({"Viber", "WhatsApp", r"Tumblr\/", r"Notion\/", r"Bluesky\/"})
_BROWSER_PREFIX = "Mozilla/"

_PLAIN_PATTERN = re.compile(r"(?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])+")
DEVICES = ("Desktop", "Mobile", "Tablet", "Other")


@dataclass(frozen=True, slots=True)
class Agent:
	"""What a user agent says of itself; families without versions, so that figures can be grouped by them."""

	device_type: str = "Other"
	browser: str = "Other"
	os: str = "Other"


class _Crawlers(NamedTuple):
	"""The list, ready to search: nearly all entries are plain texts, which are found far faster than expressions."""

	texts: tuple[str, ...]
	patterns: tuple[re.Pattern[str], ...]
	reasons: Mapping[str, str]
	bare_names: tuple[str, ...]


class _Parsed(UserAgent):
	"""user_agents' rules for devices over ua-parser's own interface, which takes its fast engines where installed."""

	def __init__(self, user_agent: str) -> None:
		parsed = ua_parser.parse(user_agent).with_defaults()
		browser, system, device = parsed.user_agent, parsed.os, parsed.device
		self.ua_string = user_agent
		self.browser = parse_browser(browser.family, browser.major, browser.minor, browser.patch)
		self.os = parse_operating_system(system.family, system.major, system.minor, system.patch)
		self.device = parse_device(device.family, device.brand, device.model)


def describe(user_agent: str | None) -> Agent:
	"""Return device type (of DEVICES), browser and operating system."""
	return _describe(crop(user_agent))


def bot_reason(user_agent: str | None, headers: Mapping[str, str]) -> str:
	"""Return why a request does not come from a person who wants the page now; "" if it does.

	"prefetch" goes before the others: the person may still come. Header names are in lower case.
	"""
	# Hardly anybody says so: one look, before the names are gone through.
	if not _PREFETCH_HEADERS.isdisjoint(headers) and is_prefetch(headers):
		return PREFETCH
	return _agent_reason(user_agent or "")


def is_prefetch(headers: Mapping[str, str]) -> bool:
	"""Tell whether a browser fetches the page ahead of a click, by what it says of the purpose."""
	said = [headers.get(name, "").lower() for name in _PREFETCH_HEADERS]
	return any(word in value for word in _PREFETCH_WORDS for value in said)


def crop(user_agent: str | None) -> str:
	"""Return a user agent as it is judged and stored: without blanks at the ends, 512 characters at most."""
	return (user_agent or "").strip()[:MAX_LENGTH]


@lru_cache(maxsize=4096)
def _describe(user_agent: str) -> Agent:
	if not user_agent:
		return Agent()
	parsed = _Parsed(user_agent)
	if parsed.browser.family == "Opera Mini":
		# It leaves out the word by which phones are told from tablets.
		device_type = "Mobile"
	elif parsed.is_tablet:
		device_type = "Tablet"
	elif parsed.is_mobile:
		device_type = "Mobile"
	else:
		device_type = "Desktop" if parsed.is_pc else "Other"
	return Agent(device_type, parsed.browser.family, parsed.os.family)


@remembered(4096)
def _agent_reason(user_agent: str) -> str:
	user_agent = crop(user_agent)
	if not user_agent:
		return EMPTY
	crawlers = _crawlers()
	for text in crawlers.texts:
		if text in user_agent:
			return crawlers.reasons[text]
	for pattern in crawlers.patterns:
		if pattern.search(user_agent):
			return crawlers.reasons[pattern.pattern]
	if user_agent.startswith(_BROWSER_PREFIX):
		return ""
	# Browsers call themselves Mozilla. Of the few others some are old phones and some are programs.
	if any(name in user_agent for name in crawlers.bare_names):
		return LINK_PREVIEW
	return CRAWLER if _Parsed(user_agent).is_bot else ""


@cache
def _crawlers() -> _Crawlers:
	"""Read the list once; what tells more than "crawler" goes first, so that it is what is told."""
	texts: list[str] = []
	patterns: list[re.Pattern[str]] = []
	reasons: dict[str, str] = {}
	for entry in CRAWLER_USER_AGENTS_DATA:
		source = entry["pattern"]
		if source in _PEOPLE or source in _BARE_NAME_ONLY:
			continue
		if _PLAIN_PATTERN.fullmatch(source):
			source = _plain(source)
			texts.append(source)
		else:
			patterns.append(re.compile(source))
		reasons[source] = _reason(entry.get("tags", ()))
	return _Crawlers(
		tuple(sorted(texts, key=lambda text: reasons[text] == CRAWLER)),
		tuple(sorted(patterns, key=lambda pattern: reasons[pattern.pattern] == CRAWLER)),
		reasons,
		tuple(_plain(source) for source in sorted(_BARE_NAME_ONLY)),
	)


def _plain(source: str) -> str:
	"""Return the text that an expression without operators stands for."""
	return re.sub(r"\\(.)", r"\1", source)


def _reason(tags: Collection[str]) -> str:
	if "social-preview" in tags:
		return LINK_PREVIEW
	return HEADLESS if "browser-automation" in tags else CRAWLER
