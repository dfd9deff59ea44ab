"""The collector's door on the site: a Frappe request in, a Werkzeug response out; and what must be answered before Frappe
routes: a browser that asks whether it may send (COL-2), and Segment's libraries (COL-4)."""

import json
from collections.abc import Callable

import frappe
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trackflow.access import api_keys
from trackflow.config import get_config
from trackflow.incoming import Incoming
from trackflow.keys import click_secret, day_key, limit_secret
from trackflow.tracking import collector, segment
from trackflow.tracking.collector import Answer, Desk

TRACK_EVENT = "/api/method/trackflow.api.tracking.track_event"


def answer_sender() -> None:
	"""before_request hook: answer what no whitelisted method can, or let the request pass.

	Those are a browser that asks beforehand, a server that shows a key, which Frappe would take for a login of its own and
	refuse, and Segment's addresses.
	"""
	request = frappe.request
	authorization = request.headers.get("Authorization", "")
	if request.path == TRACK_EVENT:
		if request.method == "OPTIONS":
			status, headers = collector.preflight(Incoming.of(request), get_config())
			raise HTTPException(response=Response(status=status, headers=list(headers)))
		if request.method == "POST" and (authorization or api_keys.HEADER in request.headers):
			raise HTTPException(response=answered(collector.collect))
	elif request.method == "POST" and segment.claims(request.path, authorization):
		raise HTTPException(response=answered(collector.collect_segment))


def answered(collect: Callable[[bytes, Incoming, Desk], Answer]) -> Response:
	"""The response to the present request, whose body goes to `collect`."""
	answer = collect(frappe.request.get_data(), Incoming.of(frappe.request), desk())
	if answer.after:
		frappe.request.after_response.add(answer.after)
	return Response(json.dumps(answer.body), status=answer.status, headers=list(answer.headers))


def desk() -> Desk:
	"""What the collector needs of this site."""
	return Desk(get_config(), day_key, click_secret(), limit_secret())
