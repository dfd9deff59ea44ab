"""Answers `/r/<code>` from the earliest public hook of Frappe (RED-1 to RED-9): the thin edge of `answer`.

Nothing is asked of the database for a link that is in the cache, one round trip to Redis answers for a link that this
process knows, and nothing that goes wrong with recording keeps a visitor from the destination. The whole prefix is claimed, so that no other part of the site can answer, remember or
redirect a short link's address.
"""

import time
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment
from zoneinfo import ZoneInfo

import frappe
from werkzeug.exceptions import HTTPException

from trackflow import changes
from trackflow.access import limits as access_limits
from trackflow.incoming import Incoming, client_address
from trackflow.keys import click_secret, day_key, limit_secret, password_secret
from trackflow.policy import Config
from trackflow.redirect import known, limits, links
from trackflow.redirect.answer import (
	METHODS,
	PREFIX,
	Answer,
	Click,
	Keys,
	Visit,
	claims,
	turned_away,
	unavailable,
	valid_code,
	visit,
)
from trackflow.redirect.decision import Link
from trackflow.redirect.words import words
from trackflow.stream import tally, writer
from trackflow.stream.buckets import Bucket
from trackflow.stream.writer import ANY_STATE, Written

ENDPOINT = "redirects"


def answer_short_link() -> None:
	"""before_request hook: answer a short link's address, or let the request pass."""
	path = frappe.request.path
	if claims(path):
		raise HTTPException(response=respond(path[len(PREFIX) :].strip("/")))


def respond(code: str) -> "Sent":
	"""The answer to a request for `code`, click recorded; a plain page where something of ours is broken."""
	began = time.perf_counter()
	try:
		answer = _answer(code)
		sent = Sent(answer)
	except Exception:
		# What went wrong is for the log, not for the visitor.
		frappe.logger("trackflow").exception("A short link could not be answered")
		answer = unavailable(words())
		sent = Sent(answer)
	tally.answered(ENDPOINT, answer.status, time.perf_counter() - began)
	return sent


class Sent:
	"""An answer as a WSGI application that sends what was decided. A response of Werkzeug's would take the Location apart,
	write it anew, and fail on what only an app can read, at a time when nobody can catch it."""

	def __init__(self, answer: Answer) -> None:
		self._status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
		self._body = answer.body.encode()
		self._headers = [(name, _line(value)) for name, value in answer.headers]
		self._headers.append(("Content-Length", str(len(self._body))))

	def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
		start_response(self._status, self._headers)
		return [] if environ["REQUEST_METHOD"] == "HEAD" else [self._body]


def _line(value: str) -> str:
	"""A header's value as WSGI wants it. Raises ValueError for one that would begin another header."""
	if "\n" in value or "\r" in value:
		raise ValueError(f"This header has more than one line: {value!r}")
	return value if value.isascii() else value.encode("latin-1", "replace").decode("latin-1")


def _answer(code: str) -> Answer:
	incoming = Incoming.of(frappe.request)
	code = valid_code(code) if incoming.method in (*METHODS, "POST") else ""
	if (memory := known.recall(code)) and (answer := _visit_as_known(incoming, memory)):
		return answer
	state = changes.state() if code and incoming.method == "GET" else None
	link, config = links.find_with_config(code)
	known.keep(code, link, config, state)
	if access_limits.is_blocked(client_address(incoming, config), config):
		return _turned_away(403, "blocked")
	answer, limit = _visit(incoming, link, config)
	# What is recorded is counted by the same step; what is not (an unknown code) costs a question of its own.
	wait = _record(answer.record, limit).wait if answer.record else access_limits.wait_for(limit)
	return _turned_away(429, "too_many", wait) if wait else answer


def _visit_as_known(incoming: Incoming, memory: known.Memory) -> Answer | None:
	"""The answer by what this process knows, if the click's record finds it up to date; what is not recorded never does."""
	if access_limits.is_blocked(client_address(incoming, memory.config), memory.config):
		return None
	answer, limit = _visit(incoming, memory.link, memory.config)
	if not answer.record:
		return None
	written = _record(answer.record, limit, memory.state)
	if written.is_outdated:
		return None
	return _turned_away(429, "too_many", written.wait) if written.wait else answer


def _turned_away(status: int, reason: str, wait: int = 0) -> Answer:
	tally.add({f"{ENDPOINT}.refused.{reason}": 1})
	return turned_away(words(), status, wait)


def _visit(incoming: Incoming, link: Link | None, config: Config) -> tuple[Answer, list[Bucket]]:
	"""The answer, and what it takes of the limits."""
	address = client_address(incoming, config)
	keys = Keys(day_key, click_secret(), password_secret())
	zone = ZoneInfo(config.time_zone)
	answer = _settle(visit(incoming, link, config, keys, time.time(), zone, words, _token))
	return answer, access_limits.of_address(ENDPOINT, address, config, limit_secret())


def _token() -> str:
	"""What Frappe wants to see with a form of somebody who is logged in: it looks before any hook."""
	return frappe.session.data.csrf_token or ""


def _settle(visit: Visit) -> Answer:
	"""Run a visit to its end, with the answers to what it asks."""
	try:
		question = next(visit)
		while True:
			question = visit.send(limits.ask(question))
	except StopIteration as end:
		return end.value


def _record(record: Click, limit: list[Bucket], as_of: str = ANY_STATE) -> Written:
	"""Record a click, unless its address asks too often, or the site is not as it was any more."""
	try:
		return writer.write([record], limits=limit, as_of=as_of)
	except Exception:
		frappe.logger("trackflow").exception("A click could not be recorded")
		return Written()
