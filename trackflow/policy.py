"""What the settings and domains say, as plain values: what requests and drains are decided by. Pure."""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple, Protocol

Network = IPv4Network | IPv6Network


class Place(NamedTuple):
	"""Where somebody is: the country's two capital letters, region and city in English; "" where not known."""

	country: str = ""
	region: str = ""
	city: str = ""


NOWHERE = Place()


class PlaceFinder(Protocol):
	"""What knows the places of addresses."""

	def find(self, address: str) -> Place: ...


@dataclass(frozen=True, slots=True)
class Domain:
	"""One Domain Configuration: a short-link host and/or a website with a public key."""

	name: str
	public_key: str
	primary: bool
	enabled: bool
	ssl: bool
	privacy_level: str
	consent_required: bool
	consent_default: str
	collect_address: bool
	hash_address: bool
	allowed_origins: tuple[str, ...]
	not_found_url: str
	custom_css: str
	headers: tuple[tuple[str, str], ...]
	# The website script's, by attribute of its tag.
	script_options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
	"""One TrackFlow API Key: what it may do, as whom, from where, until when (seconds since 1970), how often.

	`scopes` by name, each with the domains it is narrowed to (none: all). `limits` are (requests, seconds). The hash is of a
	long random secret and gives nothing away.
	"""

	name: str
	prefix: str
	secret_hash: str
	user: str
	domain: str
	scopes: dict[str, frozenset[str]]
	networks: tuple[Network, ...]
	expires_at: float | None
	is_active: bool
	limits: tuple[tuple[int, int], ...]


class FormSync(NamedTuple):
	"""Forms are synced to that CRM, so long after they were sent."""

	provider: str
	delay: timedelta


@dataclass(frozen=True, slots=True)
class Webhook:
	"""An event that is told to an address of an API key, as far as its user may read it; until when (seconds since 1970)."""

	name: str
	event: str
	key: str
	user: str
	expires_at: float | None


@dataclass(frozen=True, slots=True)
class Config:
	"""The settings that requests and drains need. Times are timedeltas, networks are parsed, the time zone is the site's."""

	enabled: bool
	cookie_days: int
	consent_required: bool
	gdpr: bool
	honour_do_not_track: bool
	mask_addresses: bool
	exclude_internal: bool
	add_click_id: bool
	session_timeout: timedelta
	attribution_window_days: int
	default_model: str
	primary_domain: str
	engagement_points: dict[str, float]
	engagement_half_life_days: int
	consent_policy_version: str
	internal_networks: tuple[Network, ...]
	trusted_proxies: tuple[Network, ...]
	time_zone: str
	place_file: PlaceFinder | None = None
	collect_form_values: bool = False
	form_sync: FormSync | None = None
	tags_own_pages: bool = False
	consent_text: str = ""
	privacy_policy_link: str = ""
	cookie_policy_link: str = ""
	domains: dict[str, Domain] = field(default_factory=dict)
	keys: dict[str, str] = field(default_factory=dict)
	blocked_addresses: tuple[Network, ...] = ()
	# By field of the settings; 0 is no limit.
	limits: dict[str, int] = field(default_factory=dict)
	# By prefix.
	api_keys: dict[str, ApiKey] = field(default_factory=dict)
	# By event: those of keys that are switched on, paused or not.
	webhooks: dict[str, tuple[Webhook, ...]] = field(default_factory=dict)

	def domain_of(self, host: str) -> Domain | None:
		"""The configured domain of a host (with or without port), or None."""
		host = host.lower()
		domain = self.domains.get(host)
		return self.domains.get(host.rpartition(":")[0]) if domain is None and ":" in host else domain

	def website_of(self, host: str) -> Domain | None:
		"""The configured domain that a host is, or is a subdomain of."""
		if (domain := self.domain_of(host)) is not None:
			return domain
		bare = host.lower().rpartition("@")[2].partition(":")[0]
		own = (one for one in self.domains.values() if bare.endswith(f".{one.name.partition(':')[0]}"))
		return next(own, None)

	def domain_of_key(self, public_key: str) -> Domain | None:
		"""The configured domain with that public key, or None."""
		return self.domains.get(self.keys.get(public_key, ""))
