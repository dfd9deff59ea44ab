"""Which hosts an archive may be sent to: those of the public internet, by https, unless the site's configuration allows others.

How that is seen to is in `outgoing`.
"""

from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import cint

from trackflow.outgoing import Guard
from trackflow.privacy.archive.places import PassingError, PlaceError

# In site_config.json or common_site_config.json: addresses of one's own network, and http.
ALLOWED = "trackflow_archive_private_hosts"


def current() -> Guard:
	"""What the site's configuration says now."""
	return Guard(bool(cint(frappe.conf.get(ALLOWED))), _refused)


def check_address(address: str) -> None:
	"""Stop with words unless it is https, or http where that is allowed, without user, parameters and fragment."""
	try:
		parts = urlsplit(address)
		_port = parts.port
	except ValueError:
		raise PlaceError(_("{0} is no address.").format(address)) from None
	schemes = ("https", "http") if current().allows_private else ("https",)
	if parts.scheme not in schemes or not parts.hostname:
		raise PlaceError(
			_("The address of the archive must begin with https://, as what is sent there is nobody else's.")
		)
	if parts.username or parts.password or parts.query or parts.fragment:
		raise PlaceError(
			_("The address of the archive may hold neither user, password, parameters nor a fragment.")
		)


def check_host(host: str, port: int) -> None:
	"""Look the host up, and refuse it where one of its addresses is not public."""
	if not (guard := current()).allows_private:
		guard.addresses(host, port)


def _refused(host: str, address: str) -> PlaceError:
	if not address:
		return PassingError(_("The host {0} is not found.").format(host))
	return PlaceError(
		_(
			"{0} is {1}, an address of a private network. Where that is meant, set {2} in site_config.json."
		).format(host, address, ALLOWED)
	)
