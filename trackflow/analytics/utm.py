"""Judges campaign tags: what is misspelt, inconsistent, empty, a placeholder, unknown, or nobody's business (RPT-2). Pure.

Says what it found in terms; `utm_words` makes sentences of them. A value is one whichever its case where rules look at channels, as
`channels` reads it; differences of case are findings of their own. What is known to us is never misspelt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from trackflow.tracking import channels, sources

SOURCE, MEDIUM, CAMPAIGN, TERM, CONTENT = TAGS = ("source", "medium", "campaign", "term", "content")
# In the order in which a value is looked at; one that is none at all is not judged further.
(
	PERSONAL, PLACEHOLDER, ENCODING, SPACES, CASE, SPELLINGS, MISSPELT, SWAPPED, NO_SOURCE, NO_MEDIUM, UNKNOWN_MEDIUM, UNKNOWN_CAMPAIGN,
	UNTAGGED_AD, CONTRADICTION,
) = KINDS = (
	"personal", "placeholder", "encoding", "spaces", "case", "spellings", "misspelt", "swapped", "no_source", "no_medium",
	"unknown_medium", "unknown_campaign", "untagged_ad", "contradiction",
)  # fmt: skip

# Media that Google's channels and their users know; ours come with the campaigns.
MEDIA = frozenset(
	{
		"affiliate", "affiliates", "ai-assistant", "app", "audio", "banner", "cpa", "cpc", "cpm", "cpv", "display", "email",
		"expandable", "interstitial", "link", "mobile", "notification", "organic", "paid", "paid-search", "paid-social",
		"paid_search", "paid_social", "podcast", "ppc", "print", "push", "qr", "referral", "remarketing", "retargeting", "sms", "social",
		"social-media", "social-network", "video",
	}
)  # fmt: skip
# Media that sources are called too: no sign that two tags were swapped.
_BOTH = frozenset({"sms", "push", "app", "print", "podcast", "affiliate", "qr", "newsletter"})
SOURCES = sources.NAMES | {"newsletter", "newsletters", "email", "mail", "gmail", "direct", "link", "sms"}

_EMAIL = re.compile(r"[^\s@=&/]+(?:@|%40)[^\s@=&/]+\.[a-z]{2,}", re.IGNORECASE)
_TEMPLATE = re.compile(
	r"\{[^{}]*\}?|%7B.*|\$\{?\w+\}|\[[\w .-]+\]|<[\w .-]+>|‹[\w .-]+>?|__[A-Z_]+__|%[A-Z_]{3,}%",
	re.IGNORECASE | re.DOTALL,
)
_NOTHING_SAID = frozenset(
	{
		"undefined", "null", "nan", "none", "n/a", "na", "tbd", "todo", "xxx", "placeholder", "not set", "(not set)", "(none)",
		"[object object]", "source", "medium", "campaign", "utm_source", "utm_medium", "utm_campaign", "your_campaign",
		"campaign_name", "campaignname", "lorem ipsum",
	}
)  # fmt: skip
_REMAINS = re.compile(r"%[0-9a-f]{2}|&(?:amp|#\d+|quot|lt|gt);|\ufffd|Ã[\x80-\xbf]|â€", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s_.+-]+")
_DIGITS = re.compile(r"\d+")
# Letters that may be wrong in words of some length.
_SHORT, _LONG = 4, 8


class Tags(NamedTuple):
	"""Tags that came together, with the click id beside them ("" for none), and the sessions that came with them."""

	source: str
	medium: str
	campaign: str
	click_id: str
	sessions: int
	example: str = ""


class Value(NamedTuple):
	"""A value of one tag, with its sessions."""

	text: str
	sessions: int
	example: str = ""


@dataclass(frozen=True, slots=True)
class Known:
	"""What is ours: sources and media of our campaigns, their ids, and the platforms' ids of them."""

	sources: Collection[str] = ()
	media: Collection[str] = ()
	campaigns: Collection[str] = ()

	def of(self, tag: str) -> dict[str, str]:
		"""The values of a tag that are no mistakes, as they are spelled, by their lower case."""
		ours = {SOURCE: self.sources, MEDIUM: self.media, CAMPAIGN: self.campaigns}.get(tag, ())
		common = {SOURCE: SOURCES, MEDIUM: MEDIA}.get(tag, frozenset())
		return {one: one for one in common} | {one.casefold(): one for one in ours if one}


@dataclass(frozen=True, slots=True)
class Finding:
	"""Something to look at: a kind of KINDS, the tag ("" for the visit as a whole), its value, and what would be better ("" where
	only people know). `because` is what it was told from, by kind."""

	kind: str
	tag: str
	value: str
	sessions: int
	example: str = ""
	suggestion: str = ""
	because: Mapping[str, str] = field(default_factory=dict)


