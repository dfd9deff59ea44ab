"""Archive files at an HTTP endpoint (RET-1): PUT keeps one below the address, GET gives it back, as WebDAV servers do.

Ten seconds without an answer are too long; what may pass by itself is tried again, with growing pauses. Redirects are an error,
never followed: the token would go along. Who may be at the other end is for `outgoing` to see to.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import frappe
import requests
import tenacity
from frappe import _
from urllib3.exceptions import HTTPError

from trackflow.outgoing import session
from trackflow.privacy.archive import guard
from trackflow.privacy.archive.draft import PIECE
from trackflow.privacy.archive.places import NotThere, PassingError, PlaceError

Result = TypeVar("Result")

TIMEOUT_SECONDS = 10
# For a whole answer, however slowly it drips; a file is a few MiB.
LONGEST_SECONDS = 120
ATTEMPTS = 4
PAUSE_SECONDS = 1
# What may be otherwise a moment later.
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))


class Endpoint:
	"""An address below which files are kept."""

	def __init__(self, address: str, token: str | None) -> None:
		self.label = address.rstrip("/")
		self._session = session(guard.current())
		if token:
			self._session.headers["Authorization"] = f"Bearer {token}"

	def put(self, path: Path) -> None:
		def once() -> None:
			with path.open("rb") as file:
				headers = {"Content-Type": "application/gzip"}
				self._ask("PUT", path.name, data=file, headers=headers).close()

		self._again(once)

	def read(self, name: str, size: int) -> Iterator[bytes]:
		"""A file is read from its beginning again where it breaks off, so its pieces are given out when all are there."""
		yield from self._again(lambda: self._pieces(name, size))

	def _pieces(self, name: str, size: int) -> list[bytes]:
		until = time.monotonic() + LONGEST_SECONDS
		found: list[bytes] = []
		# As it lies there: a server that says "Content-Encoding: gzip" of it would have it unpacked.
		with self._ask("GET", name, headers={"Accept-Encoding": "identity"}) as answer:
			try:
				while sum(map(len, found)) <= size and (
					piece := answer.raw.read(PIECE, decode_content=False)
				):
					found.append(piece)
					if time.monotonic() > until:
						raise PassingError(_("{0} answers too slowly.").format(self.label))
			except (requests.RequestException, OSError, HTTPError) as error:
				raise self._unreachable(error) from None
		return found

	def _ask(self, method: str, name: str, **options: Any) -> requests.Response:
		try:
			answer = self._session.request(
				method,
				f"{self.label}/{name}",
				timeout=TIMEOUT_SECONDS,
				allow_redirects=False,
				stream=True,
				**options,
			)
		except (requests.RequestException, OSError) as error:
			raise self._unreachable(error) from None
		if not 200 <= answer.status_code < 300:
			answer.close()
			raise self._refused(answer.status_code, method, name)
		return answer

	def _refused(self, status: int, method: str, name: str) -> PlaceError:
		if status in (404, 410) and method == "GET":
			return NotThere(_("{0} is not at {1}.").format(name, self.label))
		if 300 <= status < 400:
			return PlaceError(
				_("{0} answers with a redirect ({1}), which is not followed: name the final address.").format(
					self.label, status
				)
			)
		if status in (401, 403):
			return PlaceError(_("{0} refuses the token ({1} to {2}).").format(self.label, status, method))
		kind = PassingError if status in PASSING else PlaceError
		return kind(_("{0} answered {1} with {2}.").format(self.label, method, status))

	def _unreachable(self, error: Exception) -> PlaceError:
		if isinstance(error, requests.exceptions.SSLError):
			return PlaceError(_("The certificate of {0} is not valid.").format(self.label))
		if isinstance(error, requests.Timeout):
			return PassingError(
				_("{0} did not answer within {1} seconds.").format(self.label, TIMEOUT_SECONDS)
			)
		return PassingError(_("{0} cannot be reached ({1}).").format(self.label, type(error).__name__))

	def _again(self, work: Callable[[], Result]) -> Result:
		return tenacity.Retrying(
			stop=tenacity.stop_after_attempt(ATTEMPTS),
			wait=tenacity.wait_exponential(multiplier=PAUSE_SECONDS),
			retry=tenacity.retry_if_exception_type(PassingError),
			reraise=True,
		)(work)


def endpoint() -> Endpoint:
	settings = frappe.get_cached_doc("TrackFlow Settings")
	address = settings.archive_http_address or ""
	if not address:
		raise PlaceError(_("No address is named in the settings."))
	guard.check_address(address)
	return Endpoint(address, settings.get_password("archive_http_token", raise_exception=False))
