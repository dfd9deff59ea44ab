"""Requests to a CRM's interface: five seconds each, two more attempts with growing pauses, all within a budget; behind the circuit
breaker (SYN-1).

Redirects are an error, never followed: the token would go along. What an error says holds no address, since search terms are
people's. The five seconds are those of a whole request, however slowly its answer drips in.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
import tenacity
from frappe import _
from urllib3.exceptions import HTTPError

from trackflow.outgoing import Guard, session, within
from trackflow.sync.provider import (
	Budget,
	Clock,
	Gone,
	Later,
	PassingError,
	Refused,
	Rejected,
)
from trackflow.sync.state import Breaker

Row = dict[str, Any]
Read = TypeVar("Read")

TIMEOUT_SECONDS = 5.0
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.5
# Whoever wants to be left alone for longer is left alone by all workers.
LONGEST_WAIT_SECONDS = 5.0
# Where a CRM wants to be left alone and does not say for how long.
UNSAID_WAIT_SECONDS = 60.0
MOST_WAIT_SECONDS = 24 * 60 * 60.0
MOST_BYTES = 4 << 20
PIECE = 1 << 16


class Transport:
	"""The way to one CRM, called `name`, below `address`; `headers` hold the token."""

	def __init__(
		self, name: str, address: str, headers: dict[str, str], breaker: Breaker, clock: Clock = time
	) -> None:
		self._name, self._address, self._breaker, self._clock = name, address.rstrip("/"), breaker, clock
		# The address is the provider's or the site's own configuration: it may be anywhere.
		self._session = session(Guard(allows_private=True, refused=_not_found))
		self._session.headers.update(headers)

	def ask(
		self, method: str, path: str, budget: Budget, read: Callable[[Row], Read], **options: Any
	) -> Read:
		"""What `read` makes of the answer, an object that says of itself that it was a success; it raises PassingError for one that
		makes no sense. Raises a ProviderError."""
		return tenacity.Retrying(
			stop=tenacity.stop_after_attempt(ATTEMPTS),
			wait=_pause,
			retry=tenacity.retry_if_exception(_is_worth_another),
			sleep=lambda seconds: self._clock.sleep(max(0.0, min(seconds, budget.left()))),
			reraise=True,
		)(self._once, method, path, budget, read, **options)

	def _once(
		self, method: str, path: str, budget: Budget, read: Callable[[Row], Read], **options: Any
	) -> Read:
		if budget.left() <= 0:
			raise PassingError(_("{0} took too long.").format(self._name))
		self._breaker.ask()
		try:
			found = read(self._answer(method, path, min(TIMEOUT_SECONDS, budget.left()), **options))
		except PassingError:
			self._breaker.failed()
			raise
		except Later:
			self._breaker.undecided()
			raise
		except (Refused, Rejected, Gone):
			# It answers, and knows what it says.
			self._breaker.succeeded()
			raise
		except BaseException:
			self._breaker.undecided()
			raise
		self._breaker.succeeded()
		return found

	def _answer(self, method: str, path: str, seconds: float, **options: Any) -> Row:
		seconds = max(seconds, 0.01)
		try:
			with (
				within(self._session, seconds),
				self._session.request(
					method,
					f"{self._address}{path}",
					timeout=seconds,
					allow_redirects=False,
					stream=True,
					**options,
				) as answer,
			):
				body = self._body(answer)
		except (requests.RequestException, HTTPError, OSError) as error:
			raise self._unreachable(error) from None
		return self._read(answer, body)

	def _body(self, answer: requests.Response) -> bytes:
		found = b""
		while piece := answer.raw.read1(PIECE, decode_content=True):
			found += piece
			if len(found) > MOST_BYTES:
				raise PassingError(_("{0} answers with more than it was asked for.").format(self._name))
		return found

	def _read(self, answer: requests.Response, body: bytes) -> Row:
		status = answer.status_code
		if status == 429:
			text = _("{0} has had too many requests.").format(self._name)
			raise Later(text, _wait_of(answer.headers.get("Retry-After"), self._clock.time()))
		if status >= 500 or status in (408, 425):
			raise PassingError(_("{0} answered with {1}.").format(self._name, status))
		if status >= 300:
			raise self._refused(status, body)
		found = _object(body)
		if found is None or found.get("success") is not True:
			raise PassingError(_("{0} answered with something that is no answer.").format(self._name))
		return found

	def _refused(self, status: int, body: bytes) -> Refused | Rejected | Gone:
		if status < 400:
			return Refused(
				_("{0} answers with a redirect ({1}), which is not followed.").format(self._name, status)
			)
		if status in (401, 403):
			return Refused(_("{0} refuses the token ({1}).").format(self._name, status))
		if status in (404, 410):
			return Gone(_("{0} does not find it ({1}).").format(self._name, status))
		said = str((_object(body) or {}).get("error") or "")[:200]
		return Rejected(_("{0} does not take it ({1}). {2}").format(self._name, status, said).strip())

	def _unreachable(self, error: Exception) -> PassingError | Refused:
		if isinstance(error, requests.exceptions.SSLError):
			return Refused(_("The certificate of {0} is not valid.").format(self._name))
		if isinstance(error, requests.Timeout) or "timed out" in str(error):
			return PassingError(_("{0} did not answer in time.").format(self._name))
		return PassingError(_("{0} cannot be reached ({1}).").format(self._name, type(error).__name__))


def _not_found(host: str, _address: str) -> Exception:
	return requests.ConnectionError(host)


def _is_worth_another(error: BaseException) -> bool:
	return isinstance(error, PassingError) or (
		isinstance(error, Later) and error.seconds <= LONGEST_WAIT_SECONDS
	)


def _pause(state: tenacity.RetryCallState) -> float:
	"""As long as the CRM wants, else twice as long each time."""
	error = state.outcome.exception() if state.outcome else None
	if isinstance(error, Later):
		return error.seconds
	return FIRST_PAUSE_SECONDS * 2 ** (state.attempt_number - 1)


def _wait_of(header: str | None, now: float) -> float:
	"""The seconds that Retry-After names, as a number or a time."""
	text = (header or "").strip()
	try:
		seconds = float(text)
	except ValueError:
		try:
			moment = parsedate_to_datetime(text)
		except ValueError:
			return UNSAID_WAIT_SECONDS
		seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
	return min(max(seconds, 1.0), MOST_WAIT_SECONDS) if seconds == seconds else UNSAID_WAIT_SECONDS


def _object(body: bytes) -> Row | None:
	try:
		found = json.loads(body)
	except (ValueError, RecursionError):
		return None
	return found if isinstance(found, dict) else None
