"""What websites call: the collector and the record of consent. Guests learn nothing here but the verdict on what they sent."""

import json

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow.config import get_config
from trackflow.incoming import (
	CONSENT_COOKIE,
	DENIED,
	GRANTED,
	VISITOR_COOKIE,
	Incoming,
	recognise,
)
from trackflow.keys import day_key
from trackflow.policy import Config
from trackflow.tracking import collector
from trackflow.tracking.parameters import host_of


@frappe.whitelist(allow_guest=True, methods=["POST"])
def track_event() -> Response:
	"""Take one event or a batch (COL-1). The body is JSON, best sent as text/plain; the answer is JSON."""
	answer = collector.collect(frappe.request.get_data(), Incoming.of(frappe.request))
	response = Response(json.dumps(answer.body), status=answer.status, mimetype="application/json")
	response.headers["Cache-Control"] = "no-store"
	response.headers["X-Content-Type-Options"] = "nosniff"
	if answer.origin:
		response.headers["Access-Control-Allow-Origin"] = answer.origin
		response.headers["Vary"] = "Origin"
	return response


@frappe.whitelist(allow_guest=True, methods=["POST"])
def record_consent(consent: str = "") -> dict[str, str]:
	"""Remember a visitor's "granted" or "denied" on this host; a withdrawal takes the visitor cookie away (RED-5).

	Only pages of this host and of configured websites may say it: a cookie of consent that another website could set
	would be worth nothing."""
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
	return {"consent": consent}


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
