"""Archive files on this machine: one that is being made, and one that is read (RET-1). Knows no database.

A file is there whole or not at all: it is written under another name, brought to the disk and then renamed. Both ways a row at a
time is in memory.
"""

import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from trackflow.privacy.archive import layout
from trackflow.privacy.archive.layout import Header, LayoutError

Row = dict[str, Any]

PIECE = 1 << 20
# Of zlib; more saves a few percent and takes twice the time.
LEVEL = 6


@dataclass(frozen=True, slots=True)
class Digest:
	"""What a file's bytes must be, wherever they lie."""

	size: int
	sha256: str

	@classmethod
	def of(cls, pieces: Iterator[bytes]) -> "Digest":
		size, digest = 0, hashlib.sha256()
		for piece in pieces:
			size += len(piece)
			digest.update(piece)
		return cls(size, digest.hexdigest())


class Draft:
	"""A file of one table and day; rows come in the order in which they are to stand."""

	def __init__(self, folder: Path, doctype: str, day: date) -> None:
		self.folder, self.doctype, self.day = folder, doctype, day
		self.fields = layout.fields(doctype)
		self.rows = 0
		self.first = self.last = ""
		self.from_time = self.until_time = None
		self._digest = hashlib.sha256()
		self._path = folder / f"{uuid4().hex}.part"
		self._raw = self._path.open("wb")
		self._body = _compressing(self._raw)

	def add(self, row: Mapping[str, Any]) -> None:
		line = layout.row_line(row, self.fields)
		self._digest.update(line)
		self._body.write(line)
		self.rows += 1
		self.last, self.until_time = row["name"], row[layout.TIMES[self.doctype]]
		self.first = self.first or self.last
		self.from_time = self.from_time or self.until_time

	def close(self, app_version: str, time_zone: str) -> Path:
		"""The finished file, under its name."""
		self._body.close()
		self._raw.close()
		sha256 = self._digest.hexdigest()
		header = Header(
			self.doctype,
			self.fields,
			self.rows,
			sha256,
			self.first,
			self.last,
			str(self.from_time),
			str(self.until_time),
			app_version,
			time_zone,
		)
		name = header.file_name
		with durable(self.folder / name) as file:
			# Of two parts, which unpackers take for one file: the header is known last.
			with _compressing(file) as head:
				head.write(header.line())
			with self._path.open("rb") as body:
				shutil.copyfileobj(body, file, PIECE)
		self._path.unlink()
		return self.folder / name


class durable:
	"""Write a file that is there whole or not at all, also after a crash. Whoever writes is alone; what a crash left is written
	over."""

	def __init__(self, path: Path) -> None:
		self.path, self.draft = path, path.with_name(f"{path.name}.part")

	def __enter__(self) -> IO[bytes]:
		self.file = self.draft.open("wb")
		return self.file

	def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
		try:
			if kind is None:
				self.file.flush()
				os.fsync(self.file.fileno())
		finally:
			self.file.close()
		if kind is not None:
			self.draft.unlink(missing_ok=True)
			return
		self.draft.replace(self.path)
		folder = os.open(self.path.parent, os.O_RDONLY)
		try:
			os.fsync(folder)
		finally:
			os.close(folder)


def digest_of(path: Path) -> Digest:
	return Digest.of(pieces_of(path))


def pieces_of(path: Path) -> Iterator[bytes]:
	with path.open("rb") as file:
		while piece := file.read(PIECE):
			yield piece


def check(path: Path) -> Header:
	"""Read the file from its first to its last byte; raises LayoutError unless it is whole and says what it should."""
	header, rows = read(path)
	for _row in rows:
		pass
	return header


def read(path: Path) -> tuple[Header, Iterator[Row]]:
	"""The header and the rows, one by one. At their end LayoutError is raised where they are not those that were written: whoever
	acts on rows checks the file first."""
	lines = _lines(path)
	try:
		header = layout.read_header(next(lines))
	except StopIteration:
		raise LayoutError("The file is empty.") from None
	return header, _rows(lines, header)


def _rows(lines: Iterator[bytes], header: Header) -> Iterator[Row]:
	digest, number = hashlib.sha256(), 0
	for line in lines:
		digest.update(line)
		number += 1
		yield layout.read_row(line, header)
	if (number, digest.hexdigest()) != (header.rows, header.sha256):
		raise LayoutError("The file is damaged: its rows are not those that its header tells of.")


def _lines(path: Path) -> Iterator[bytes]:
	try:
		with gzip.open(path, "rb") as file:
			# A line without an end is never read whole.
			while line := file.readline(layout.LONGEST_LINE + 1):
				yield line
	except (OSError, EOFError, zlib.error) as error:
		raise LayoutError(f"The file cannot be unpacked: {error}") from None


def _compressing(file: IO[bytes]) -> gzip.GzipFile:
	"""Without name and time in it: the same rows give the same bytes."""
	return gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0)
