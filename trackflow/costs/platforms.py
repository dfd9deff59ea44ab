"""Where advertisements are booked, under one name each: the names that touch points and campaigns have too. Pure."""

from __future__ import annotations

from trackflow.costs.facts import tidy

GOOGLE, META, LINKEDIN, TIKTOK, MICROSOFT = "Google Ads", "Meta", "LinkedIn", "TikTok", "Microsoft Ads"

_NAMES = {
	GOOGLE: "google, google ads, googleads, adwords, google adwords, youtube",
	META: "meta, meta ads, facebook, facebook ads, instagram, instagram ads",
	LINKEDIN: "linkedin, linkedin ads",
	TIKTOK: "tiktok, tik tok, tiktok ads",
	MICROSOFT: "microsoft, microsoft ads, microsoft advertising, bing, bing ads",
	"X": "x, x ads, twitter, twitter ads",
	"Snapchat": "snap, snapchat, snapchat ads",
	"Pinterest": "pinterest, pinterest ads",
	"Reddit": "reddit, reddit ads",
	"Quora": "quora, quora ads",
	"Amazon Ads": "amazon, amazon ads",
}
_BY_NAME = {name: platform for platform, names in _NAMES.items() for name in names.split(", ")}


def platform_of(text: str) -> str:
	"""The platform as it is stored; one that nobody knows keeps its name."""
	text = tidy(text)
	return _BY_NAME.get(text.casefold(), text)
