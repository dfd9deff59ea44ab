"""Where archive files are kept, as the settings say (RET-1): private files of the site, S3 buckets, an HTTP endpoint.

A Place keeps a file under its name and gives it back. It is never believed: whoever keeps a file reads it back (`keep`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import frappe
from frappe import _

from trackflow.privacy.archive.draft import Digest, digest_of, durable, pieces_of

OFF, FILES, S3, HTTP = "Off", "Private Files", "S3 Bucket", "HTTP Endpoint"


class PlaceError(Exception):
	"""A place does not do its work; the message says what to do, and holds no secret."""


class PassingError(PlaceError):
	"""What may be otherwise a moment later."""


class NotThere(PlaceError):
	"""The place works, and has no such file."""


class Place(Protocol):
	"""Errors are PlaceErrors, all of them."""

	@property
	def label(self) -> str:
		"""What people see: where files are."""

	def put(self, path: Path) -> None:
		"""Keep this file under its own name; again changes nothing."""

	def read(self, name: str, size: int) -> Iterator[bytes]:
		"""The file's bytes, in pieces; of more than `size` only some. Raises NotThere."""


class PrivateFiles:
	"""A folder among the private files of the site, which are part of its backups with files."""

	label = "private/files/trackflow-archive"

	def __init__(self) -> None:
		self.folder = Path(frappe.get_site_path("private", "files", "trackflow-archive"))

	def put(self, path: Path) -> None:
		try:
			self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
			with durable(self.folder / path.name) as file:
				for piece in pieces_of(path):
					file.write(piece)
		except OSError as error:
			raise PlaceError(
				_("{0} cannot be written: {1}. See whether the disk is full and whose the folder is.").format(
					self.folder, error.strerror
				)
			) from None

	def read(self, name: str, size: int) -> Iterator[bytes]:
		try:
			yield from within(pieces_of(self.folder / name), size)
		except FileNotFoundError:
			raise NotThere(_("{0} is not in {1}.").format(name, self.folder)) from None
		except OSError as error:
			raise PlaceError(_("{0} cannot be read: {1}.").format(self.folder, error.strerror)) from None


def target() -> str:
	"""What the settings say: OFF, or the kind of place."""
	return frappe.get_cached_doc("TrackFlow Settings").archive_target or OFF


def configured() -> list[Place]:
	"""The places that keep every file, the first one first. Raises PlaceError where what they need is not there."""
	kind = target()
	if kind == FILES:
		return [PrivateFiles()]
	if kind == S3:
		from trackflow.privacy.archive import s3_place

		return s3_place.buckets()
	if kind == HTTP:
		from trackflow.privacy.archive import http_place

		return [http_place.endpoint()]
	return []


def keep(place: Place, path: Path) -> None:
	"""Have the place keep the file, unless it does; raises PlaceError unless it gives back the very bytes."""
	expected = digest_of(path)
	if has(place, path.name, expected):
		return
	place.put(path)
	if not has(place, path.name, expected):
		raise PlaceError(
			_(
				"{0} took {1}, but does not give it back as it was. Nothing was deleted; have the place looked at."
			).format(place.label, path.name)
		)


def has(place: Place, name: str, expected: Digest) -> bool:
	"""Whether the place gives these bytes."""
	try:
		return Digest.of(place.read(name, expected.size)) == expected
	except NotThere:
		return False


def within(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
	"""No more than this and the piece that goes beyond."""
	done = 0
	for piece in pieces:
		yield piece
		done += len(piece)
		if done > size:
			return
