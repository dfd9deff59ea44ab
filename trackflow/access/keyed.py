"""The way of a request of people's API that shows an API key: who asks, what for, and what is left of it (KEY-1, KEY-2).

Three of Frappe's hooks, of which none asks anything where no key is shown. A request with a key acts as the key's user from its
authentication on; it has no session, so it gets no cookie and needs no CSRF token. The collector has a door of its own
(`tracking.doorway`), and is never here.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import frappe
from frappe.api import API_URL_MAP
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from trackflow.access import api_keys, limits, redacted, request_log, scopes
from trackflow.access.api_keys import Refused
from trackflow.config import get_config
from trackflow.incoming import Incoming, client_address
from trackflow.policy import ApiKey, Config
from trackflow.stream import tally

# What its answers are counted as.
ENDPOINT = "api"
# Before a key's prefix: how often its limit refused a request.
KEY_LIMIT = "limit.key."
_IN_ENVIRON = {api_keys.HEADER: "HTTP_X_TRACKFLOW_KEY", "authorization": "HTTP_AUTHORIZATION"}
# An answer that failed tells its kind in a few bytes; longer ones are not looked at.
_MOST_BYTES = 64 * 1024


@dataclass(slots=True)
class Keyed:
	"""A request that shows a key, from the moment it is noticed until its answer."""

	shown: str
	at: float = field(default_factory=time.time)
	began: float = field(default_factory=time.perf_counter)
	incoming: Incoming | None = None
	config: Config | None = None
	given: Mapping[str, Any] = field(default_factory=dict)
	# As soon as it is known to be one, usable or not.
	key: ApiKey | None = None


def take_key() -> None:
	"""before_request hook: note the key that a request shows, and take keys off the request. Frappe would look for a bearer among
	its own tokens, by a statement, and whatever else logs headers should not have it."""
	environ = frappe.request.environ
	headers = {name: environ[key] for name, key in _IN_ENVIRON.items() if key in environ}
	if not headers or frappe.request.method == "OPTIONS" or not (shown := api_keys.of_people(headers)):
		return
	for name, value in headers.items():
		if api_keys.of_people({name: value}):
			del environ[_IN_ENVIRON[name]]
	frappe.local.flags.trackflow_keyed = Keyed(shown)


def authenticate() -> None:
	"""auth_hook: let a request with a key act as its user, within its scopes, or answer why not (401, 403, 429; 400 where it is
	not asked as a key may ask)."""
	keyed = frappe.local.flags.trackflow_keyed
	if keyed is None:
		return
	keyed.incoming, keyed.config = Incoming.of(frappe.request), get_config()
	# Frappe empties the request's arguments when the user changes, and adds to them later.
	given = frappe.local.form_dict
	keyed.given = dict(given)
	try:
		key = _admitted(keyed)
	except Refused as error:
		limits.refuse(error.status, error.code, str(error), error.wait)
	frappe.set_user(key.user)
	frappe.local.form_dict = given
	# Else Frappe extends the session of guests as if it were this user's.
	frappe.local.session_obj = None


def finish(response: Response | None = None, request: Request | None = None) -> None:
	"""after_request hook: no cookie leaves; the answer is counted at once and logged once it is on its way."""
	keyed = frappe.local.flags.trackflow_keyed
	if keyed is None:
		return
	if manager := getattr(frappe.local, "cookie_manager", None):
		manager.cookies.clear()
		manager.to_delete.clear()
	seconds = time.perf_counter() - keyed.began
	# Without a response some code of ours has answered by an exception that brings one.
	status, reason = (
		(response.status_code, "") if response else frappe.local.flags.trackflow_refused or (500, "")
	)
	tally.answered(ENDPOINT, status, seconds, reason)
	if keyed.key:
		told = {"error": reason} if reason else _told(response)
		answered = request_log.Answered(keyed.key.name, keyed.at, seconds, status, keyed.given, told)
		request.after_response.add(partial(request_log.write, answered, keyed.incoming, keyed.config))


def _admitted(keyed: Keyed) -> ApiKey:
	"""The key, if it may be used for this request. Raises Refused."""
	config, address = keyed.config, client_address(keyed.incoming, keyed.config)
	if limits.is_blocked(address, config):
		raise Refused(403, "blocked", limits.BLOCKED)
	keyed.key = api_keys.known(keyed.shown, config)
	key = api_keys.checked(keyed.shown, config, address, keyed.at)
	if frappe.session.user not in ("", "Guest"):
		raise Refused(
			400,
			"two_logins",
			"This request shows an API key and is logged in otherwise, too. Send one of them.",
		)
	if not frappe.db.get_value("User", key.user, "enabled"):
		raise Refused(401, "key_revoked", "This API key is switched off.")
	if wait := limits.wait_for(limits.of_key(key, config)):
		tally.add({f"{KEY_LIMIT}{key.prefix}": 1})
		raise Refused(429, "too_many", limits.TOO_MANY, wait)
	if scope := scopes.wanted(_asked(frappe.request)):
		api_keys.check_scope(key, scope)
	return key


def _asked(request: Request) -> scopes.Asked:
	"""The request as Frappe's own router takes it; what that does not know is nothing that a key may ask."""
	function, place = "", {}
	if request.path.startswith("/api/"):
		try:
			endpoint, place = API_URL_MAP.bind_to_environ(request.environ).match()
			function = f"{endpoint.__module__}.{endpoint.__name__}"
		except (HTTPException, AttributeError):
			function = ""
	is_json = request.is_json or not request.get_data()
	return scopes.Asked(function, place, frappe.local.form_dict, is_json)


def _told(response: Response) -> Mapping[str, Any]:
	"""What is said of an answer: its size, where it is known; of one that failed the kind of the error."""
	size = response.calculate_content_length()
	said: dict[str, Any] = {} if size is None else {"bytes": size}
	if response.status_code >= 400 and size is not None and size <= _MOST_BYTES:
		try:
			said["error"] = str(json.loads(response.get_data())["exc_type"])[: redacted.LONGEST]
		except (ValueError, KeyError, TypeError):
			pass
	return said
