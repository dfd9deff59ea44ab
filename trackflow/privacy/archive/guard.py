"""Which hosts an archive may be sent to: those of the public internet, by https, unless the site's configuration allows others.

Who may change settings is not therefore to reach what only the server reaches (a metadata service, a Redis).
"""

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import cint

from trackflow.privacy.archive.places import PlaceError

# In site_config.json or common_site_config.json: addresses of one's own network, and http.
ALLOWED = "trackflow_archive_private_hosts"


def allows_private() -> bool:
	return bool(cint(frappe.conf.get(ALLOWED)))


def check_address(address: str) -> None:
	"""Stop with words unless it is https, or http where that is allowed, without user, parameters and fragment."""
	try:
		parts = urlsplit(address)
		_port = parts.port
	except ValueError:
		raise PlaceError(_("{0} is no address.").format(address)) from None
	schemes = ("https", "http") if allows_private() else ("https",)
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
	if allows_private():
		return
	try:
		found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
	except (OSError, UnicodeError):
		raise PlaceError(_("The host {0} is not found.").format(host)) from None
	for *_rest, address in found:
		check_peer(str(address[0]), host)


def check_peer(address: str, host: str) -> None:
	"""The address at the other end of a connection to this host."""
	if not allows_private() and not _is_public(address):
		raise PlaceError(
			_(
				"{0} is {1}, an address of a private network. Where that is meant, set {2} in site_config.json."
			).format(host, address, ALLOWED)
		)


class Watched:
	"""A connection of urllib3's whose other end is looked at before anything is sent, so that no name server can say one thing
	first and another then."""

	def _new_conn(self) -> Any:
		connection = super()._new_conn()
		try:
			check_peer(str(connection.getpeername()[0]), self.host)
		except PlaceError:
			connection.close()
			raise
		return connection


def _is_public(address: str) -> bool:
	found = ip_address(address.partition("%")[0])
	mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
	return found.is_global and not found.is_multicast and (mapped is None or mapped.is_global)
