"""Answers `/r/<code>` from the earliest public hook of Frappe (RED-1 to RED-9).

Nothing is asked of the database for a link that is in the cache, and nothing that goes wrong with recording keeps a
visitor from the destination. The whole prefix is claimed, so that no other part of the site can answer, remember or
redirect a short link's address.
"""

import time
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trackflow.config import get_config
from trackflow.incoming import VISITOR_COOKIE, Caller, Incoming, recognise
from trackflow.keys import click_secret, day_key
from trackflow.links import codes, destination
from trackflow.policy import Config, Domain
from trackflow.redirect import links, page
from trackflow.redirect.decision import Decision, Facts, Link, decide
from trackflow.stream import writer
from trackflow.times import site_time
from trackflow.tracking import identity
from trackflow.tracking.parameters import CLICK_PARAMETER, utm_of

PREFIX = "/r"
HEADERS = {
	"Cache-Control": "private, no-store",
	"Referrer-Policy": "strict-origin-when-cross-origin",
	"X-Content-Type-Options": "nosniff",
	"X-Robots-Tag": "noindex",
}


def answer_short_link() -> None:
	"""before_request hook: answer a short link's address, or let the request pass."""
	path = frappe.request.path
	# Capital letters too: people type what a poster says.
	if path.lower() == PREFIX or path.lower().startswith(PREFIX + "/"):
		raise HTTPException(response=respond(path[len(PREFIX) :].strip("/")))


def respond(code: str) -> Response:
	"""The answer to a request for `code`, click recorded; a plain page where something of ours is broken."""
	try:
		return _respond(code)
	except Exception:
		# Without its link nobody can be sent anywhere; what went wrong is for the log, not for the visitor.
		frappe.logger("trackflow").exception("A short link could not be answered")
		title, text = _("Please try again"), _("This link cannot be opened right now.")
		body = page.render(title, text, frappe.local.lang, None)
		headers = {**HEADERS, **page.SECURITY_HEADERS, "Retry-After": "5"}
		return Response(body, status=503, mimetype="text/html", headers=headers)


def _respond(code: str) -> Response:
	incoming = Incoming.of(frappe.request)
	if incoming.method not in ("GET", "HEAD"):
		return Response(status=405, headers={**HEADERS, "Allow": "GET, HEAD"})
	config = get_config()
	domain = config.domain_of(incoming.host)
	link = _find(code)
	now = time.time()
	caller = recognise(incoming, config, domain, day_key)
	decision = decide(link, _facts(incoming, config, domain, caller, now))
	click_id = uuid4().hex[:20]
	location = _with_click_id(decision, config, click_id)
	if config.enabled and link and decision.event_type:
		_record(_click_record(click_id, now, incoming, domain, caller, link, decision))
	response = _response(decision, location, domain)
	if config.enabled and decision.counts and caller.may_set_cookie:
		_set_cookie(response, caller.visitor_id, incoming, config)
	return response


def _find(code: str) -> Link | None:
	code = codes.normalise(code)
	try:
		codes.check(code)
	except codes.CodeError:
		return None
	return links.find(code)


def _facts(incoming: Incoming, config: Config, domain: Domain | None, caller: Caller, now: float) -> Facts:
	return Facts(
		visitor_id=caller.visitor_id,
		now=_site_now(now),
		method=incoming.method,
		query=incoming.query,
		is_bot=bool(caller.bot_reason),
		bot_reason=caller.bot_reason,
		is_internal=caller.is_internal,
		not_found_url=domain.not_found_url if domain else "",
		count_internal=not config.exclude_internal,
	)


def _site_now(now: float) -> datetime:
	return site_time(now, ZoneInfo(get_system_timezone()))


def _with_click_id(decision: Decision, config: Config, click_id: str) -> str:
	"""The destination, with the signed click id where it is a website of ours that can read it (RED-6)."""
	if not (decision.counts and config.add_click_id and config.enabled):
		return decision.location
	if not config.website_of(urlsplit(decision.location).netloc):
		return decision.location
	signed = identity.sign_click(click_id, click_secret())
	return destination.set_parameter(decision.location, CLICK_PARAMETER, signed)


def _click_record(
	click_id: str,
	now: float,
	incoming: Incoming,
	domain: Domain | None,
	caller: Caller,
	link: Link,
	decision: Decision,
) -> dict[str, Any]:
	return {
		"kind": "click",
		"id": click_id,
		"at": now,
		"link": link.name,
		"code": link.short_code,
		"campaign": link.campaign,
		"domain": domain.name if domain else "",
		"event_type": decision.event_type,
		"variant": decision.variant,
		"counted": decision.counts,
		"url": f"{incoming.scheme}://{incoming.host}{incoming.path}"[:2048],
		"destination": decision.location[:2048],
		"referrer": incoming.headers.get("referer", "")[:2048],
		"utm": utm_of(decision.location),
		**caller.as_record(),
	}


def _record(record: dict[str, Any]) -> None:
	try:
		writer.write([record])
	except Exception:
		frappe.logger("trackflow").exception("A click could not be recorded")


def _response(decision: Decision, location: str, domain: Domain | None) -> Response:
	headers = {**HEADERS, **dict(domain.headers if domain else ())}
	if location:
		headers["Location"] = destination.ascii_url(location)
		response = Response(status=decision.status, headers=headers)
		# A relative or re-encoded address would not be the one that was decided.
		response.autocorrect_location_header = False
		return response
	title, text = _page_texts(decision)
	body = page.render(title, text, frappe.local.lang, domain)
	headers |= page.SECURITY_HEADERS
	return Response(body, status=decision.status, mimetype="text/html", headers=headers)


def _page_texts(decision: Decision) -> tuple[str, str]:
	if decision.page == "gone":
		return _("This link has ended"), _("Whoever shared it can tell you where to go now.")
	return _("There is nothing here"), _("This link does not exist. Please check it for typing errors.")


def _set_cookie(response: Response, visitor_id: str, incoming: Incoming, config: Config) -> None:
	response.set_cookie(
		VISITOR_COOKIE,
		visitor_id,
		max_age=config.cookie_days * 24 * 60 * 60,
		path="/",
		secure=incoming.scheme == "https",
		httponly=True,
		samesite="Lax",
	)
