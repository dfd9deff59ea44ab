"""A local append-only file that takes records while Redis cannot.

One line of JSON per record. Writers append under a lock; a drain renames the file under the same lock, reads it at
leisure and deletes it once its records are stored, so a crash at any point loses nothing and doubles nothing. A line that
is no record, as a write that was cut off leaves one, is kept in a `.bad` file beside.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import frappe
import msgspec

from trackflow.stream.entries import encode

Record = dict[str, Any]


def append(records: Sequence[Record | msgspec.Struct]) -> None:
	"""Add records, all or none. Raises OSError where the disk refuses."""
	lines = b"".join(encode(record) + b"\n" for record in records)
	with _locked(folder() / "open.jsonl") as file:
		size = file.tell()
		if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
			# What a torn write left is no part of what follows.
			lines = b"\n" + lines
		try:
			while lines:
				lines = lines[file.write(lines) :]
			os.fsync(file.fileno())
		except OSError:
			# A full disk takes a part: whoever asked is told that nothing was kept, so nothing must be.
			os.ftruncate(file.fileno(), size)
			raise


def take() -> list[Path]:
	"""Close the open file, if any, and return all files that wait to be stored, oldest first."""
	waiting = folder() / "open.jsonl"
	if waiting.exists():
		with _locked(waiting) as file:
			if file.tell():
				os.rename(
					waiting, folder() / f"{os.stat(waiting).st_mtime_ns:020d}-{uuid4().hex}.closed.jsonl"
				)
	return sorted(folder().glob("*.closed.jsonl"))


def read(path: Path) -> Iterator[Record]:
	"""The records of a closed file; when all are read, lines that are no records are in its `.bad` file."""
	bad: list[bytes] = []
	with path.open("rb") as file:
		for line in file:
			record = _record(line)
			if record is not None:
				yield record
			elif line.strip():
				bad.append(line)
	if bad:
		frappe.logger("trackflow").warning("Spool %s holds %s lines that are no records", path.name, len(bad))
		_keep_bad(path, bad)


def files() -> list[Path]:
	"""Files that wait to be stored; the open one is among them, unless it is empty."""
	return sorted(path for path in folder().glob("*.jsonl") if path.stat().st_size)


def size() -> int:
	"""Bytes that wait in the spool."""
	return sum(path.stat().st_size for path in files())


def bad_files() -> list[Path]:
	"""Files of lines that were no records."""
	return sorted(folder().glob("*.bad"))


def folder() -> Path:
	"""The spool's folder in the site, made where it is missing."""
	path = Path(frappe.get_site_path("private", "trackflow-spool"))
	path.mkdir(mode=0o750, parents=True, exist_ok=True)
	return path


def _record(line: bytes) -> Record | None:
	try:
		record = json.loads(line)
	except ValueError:
		return None
	return record if isinstance(record, dict) else None


def _keep_bad(path: Path, lines: list[bytes]) -> None:
	"""Written whole and then renamed: two drains may read one file at once, and either may be killed."""
	kept = path.with_name(f"{path.name.removesuffix('.closed.jsonl')}.bad")
	draft = kept.with_name(f"{kept.name}.{uuid4().hex}")
	with draft.open("wb") as file:
		file.writelines(line.rstrip(b"\n") + b"\n" for line in lines)
		file.flush()
		os.fsync(file.fileno())
	draft.replace(kept)


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
	"""Open `path` for appending under an exclusive lock; opened again where a drain renamed it meanwhile."""
	while True:
		# Unbuffered: what could not be written must not follow when the file is closed.
		with path.open("ab+", buffering=0) as file:
			fcntl.flock(file, fcntl.LOCK_EX)
			if not path.exists() or os.fstat(file.fileno()).st_ino != os.stat(path).st_ino:
				continue
			file.seek(0, os.SEEK_END)
			yield file
			return
