"""Who asks, and what may be kept of it: the one place where a request becomes plain, privacy-checked values.

`Incoming` is a request without a framework; `recognise` says who the caller is under the settings. Pure: the day's key
comes in as an argument, nothing is read or stored here. What privacy forbids is not in the result at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType

import msgspec

from trackflow.places import place_of
from trackflow.policy import Config, Domain, Place
from trackflow.tracking import agents, identity

VISITOR_COOKIE = "trackflow_visitor"
CONSENT_COOKIE = "trackflow_consent"
GRANTED, DENIED = "granted", "denied"
# What a form on a page of ours may weigh; longer ones are not read.
MAX_FORM = 4096
# What WSGI names otherwise than other headers.
_BODY_HEADERS = (("content-type", "CONTENT_TYPE"), ("content-length", "CONTENT_LENGTH"))


class Incoming(msgspec.Struct, frozen=True, gc=False):
	"""A request as plain values: `headers` with lower-case names, `query` as it came, `peer` the socket's address, `form`
	what a POST brought as a form, `body_size` its bytes."""

	method: str
	scheme: str
	host: str
	path: str
	query: str
	headers: Mapping[str, str]
	cookies: Mapping[str, str]
	peer: str
	form: Mapping[str, str] = MappingProxyType({})
	body_size: int = 0

	@classmethod
	def of(cls, request: "object") -> "Incoming":
		"""From a Werkzeug request."""
		environ = request.environ
		headers = {
			name[5:].replace("_", "-").lower(): value
			for name, value in environ.items()
			if name.startswith("HTTP_")
		}
		headers |= {name: environ[key] for name, key in _BODY_HEADERS if environ.get(key)}
		return cls(
			method=request.method,
			scheme=scheme_of(headers.get("x-forwarded-proto", ""), request.scheme),
			host=(request.host or "").lower(),
			path=request.path,
			query=request.query_string.decode("latin-1"),
			headers=headers,
			cookies=request.cookies,
			peer=environ.get("REMOTE_ADDR") or "",
			**(_body(request) if request.method == "POST" else {}),
		)


class Caller(msgspec.Struct, frozen=True, gc=False):
	"""What may be known of whoever asks.

	`address` and `user_agent` are what may be stored (empty where privacy says so). `device` is described here only where
	the user agent may not be kept: else the drain does it, which has the time.
	`may_set_cookie` says whether `visitor_id` may be put into a cookie; a cookieless id never is.
	"""

	visitor_id: str
	is_cookieless: bool
	may_set_cookie: bool
	address: str
	user_agent: str
	device: agents.Agent | None
	bot_reason: str
	is_internal: bool
	place: Place

	def as_record(self) -> dict[str, object]:
		"""The caller's part of a click or event record."""
		record = {
			"visitor": self.visitor_id,
			"cookieless": self.is_cookieless,
			"address": self.address,
			"user_agent": self.user_agent,
			"is_bot": bool(self.bot_reason),
			"bot_reason": self.bot_reason,
			"is_internal": self.is_internal,
			"country": self.place.country,
			"region": self.place.region,
			"city": self.place.city,
		}
		return record | asdict(self.device) if self.device else record


