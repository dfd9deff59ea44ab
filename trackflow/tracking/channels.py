"""Channels: what kind of marketing a visit came through, by GA4's default channel grouping and AI assistants (TCH-1).

Promises one channel for every visit, by the first rule that fits in Google's published order. Never guesses payment:
a visit is paid if its medium says so or its click id proves it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from trackflow.tracking.sources import (
	ASSISTANT,
	SEARCH,
	SHOPPING,
	SOCIAL,
	VIDEO,
	Site,
	host_of_app,
	site_of_host,
	site_of_source,
)

# The parameter that an advertising platform adds to the landing page, in the order in which they are believed.
CLICK_IDS: Mapping[str, str] = {
	"gclid": "Google Ads",
	"gbraid": "Google Ads",
	"wbraid": "Google Ads",
	"fbclid": "Meta",
	"msclkid": "Microsoft Ads",
	"ttclid": "TikTok",
	"twclid": "X",
	"li_fat_id": "LinkedIn",
	"sc_click_id": "Snapchat",
}

CHANNELS = (
	"Direct", "Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Display", "Paid Other",
	"AI Assistant", "Organic Shopping", "Organic Social", "Organic Video", "Organic Search", "Referral", "Email",
	"Affiliates", "Audio", "SMS", "Mobile Push Notifications", "Unassigned",
)  # fmt: skip

# Meta puts its id on every outbound link, posts of friends included: it proves the place, not the payment.
_UNPAID_CLICK_IDS = frozenset({"fbclid"})
_SOURCE_OF_PLATFORM: Mapping[str, str] = {
	"Google Ads": "google",
	"Meta": "facebook",
	"Microsoft Ads": "bing",
	"TikTok": "tiktok",
	"X": "twitter",
	"LinkedIn": "linkedin",
	"Snapchat": "snapchat",
}

# The expressions and lists of Google's definitions, on lower case.
_PAID = re.compile(r"^(.*cp.*|ppc|retargeting|paid.*)$")
_SHOPPING_CAMPAIGN = re.compile(r"^(.*(([^a-df-z]|^)shop|shopping).*)$")
_DISPLAY_MEDIA = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL_MEDIA = frozenset(
	{"social", "social-network", "social-media", "sm", "social network", "social media"}
)
_REFERRAL_MEDIA = frozenset({"referral", "app", "link"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})
_ASSISTANT_MEDIUM = "ai-assistant"

_DIRECT_SOURCES = frozenset({"(direct)", "direct"})
_NOTHING = frozenset({"", "(not set)", "(none)", "none"})

_PAID_BY_CATEGORY = {
	SHOPPING: "Paid Shopping",
	SEARCH: "Paid Search",
	SOCIAL: "Paid Social",
	VIDEO: "Paid Video",
}

ClickIds = Mapping[str, str] | Iterable[tuple[str, str]] | None


def is_email(source: str, medium: str) -> bool:
	"""Whether the parameters, in lower case, say that a message led here."""
	return source in _EMAIL or medium in _EMAIL


class Reason(NamedTuple):
	"""Why a visit has its channel: by which of BY, and what that was read from, in lower case.

	`category` is the list of sources that the source is on; `click_id` the parameter that had a say in source or medium; both ""
	for none.
	"""

	channel: str
	by: str
	source: str
	medium: str
	campaign: str
	category: str
	click_id: str


# What decides: that there is nothing to decide by; one of the three, or two of them together; payment alone; no rule.
BY = NOTHING, CAMPAIGN, SOURCE, MEDIUM, PAID_SOURCE, PAID_CAMPAIGN, PAID, NO_RULE = (
	"nothing", "campaign", "source", "medium", "paid source", "paid campaign", "paid", "no rule",
)  # fmt: skip


def classify(source: str, medium: str, campaign: str, referrer: str, click_ids: ClickIds = None) -> str:
	"""Return the channel of a visit: one of CHANNELS.

	`source`, `medium`, `campaign` are what the address or the link says, `referrer` is the outside page the visitor
	came from, `click_ids` are the platforms' ids by parameter. Case makes no difference.
	"""
	return reason(source, medium, campaign, referrer, click_ids).channel


def reason(source: str, medium: str, campaign: str, referrer: str, click_ids: ClickIds = None) -> Reason:
	"""Return the channel of a visit and why it is that; see `classify`."""
	source, medium, campaign = _plain(source), _plain(medium), _plain(campaign)
	if not source and medium in _NOTHING:
		source, from_referrer = source_of_referrer(referrer)
		medium = from_referrer or medium
	elif not source:
		source = source_of_referrer(referrer)[0]
	source, medium, click_id = _with_click_id(source, medium, click_ids)
	if medium in _NOTHING and (source in _DIRECT_SOURCES or not (source or campaign)):
		return Reason("Direct", SOURCE if source else NOTHING, source, medium, campaign, "", click_id)
	channel, by = _by_rules(source, medium, campaign)
	site = site_of_source(source)
	return Reason(channel, by, source, medium, campaign, site.category if site else "", click_id)


def platform(source: str, medium: str, click_ids: ClickIds, referrer: str = "") -> str:
	"""Return the advertising platform of a visit by its click id, else by the source of a paid one; "" for none."""
	for parameter in _parameters(click_ids):
		return CLICK_IDS[parameter]
	if not is_paid(medium):
		return ""
	site = site_of_source(_plain(source) or source_of_referrer(referrer)[0])
	return site.platform if site else ""


def is_paid(medium: str) -> bool:
	"""Tell whether a medium says that somebody paid for the visit."""
	medium = _plain(medium)
	return medium in _DISPLAY_MEDIA or _PAID.match(medium) is not None


def source_of_referrer(referrer: str, own_hosts: Collection[str] = ()) -> tuple[str, str]:
	"""Return source and medium of an outside referrer; ("", "") for none, for the own site, and for what is no page.

	A search engine gives its name and "organic", an assistant "ai-assistant", everything else "referral"; the hosts
	of one network (l.facebook.com, m.facebook.com) give one source.
	"""
	host = _host_of(referrer)
	if not host or _is_own(host, own_hosts):
		return "", ""
	site = site_of_host(host)
	if site is None:
		return host.removeprefix("www."), "referral"
	if site.category == SEARCH:
		return site.name, "organic"
	return site.domain, _ASSISTANT_MEDIUM if site.category == ASSISTANT else "referral"


@lru_cache(maxsize=8192)
def _by_rules(source: str, medium: str, campaign: str) -> tuple[str, str]:
	"""Apply Google's rules in their order; the assistants come where nobody has paid and before all other lists."""
	site = site_of_source(source)
	if "cross-network" in campaign:
		return "Cross-network", CAMPAIGN
	return _paid(site, medium, campaign) or _unpaid(site, source, medium, campaign)


