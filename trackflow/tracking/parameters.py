"""What an address says: its host, its campaign parameters, its click ids. Pure; no address is too broken to be asked."""

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl, urlsplit

from trackflow.links.destination import ascii_host
from trackflow.remembering import remembered
from trackflow.tracking.channels import CLICK_IDS

UTM_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# The signed id of the click on a short link that led here (RED-6).
CLICK_PARAMETER = "tfclid"
# What advertising platforms are told to add to a page's address, by field of Visitor Session.
AD_PARAMETERS = {
	"campaign_region": ("campaign_region",),
	"ad_group": ("ad_group", "adgroup", "adgroup_id", "adgroupid"),
	"ad_id": ("ad_id", "adid"),
	"search_query": ("search_query",),
}
AD_FIELDS = tuple(AD_PARAMETERS)
# The campaign by the name that the platform gives it: GA4's parameter, Google's own, and the common spellings.
EXTERNAL_IDS = ("utm_id", "gad_campaignid", "campaign_id", "campaignid")
_AD_NAMES = frozenset(name for names in AD_PARAMETERS.values() for name in names)
_MARKETING = frozenset((CLICK_PARAMETER, *UTM_FIELDS, *CLICK_IDS, *_AD_NAMES, *EXTERNAL_IDS))
# What is kept of a parameter: what a Data field holds, and more of a click id, which is none when it is cut.
LENGTH = 140
CLICK_ID_LENGTH = 512
_NOTHING: Mapping[str, str] = {}


def host_of(url: str) -> str:
	"""The host of an address as browsers spell it, lower-case, in punycode and without port; "" where there is none."""
	try:
		host = urlsplit(url).hostname or ""
	except ValueError:
		return ""
	return host if host.isascii() else ascii_host(host)


def utm_of(*urls: str) -> Mapping[str, str]:
	"""The campaign parameters of the first of these addresses that has any; the same object for the same address."""
	for url in urls:
		if found := _utm_of(url):
			return found
	return _NOTHING


@remembered(1024)
def _utm_of(url: str) -> dict[str, str]:
	return _values_of(UTM_FIELDS, url, LENGTH)


def click_ids_of(*urls: str) -> dict[str, str]:
	"""The platforms' click ids of the first of these addresses that has any."""
	return next((found for url in urls if (found := _values_of(CLICK_IDS, url, CLICK_ID_LENGTH))), {})


def ads_of(*urls: str) -> dict[str, str]:
	"""The ad parameters of the first of these addresses that has any, by field."""
	found = next((found for url in urls if "?" in url and (found := _values_of(_AD_NAMES, url, LENGTH))), {})
	if not found:
		return {}
	named = {
		field: next((found[one] for one in names if found.get(one)), "")
		for field, names in AD_PARAMETERS.items()
	}
	return {field: value for field, value in named.items() if value}


def external_ids_of(*urls: str) -> tuple[str, ...]:
	"""The platforms' ids of the campaign in the first of these addresses that has any."""
	found = next(
		(found for url in urls if "?" in url and (found := _values_of(EXTERNAL_IDS, url, LENGTH))), {}
	)
	return tuple(dict.fromkeys(found[name] for name in EXTERNAL_IDS if found.get(name)))


def click_reference_of(url: str) -> str:
	"""The signed click id of an address, not verified; "" where there is none."""
	return _values_of((CLICK_PARAMETER,), url, LENGTH).get(CLICK_PARAMETER, "")


def marketing_of(url: str) -> dict[str, str]:
	"""All that an address says of what brought the visitor, by parameter."""
	return _values_of(_MARKETING, url, CLICK_ID_LENGTH) if "?" in url else {}


def _values_of(names: Collection[str], url: str, length: int) -> dict[str, str]:
	found: dict[str, str] = {}
	for name, value in _parameters_of(url):
		if name in names:
			found.setdefault(name, value[:length])
	return found


@remembered(1024)
def _parameters_of(url: str) -> tuple[tuple[str, str], ...]:
	"""Names (in lower case) and values; one address is asked for several kinds of them, a link's again and again."""
	try:
		return tuple((name.lower(), value) for name, value in parse_qsl(urlsplit(url).query))
	except ValueError:
		return ()