def recognise(
	incoming: Incoming,
	config: Config,
	domain: Domain | None,
	day_key: Callable[[], bytes],
	claimed_id: str = "",
	consent: str = "",
	sets_cookie: bool = True,
	address: str | None = None,
) -> Caller:
	"""Recognise the caller of `incoming` on `domain` (RED-4, RED-5, COL-7).

	`claimed_id` is a visitor id that the request itself names (the script sends one), `consent` its "granted" or
	"denied"; both default to the cookies. Without `sets_cookie` the answer cannot carry an id, so none is made up.
	`day_key` gives the day's secret and is only called where it is needed. `address` is `client_address`, from whoever has
	asked for it already.
	"""
	headers, cookies = incoming.headers, incoming.cookies
	consent = consent or cookies.get(CONSENT_COOKIE, "")
	user_agent = headers.get("user-agent", "")[:512]
	if address is None:
		address = client_address(incoming, config)
	untracked = config.honour_do_not_track and asks_not_to_be_tracked(headers)
	may_set_cookie = not untracked and _has_consent(consent, config, domain)
	known_id = claimed_id or cookies.get(VISITOR_COOKIE, "")
	is_known = bool(known_id) and identity.is_visitor_id(known_id)
	is_cookieless = not may_set_cookie or not (is_known or sets_cookie)
	level = domain.privacy_level if domain else ("GDPR" if config.gdpr else "Standard")
	key = b""
	if is_cookieless:
		key = day_key()
		# The host is the fallback for hosts without a configuration: ids never join across sites.
		visitor_id = identity.cookieless_id(
			key, domain.name if domain else incoming.host, address, user_agent
		)
	else:
		visitor_id = known_id if is_known else identity.new_visitor_id()
	return Caller(
		visitor_id,
		is_cookieless,
		may_set_cookie,
		"" if untracked else _storable_address(address, level, config, domain, is_cookieless, key, day_key),
		"" if level == "HIPAA" else user_agent,
		agents.describe(user_agent) if level == "HIPAA" else None,
		agents.bot_reason(user_agent, headers),
		identity.is_private(address) or identity.in_ranges(address, config.internal_networks),
		_storable_place(place_of(incoming.peer, headers, address, config), level, domain, untracked),
	)


def client_address(incoming: Incoming, config: Config) -> str:
	"""Whose request it is, by what trusted proxies say. Not to be kept: what may be is in the Caller."""
	return identity.client_address(incoming.peer, incoming.headers, config.trusted_proxies)


def country(incoming: Incoming, config: Config) -> str:
	"""The caller's country in two small letters, "" where nobody knows it."""
	address = client_address(incoming, config)
	return place_of(incoming.peer, incoming.headers, address, config).country.lower()


def _body(request: "object") -> dict[str, object]:
	# The host may have read it: then the form is what is left of it.
	size = max(request.content_length or 0, len(request.get_data()))
	return {"body_size": size, "form": {} if size > MAX_FORM else request.form.to_dict()}


def scheme_of(forwarded: str, own: str) -> str:
	"""What the visitor spoke with the outermost proxy, if that is said and is one of two words."""
	outermost = forwarded.partition(",")[0].strip().lower()
	return outermost if outermost in ("http", "https") else own


def asks_not_to_be_tracked(headers: Mapping[str, str]) -> bool:
	return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"


def _has_consent(consent: str, config: Config, domain: Domain | None) -> bool:
	if consent == DENIED:
		return False
	# A domain may ask less than the settings, never more: the switch for the whole site stands in the settings.
	required = config.consent_required and (domain is None or domain.consent_required)
	opt_out = domain is not None and domain.consent_default == "Opt-out"
	return not required or opt_out or consent == GRANTED


def _storable_address(
	address: str,
	level: str,
	config: Config,
	domain: Domain | None,
	is_cookieless: bool,
	known_key: bytes,
	day_key: Callable[[], bytes],
) -> str:
	"""What may be kept of an address. `known_key` is the day's key where it was asked for already."""
	if level == "HIPAA" or (domain and not domain.collect_address):
		return ""
	if level == "GDPR" or (domain and domain.hash_address):
		return identity.hash_address(address, known_key or day_key(), is_cookieless)
	return identity.mask_address(address) if config.mask_addresses else address


def _storable_place(place: Place, level: str, domain: Domain | None, untracked: bool) -> Place:
	"""What may be kept of a place: region and city tell more than a country, and follow the rules of the address."""
	is_coarse = untracked or level == "HIPAA" or (domain is not None and not domain.collect_address)
	return Place(place.country) if is_coarse else place
