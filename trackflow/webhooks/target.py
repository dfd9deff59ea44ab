"""One attempt to deliver: a POST to an address that somebody typed, and what became of it (WHK-1, SEC-3).

Ten seconds without an answer are too long, and so are twenty for all of it, however slowly the other end talks. Redirects are not
followed, of the answer only the beginning is read. Knows no Frappe: attempts run in threads, and never raise.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import requests
from urllib3.exceptions import HTTPError

from trackflow import __version__
from trackflow.inert import inert
from trackflow.outgoing import Guard, looked_up, session, within

TIMEOUT_SECONDS = 10
LONGEST_SECONDS = 20
MOST_READ = 4096
EXCERPT = 1000
# Kinds of what goes wrong before there is an answer, or with one.
PRIVATE, UNKNOWN, TIMEOUT, CERTIFICATE, UNREACHABLE, REDIRECT = (
	"private", "unknown", "timeout", "certificate", "unreachable", "redirect",
)  # fmt: skip
# Who is looked up how; a test says otherwise.
resolve: Callable[[str, int], list[str]] = looked_up


class Attempt(NamedTuple):
	"""What is sent where."""

	url: str
	headers: dict[str, str]
	body: bytes
	allows_private: bool


class Outcome(NamedTuple):
	"""The answer's status (0 for none), the beginning of its text, its Retry-After; the kind of what went wrong, and more of it."""

	status: int = 0
	excerpt: str = ""
	retry_after: str = ""
	error: str = ""
	detail: str = ""

	@property
	def is_delivered(self) -> bool:
		return 200 <= self.status < 300


class _Refused(Exception):
	"""The host is not found, or is where nothing is sent."""

	def __init__(self, host: str, address: str) -> None:
		super().__init__(host)
		self.outcome = Outcome(error=PRIVATE if address else UNKNOWN, detail=host)


def post(attempt: Attempt) -> Outcome:
	"""Send it; says what came of it, whatever that was."""
	try:
		return _post(attempt)
	except _Refused as error:
		return error.outcome
	except requests.exceptions.SSLError as error:
		return Outcome(error=CERTIFICATE if _is_certificate(error) else UNREACHABLE, detail="SSLError")
	except requests.Timeout:
		return Outcome(error=TIMEOUT)
	except Exception as error:
		# Its kind alone: the message of one may hold the whole address.
		return Outcome(error=UNREACHABLE, detail=type(error).__name__)


def _post(attempt: Attempt) -> Outcome:
	headers = {"User-Agent": f"TrackFlow/{__version__}", "Accept-Encoding": "identity", **attempt.headers}
	guard = Guard(attempt.allows_private, _Refused, resolve)
	with (
		session(guard) as asked,
		within(asked, LONGEST_SECONDS),
		asked.post(
			attempt.url,
			data=attempt.body,
			headers=headers,
			timeout=TIMEOUT_SECONDS,
			allow_redirects=False,
			stream=True,
		) as answer,
	):
		error = REDIRECT if 300 <= answer.status_code < 400 else ""
		retry_after = answer.headers.get("Retry-After", "")[:100]
		return Outcome(answer.status_code, _excerpt(answer), retry_after, error)


def _excerpt(answer: requests.Response) -> str:
	"""What it says counts even where its text breaks off."""
	read = b""
	with suppress(HTTPError, OSError):
		read = answer.raw.read(MOST_READ, decode_content=False) or b""
	return inert(read.decode("utf-8", "replace").replace("\x00", "")[:EXCERPT])


def _is_certificate(error: BaseException | None) -> bool:
	return "CERTIFICATE_VERIFY_FAILED" in str(error) or isinstance(error, ssl.SSLCertVerificationError)
