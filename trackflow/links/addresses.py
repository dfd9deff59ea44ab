"""Short URLs of links, and the hosts they may have. Reads the settings snapshot only."""

from urllib.parse import urlsplit

from frappe.utils import get_url

from trackflow.config import get_config
from trackflow.links.destination import DEFAULT_PREFIX

SCAN_MARK = "?qr=1"


def own_hosts() -> set[str]:
	"""Every host that answers short links of this site; a destination must not be one of them."""
	return {urlsplit(get_url()).netloc, *get_config().domains}


def short_url(short_code: str, domain: str | None = None) -> str:
	"""What people click: on the link's domain, else the primary one, else the site itself."""
	return f"{_base(domain)}{DEFAULT_PREFIX}{short_code}"


def scan_url(short_code: str, domain: str | None = None) -> str:
	"""What a QR code of the link says: scans are counted apart from clicks (LNK-3)."""
	return short_url(short_code, domain) + SCAN_MARK


def _base(domain: str | None) -> str:
	config = get_config()
	configured = config.domains.get(domain or config.primary_domain)
	if not configured:
		return get_url().rstrip("/")
	return f"{'https' if configured.ssl else 'http'}://{configured.name}"
