"""What websites call: the collector, the script, the image, the record of consent. Guests learn nothing here but the verdict
on what they sent, and what their website's script is told."""

import json
from secrets import token_hex
from typing import NoReturn

import frappe
from frappe import _
from msgspec.structs import replace
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trackflow.access import limits
from trackflow.config import get_config
from trackflow.incoming import (
	CONSENT_COOKIE,
	DENIED,
	GRANTED,
	VISITOR_COOKIE,
	Caller,
	Incoming,
	recognise,
)
from trackflow.keys import day_key
from trackflow.policy import Config, Domain
from trackflow.tracking import arrivals, collector, doorway, identity, image, script
from trackflow.tracking.parameters import host_of


@frappe.whitelist(allow_guest=True, methods=["POST"])
def track_event() -> NoReturn:
	"""Take one event or a batch (COL-1). The body is JSON, best sent as text/plain; the answer is JSON, with no cookie."""
	_answer(doorway.answered(collector.collect))


@frappe.whitelist(allow_guest=True, methods=["GET"])
def get_tracking_script() -> NoReturn:
	"""The website script with the options of a domain: that of the public key `key`, else of the page that asks, else of this
	host (COL-5)."""
	limits.guard("scripts")
	incoming, config = Incoming.of(frappe.request), get_config()
	domain = _domain_of_script(incoming, config)
	if not config.enabled:
		_answer_script(script.SWITCHED_OFF)
	if not domain or not domain.enabled:
		_answer_script(script.MISSING, 404)
	arrivals.count(domain, scripts=1)
	_answer_script(script.script_of(domain, config, f"{incoming.scheme}://{incoming.host}"))


@frappe.whitelist(allow_guest=True, methods=["GET"])
def pixel() -> NoReturn:
	"""A page view by an image, for pages without scripts: `key`, and `url`, `referrer`, `title` where known (COL-5)."""
	limits.guard("images")
	incoming = Incoming.of(frappe.request)
	# As they came: Frappe rewrites the arguments of guests' methods.
	body = image.body_of(frappe.request.args, incoming.headers.get("referer", ""), token_hex(16))
	answer = collector.collect(body, incoming, doorway.desk(), endpoint="")
	status = 200 if answer.status == 202 else answer.status
	_answer(Response(image.GIF, status=status, mimetype="image/gif", headers=image.HEADERS))


def _domain_of_script(incoming: Incoming, config: Config) -> Domain | None:
	if key := frappe.request.args.get("key"):
		return config.domain_of_key(key)
	return config.website_of(host_of(incoming.headers.get("referer", ""))) or config.domain_of(incoming.host)


def _answer_script(text: str, status: int = 200) -> NoReturn:
	response = Response(text, status=status, mimetype=script.MIMETYPE)
	response.headers.update(script.headers_of(text))
	if not frappe.request.args.get("key"):
		response.headers["Vary"] = "Referer"
	response.set_etag(script.etag_of(text))
	_answer(response.make_conditional(frappe.request))


def _answer(response: Response) -> NoReturn:
	"""Answer past the framework, which would add a guest's cookies: no cache may keep those, and nobody asked for them."""
	raise HTTPException(response=response)


@frappe.whitelist(allow_guest=True, methods=["POST"])
def record_consent(consent: str = "") -> dict[str, str]:
	"""Remember a visitor's "granted" or "denied" on this host; a withdrawal takes the visitor cookie away (RED-5).

	Only pages of this host and of configured websites may say it: a cookie of consent that another website could set
	would be worth nothing."""
	limits.guard("consents")
	if consent not in (GRANTED, DENIED):
		frappe.throw(_("consent is either {0} or {1}.").format(GRANTED, DENIED), frappe.ValidationError)
	incoming = Incoming.of(frappe.request)
	config = get_config()
	if not _is_own_page(incoming, config):
		frappe.throw(_("This website may not record consent here."), frappe.PermissionError)
	caller = recognise(incoming, config, config.domain_of(incoming.host), day_key, consent=consent)
	cookies = frappe.local.cookie_manager
	seconds = config.cookie_days * 24 * 60 * 60
	options = {"max_age": seconds, "secure": incoming.scheme == "https", "samesite": "Lax"}
	cookies.set_cookie(CONSENT_COOKIE, consent, httponly=False, **options)
	if consent == DENIED:
		cookies.delete_cookie(VISITOR_COOKIE)
	elif config.enabled and caller.may_set_cookie:
		cookies.set_cookie(VISITOR_COOKIE, caller.visitor_id, httponly=True, **options)
	_store_consent(incoming, config, consent, caller)
	return {"consent": consent}


def _store_consent(incoming: Incoming, config: Config, consent: str, caller: Caller) -> None:
	"""The consent as an event, as the script sends one: with time and policy version, on the visitor who gave it."""
	domain = config.domain_of(incoming.host)
	if not domain or not domain.enabled:
		return
	known_id = caller.visitor_id if caller.may_set_cookie else incoming.cookies.get(VISITOR_COOKIE)
	event = {"publicKey": domain.public_key, "eventId": token_hex(16), "type": "CONSENT", "consent": consent}
	if identity.is_visitor_id(known_id):
		event["visitorId"] = known_id
	# Who may say it was asked above.
	headers = {**incoming.headers, "origin": f"https://{domain.name}"}
	collector.collect(
		json.dumps(event).encode(), replace(incoming, headers=headers), doorway.desk(), endpoint=""
	)


def _is_own_page(incoming: Incoming, config: Config) -> bool:
	"""Whether a page of this host or of an enabled configured website asks. What names no page (Origin, else Referer) is
	taken for one of ours only if the browser says so."""
	headers = incoming.headers
	page = headers.get("origin") or headers.get("referer")
	if not page:
		return headers.get("sec-fetch-site") in ("same-origin", "none")
	host = host_of(page)
	if not host:
		return False
	own = host_of(f"//{incoming.host}")
	return host == own or any(
		one.enabled and collector.is_allowed(host, one) for one in config.domains.values()
	)
