"""What the settings and domains say, as one plain value that a request can have without a query.

The snapshot is read from the database once, kept in the cache Redis and dropped whenever a setting, a domain or an API key
is saved. It holds no secret. Readers get frozen values; nothing here decides.
"""

from datetime import timedelta
from functools import partial
from ipaddress import ip_network

import frappe
from frappe.utils import cint, flt, get_system_timezone

from trackflow import __version__, changes, place_file, snapshots
from trackflow.access.stored_keys import stored_keys, webhooks_of
from trackflow.constants.defaults import SETTINGS
from trackflow.policy import Config, Domain, FormSync, Network
from trackflow.tracking.identity import Ranges
from trackflow.tracking.script_options import usable

# With the version: an older snapshot may lack what a newer one has.
CACHE_KEY = f"trackflow:config:{__version__}"
# A snapshot that escaped every invalidation (a restored backup, a hand-edited row) is replaced after this long.
CACHE_SECONDS = 600
# Whoever connects from this very machine is its web server, which says for whom: nobody else can have such an address.
LOOPBACK = ("127.0.0.0/8", "::1")


def get_config() -> Config:
	"""The snapshot, from the cache or else the database."""
	[config] = snapshots.cached(CACHE_KEY)
	if config is None:
		generation = snapshots.generation(CACHE_KEY)
		config = read_config()
		snapshots.keep(CACHE_KEY, generation, config, CACHE_SECONDS)
	return config


def forget_config(*_event: object) -> None:
	"""Drop the snapshot now and again after the commit; running edges are told.

	Also what a document event calls: the site's time zone stands in the System Settings.
	"""
	snapshots.forget([CACHE_KEY], partial(changes.tell, settings=True))


def forget_users_keys(user: "frappe.model.document.Document", *_event: object) -> None:
	"""doc_event of User: a key works while its user is enabled, and so the snapshot says of it."""
	before = user.get_doc_before_save()
	if before and cint(before.enabled) != cint(user.enabled):
		forget_config()


def read_config() -> Config:
	"""Read settings and domains from the database."""
	settings = frappe.get_single("TrackFlow Settings")
	names = frappe.get_all("Domain Configuration", pluck="name", order_by="is_primary desc, name")
	domains = [_domain(frappe.get_doc("Domain Configuration", name)) for name in names]
	keys = stored_keys()
	return Config(
		enabled=bool(cint(settings.enable_tracking)),
		cookie_days=cint(settings.cookie_expires_days),
		consent_required=bool(cint(settings.cookie_consent_required)),
		gdpr=bool(cint(settings.gdpr_compliance_enabled)),
		honour_do_not_track=bool(cint(settings.honour_do_not_track)),
		mask_addresses=bool(cint(settings.anonymize_ip_addresses)),
		exclude_internal=bool(cint(settings.exclude_internal_traffic)),
		add_click_id=bool(cint(settings.add_click_id)),
		session_timeout=timedelta(minutes=cint(settings.session_timeout_minutes) or 30),
		attribution_window_days=cint(settings.attribution_window_days),
		default_model=settings.default_attribution_model or "",
		primary_domain=settings.default_shortlink_domain or next((d.name for d in domains if d.primary), ""),
		engagement_points={
			"PAGE_VIEW": flt(settings.engagement_page_view),
			"CUSTOM": flt(settings.engagement_custom_event),
			"FORM_SUBMIT": flt(settings.engagement_form_submit),
			"CONVERSION": flt(settings.engagement_conversion),
		},
		engagement_half_life_days=cint(settings.engagement_half_life_days) or 30,
		consent_policy_version=settings.consent_policy_version or "",
		internal_networks=_networks(row.ip_range for row in settings.internal_ip_ranges),
		trusted_proxies=_networks([*LOOPBACK, *(settings.trusted_proxies or "").split()]),
		time_zone=get_system_timezone(),
		place_file=place_file.configured(),
		collect_form_values=bool(cint(settings.collect_form_values)),
		form_sync=_form_sync(settings),
		tags_own_pages=bool(cint(settings.track_own_pages)),
		consent_text=settings.cookie_consent_text or "",
		privacy_policy_link=settings.privacy_policy_link or "",
		cookie_policy_link=settings.cookie_policy_link or "",
		domains={domain.name: domain for domain in domains},
		keys={domain.public_key: domain.name for domain in domains},
		blocked_addresses=_networks((settings.blocked_addresses or "").split()),
		limits={name: cint(settings.get(name)) for name in SETTINGS if name.startswith("limit_")},
		api_keys={key.prefix: key for key in keys},
		webhooks=webhooks_of(keys),
	)


def _form_sync(settings: "frappe.model.document.Document") -> FormSync | None:
	delay = timedelta(minutes=cint(settings.sync_delay_minutes))
	return FormSync(settings.sync_provider, delay) if cint(settings.sync_enabled) else None


def _domain(doc: "frappe.model.document.Document") -> Domain:
	return Domain(
		name=doc.domain,
		public_key=doc.public_key,
		primary=bool(cint(doc.is_primary)),
		enabled=bool(cint(doc.enabled)),
		ssl=bool(cint(doc.ssl_enabled)),
		privacy_level=doc.privacy_level or "Standard",
		consent_required=bool(cint(doc.consent_required)),
		consent_default=doc.consent_default or "Opt-in",
		collect_address=bool(cint(doc.collect_address)),
		hash_address=bool(cint(doc.hash_address)),
		allowed_origins=tuple((doc.allowed_origins or "").lower().split()),
		not_found_url=doc.not_found_url or "",
		custom_css=doc.custom_css or "",
		script_options=tuple(usable(frappe.parse_json(doc.tracking_settings) or {}).items()),
		headers=tuple((row.header_name, row.header_value) for row in doc.headers),
	)


def _networks(ranges) -> tuple[Network, ...]:
	return Ranges(ip_network(text.strip(), strict=False) for text in ranges if text and text.strip())