def findings(
	tagged: Iterable[Tags], known: Known, terms: Iterable[Value] = (), contents: Iterable[Value] = ()
) -> list[Finding]:
	"""All there is to say of these tags, most sessions first."""
	tagged = list(tagged)
	by_tag: dict[str, list[Value]] = {
		SOURCE: _values((one.source, one.sessions, one.example) for one in tagged),
		MEDIUM: _values((one.medium, one.sessions, one.example) for one in tagged),
		CAMPAIGN: _values((one.campaign, one.sessions, one.example) for one in tagged),
		TERM: _values(terms),
		CONTENT: _values(contents),
	}
	found: list[Finding] = []
	broken: dict[str, set[str]] = {}
	for tag, values in by_tag.items():
		of_tag = list(_of_values(tag, values, known.of(tag)))
		found += of_tag
		broken[tag] = {one.value for one in of_tag}
	found += _together(_of_visits(tagged, known, broken))
	return sorted(found, key=lambda one: (-one.sessions, KINDS.index(one.kind), one.tag, one.value))


def masked(text: str) -> str:
	"""A text whose e-mail addresses name nobody."""
	return _EMAIL.sub("…@…", text)


def _of_values(tag: str, values: list[Value], known: Mapping[str, str]) -> Iterator[Finding]:
	"""What can be said of a tag's values by themselves: the worst of each, and what they are among others."""
	sound: list[Value] = []
	for value in values:
		kind = _broken(value.text)
		if kind:
			yield Finding(kind, tag, *_mended(kind, value))
		else:
			sound.append(value)
	if tag in (TERM, CONTENT):
		# Words of searches and names of adverts are as they are.
		return
	spelled = list(_spellings(tag, sound, known))
	yield from spelled
	told = {one.value for one in spelled}
	yield from _misspelt(tag, [value for value in sound if value.text not in told], known)


def _broken(text: str) -> str:
	"""What makes a value none at all, "" where it is one."""
	if _EMAIL.search(text):
		return PERSONAL
	if text.strip().casefold() in _NOTHING_SAID or _TEMPLATE.search(text):
		return PLACEHOLDER
	if _REMAINS.search(text):
		return ENCODING
	return SPACES if _has_spaces(text) else ""


def _has_spaces(text: str) -> bool:
	return text != text.strip() or bool(re.search(r"\s", text))


def _mended(kind: str, value: Value) -> tuple[str, int, str, str]:
	"""Value, sessions, example and suggestion of what is broken."""
	suggestion = _SEPARATORS.sub("-", value.text.strip()).strip("-").lower() if kind == SPACES else ""
	return value.text, value.sessions, value.example, suggestion


def _spellings(tag: str, values: list[Value], known: Mapping[str, str]) -> Iterator[Finding]:
	"""Values that differ in case or in what stands between their words: all but the one that is known, or that most sessions have."""
	alike: dict[str, list[Value]] = defaultdict(list)
	for value in values:
		alike[_SEPARATORS.sub("", value.text.casefold())].append(value)
	for some in alike.values():
		best = max(some, key=lambda one: (one.sessions, one.text.islower(), one.text)).text
		right = next((known[key] for one in some if (key := one.text.casefold()) in known), best)
		for one in some:
			if one.text != right and not (
				one.text.casefold() in known and one.text.casefold() != right.casefold()
			):
				kind = CASE if one.text.casefold() == right.casefold() else SPELLINGS
				yield Finding(kind, tag, one.text, one.sessions, one.example, right)


def _misspelt(tag: str, values: list[Value], known: Mapping[str, str]) -> Iterator[Finding]:
	choices = sorted(known)
	for value in values:
		if near := nearest(value.text.casefold(), choices, known):
			yield Finding(MISSPELT, tag, value.text, value.sessions, value.example, known[near])


def nearest(text: str, choices: list[str], known: Collection[str]) -> str:
	"""The known value that a text is a slip of; "" for none, and for a known one. Another number is no slip."""
	if text in known or len(text) < _SHORT:
		return ""
	wrong = 1 if len(text) < _LONG else 2
	# All that are near, by a library: there may be thousands of choices. What else speaks against them is asked of these few.
	near = process.extract(text, choices, scorer=OSA.distance, score_cutoff=wrong, limit=None)
	return next((one for one, _distance, _place in near if _may_be_meant(one, text)), "")