def _paid(site: Site | None, medium: str, campaign: str) -> tuple[str, str] | None:
	paid = _PAID.match(medium) is not None
	category = site.category if site else ""
	if paid and category == SHOPPING:
		return "Paid Shopping", PAID_SOURCE
	if paid and _SHOPPING_CAMPAIGN.match(campaign):
		return "Paid Shopping", PAID_CAMPAIGN
	if paid and category in _PAID_BY_CATEGORY:
		return _PAID_BY_CATEGORY[category], PAID_SOURCE
	if medium in _DISPLAY_MEDIA:
		return "Display", MEDIUM
	return ("Paid Other", PAID) if paid else None


def _unpaid(site: Site | None, source: str, medium: str, campaign: str) -> tuple[str, str]:
	category = site.category if site else ""
	rules = (
		("AI Assistant", SOURCE, category == ASSISTANT),
		("AI Assistant", MEDIUM, medium == _ASSISTANT_MEDIUM),
		("Organic Shopping", SOURCE, category == SHOPPING),
		("Organic Shopping", CAMPAIGN, _SHOPPING_CAMPAIGN.match(campaign)),
		("Organic Social", SOURCE, category == SOCIAL),
		("Organic Social", MEDIUM, medium in _SOCIAL_MEDIA),
		("Organic Video", SOURCE, category == VIDEO),
		("Organic Video", MEDIUM, "video" in medium),
		("Organic Search", SOURCE, category == SEARCH),
		("Organic Search", MEDIUM, medium == "organic"),
		("Referral", MEDIUM, medium in _REFERRAL_MEDIA),
		("Email", MEDIUM, is_email("", medium)),
		("Email", SOURCE, is_email(source, "")),
		("Affiliates", MEDIUM, medium == "affiliate"),
		("Audio", MEDIUM, medium == "audio"),
		("SMS", MEDIUM, medium == "sms"),
		("SMS", SOURCE, source == "sms"),
		("Mobile Push Notifications", MEDIUM, _is_push(medium)),
		("Mobile Push Notifications", SOURCE, source == "firebase"),
	)
	return next(((channel, by) for channel, by, applies in rules if applies), ("Unassigned", NO_RULE))


def _is_push(medium: str) -> bool:
	return medium.endswith("push") or "mobile" in medium or "notification" in medium


def _with_click_id(source: str, medium: str, click_ids: ClickIds) -> tuple[str, str, str]:
	"""Return source and medium as the click id corrects them, and which: one that only advertisements carry proves payment."""
	parameters = _parameters(click_ids)
	proof = next((parameter for parameter in parameters if parameter not in _UNPAID_CLICK_IDS), "")
	if proof and not is_paid(medium):
		return _SOURCE_OF_PLATFORM[CLICK_IDS[proof]], "cpc", proof
	if parameters and not source:
		return _SOURCE_OF_PLATFORM[CLICK_IDS[parameters[0]]], medium, parameters[0]
	return source, medium, ""


def _parameters(click_ids: ClickIds) -> list[str]:
	"""Return the parameters that carry an id, in the order in which they are believed."""
	if not click_ids:
		return []
	pairs = click_ids.items() if isinstance(click_ids, Mapping) else click_ids
	given = {str(name).lower() for name, value in pairs if value}
	return [parameter for parameter in CLICK_IDS if parameter in given]


def _plain(text: str | None) -> str:
	return (text or "").strip().casefold()


def _host_of(referrer: str | None) -> str:
	try:
		parts = urlsplit((referrer or "").strip())
		host = (parts.hostname or "").rstrip(".")
	except ValueError:
		return ""
	if parts.scheme == "android-app":
		return host_of_app(host)
	return host if parts.scheme in ("http", "https") else ""


def _is_own(host: str, own_hosts: Collection[str]) -> bool:
	"""Tell whether a host is one of the own ones or below it."""
	if not own_hosts:
		return False
	own = _own(frozenset(own_hosts))
	labels = host.removeprefix("www.").split(".")
	return any(".".join(labels[index:]) in own for index in range(len(labels)))


@lru_cache(maxsize=256)
def _own(hosts: frozenset[str]) -> frozenset[str]:
	"""Return own hosts without case, port and "www."."""
	plain = (_host_of(host if "://" in host else f"https://{host}") for host in hosts)
	return frozenset(host.removeprefix("www.") for host in plain if host)