def _may_be_meant(one: str, text: str) -> bool:
	# A word of some letters is not another one's misspelling.
	has_letters, numbers = len(one) >= _SHORT, _DIGITS.findall(one)
	return has_letters and numbers == _DIGITS.findall(text) and not _differs_in_short_words(one, text)


def _differs_in_short_words(one: str, other: str) -> bool:
	"""Whether a word of few letters is another one: countries, variants (`sale-us`, `sale-uk`)."""
	some, others = _SEPARATORS.split(one), _SEPARATORS.split(other)
	return len(some) == len(others) > 1 and any(
		word != beside and max(len(word), len(beside)) < _SHORT
		for word, beside in zip(some, others, strict=True)
	)


def _of_visits(tagged: list[Tags], known: Known, broken: Mapping[str, Collection[str]]) -> Iterator[Finding]:
	"""What can be said of tags that came together."""
	campaigns, media, ours = known.of(CAMPAIGN), known.of(MEDIUM), {one.casefold() for one in known.sources}
	for one in tagged:
		if not (one.source or one.medium or one.campaign):
			if one.click_id:
				yield _finding(UNTAGGED_AD, "", one.click_id, one, click_id=one.click_id)
			continue
		if not one.source:
			yield _finding(NO_SOURCE, SOURCE, "", one)
		if not one.medium:
			yield _finding(NO_MEDIUM, MEDIUM, "", one)
		yield from _swapped(one, media, ours)
		if (
			one.medium
			and one.medium not in broken[MEDIUM]
			and _fits_no_channel(one)
			and not _is_source(one.medium)
		):
			yield _finding(UNKNOWN_MEDIUM, MEDIUM, one.medium, one)
		if _is_strange(one.campaign, campaigns) and one.campaign not in broken[CAMPAIGN]:
			yield _finding(UNKNOWN_CAMPAIGN, CAMPAIGN, one.campaign, one)
		yield from _contradiction(one)


def _swapped(one: Tags, media: Collection[str], ours: Collection[str]) -> Iterator[Finding]:
	source, medium = one.source.casefold(), one.medium.casefold()
	if source in media and source not in ours | _BOTH and not channels.is_email(source, ""):
		yield _finding(SWAPPED, SOURCE, one.source, one, is_a=MEDIUM)
	if _is_source(medium) and medium not in media:
		yield _finding(SWAPPED, MEDIUM, one.medium, one, is_a=SOURCE)


def _is_source(text: str) -> bool:
	return sources.site_of_source(text) is not None


def _fits_no_channel(one: Tags) -> bool:
	reason = channels.reason(
		one.source, one.medium, one.campaign, "", {one.click_id: "1"} if one.click_id else None
	)
	return reason.by == channels.NO_RULE


def _is_strange(campaign: str, known: Collection[str]) -> bool:
	"""Where no campaign is known to us, none is strange."""
	return bool(campaign and known) and campaign.casefold() not in known


def _contradiction(one: Tags) -> Iterator[Finding]:
	"""A click id that only advertisements carry, beside tags that say another platform, or that nobody paid. Meta's is on
	every link out, so it contradicts nothing."""
	platform = channels.CLICK_IDS.get(one.click_id, "")
	if not platform or one.click_id == "fbclid":
		return
	site = sources.site_of_source(one.source.casefold()) if one.source else None
	if site and site.platform and site.platform != platform:
		yield _finding(CONTRADICTION, SOURCE, one.source, one, click_id=one.click_id, platform=platform)
	elif one.medium and not channels.is_paid(one.medium):
		yield _finding(CONTRADICTION, MEDIUM, one.medium, one, click_id=one.click_id, platform=platform)


def _finding(kind: str, tag: str, value: str, one: Tags, **because: str) -> Finding:
	return Finding(kind, tag, value, one.sessions, one.example, because=because)


def _together(some: Iterable[Finding]) -> list[Finding]:
	"""Equal findings of several visits as one, with the sessions of all."""
	found: dict[tuple[object, ...], Finding] = {}
	for one in some:
		key = (one.kind, one.tag, one.value, tuple(sorted(one.because.items())))
		known = found.get(key)
		sessions = one.sessions + (known.sessions if known else 0)
		example = (known.example if known else "") or one.example
		found[key] = Finding(one.kind, one.tag, one.value, sessions, example, "", one.because)
	return list(found.values())


def _values(rows: Iterable[tuple[str, int, str]]) -> list[Value]:
	"""Each value once, with all its sessions; without those that say nothing."""
	sums: dict[str, Value] = {}
	for text, sessions, example in rows:
		if text:
			former = sums.get(text)
			sums[text] = Value(
				text,
				sessions + (former.sessions if former else 0),
				(former.example if former else "") or example,
			)
	return list(sums.values())
