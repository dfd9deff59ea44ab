"""Servers of a benchmark's own: MariaDB and Redis on free loopback ports, data in a folder that goes away with them.

Each can be killed and started again on its data. Nothing that was not started here is ever stopped.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

PATIENCE_SECONDS = 60


class Server:
	"""A process of ours that listens on a port of this machine."""

	name = ""

	def __init__(self, folder: Path, options: list[str] | None = None) -> None:
		self.folder = folder / self.name
		self.folder.mkdir(parents=True, exist_ok=True)
		self.options = options or []
		self.port = self._port()
		self.process: subprocess.Popen | None = None

	def _port(self) -> int:
		"""The same one each time for a folder that is kept: a site's configuration names it."""
		note = self.folder / "port"
		if not note.exists():
			note.write_text(str(free_port()))
		return int(note.read_text())

	def command(self) -> list[str]:
		raise NotImplementedError

	def is_up(self) -> bool:
		raise NotImplementedError

	def start(self) -> Self:
		with (self.folder / "output.log").open("ab") as log:
			self.process = subprocess.Popen(
				self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
			)
		wait_until(self.is_up, f"{self.name} on port {self.port}")
		return self

	def stop(self) -> None:
		"""Ask it to end, and wait."""
		self._end("terminate")

	def crash(self) -> None:
		"""SIGKILL."""
		self._end("kill")

	def _end(self, how: str) -> None:
		if self.process and self.process.poll() is None:
			getattr(self.process, how)()
			self.process.wait(PATIENCE_SECONDS)

	def __enter__(self) -> Self:
		return self.start()

	def __exit__(self, *exception: object) -> None:
		self.stop()


class Redis(Server):
	name = "redis"

	def command(self) -> list[str]:
		return [
			"redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
			*self.options,
		]  # fmt: skip

	def is_up(self) -> bool:
		import redis

		try:
			return bool(redis.Redis(port=self.port).ping())
		except redis.exceptions.RedisError:
			return False

	@property
	def url(self) -> str:
		return f"redis://127.0.0.1:{self.port}/0"


class MariaDB(Server):
	name = "mariadb"

	def start(self) -> Self:
		if not (self.folder / "data" / "mysql").exists():
			command = [
				"mariadb-install-db",
				"--no-defaults",
				*self._common(),
				"--auth-root-authentication-method=normal",
			]
			subprocess.run(command, check=True, capture_output=True)
		return super().start()

	def command(self) -> list[str]:
		return [
			"mariadbd", "--no-defaults", *self._common(), "--bind-address=127.0.0.1", f"--port={self.port}",
			f"--socket={self.folder}/mysqld.sock", f"--pid-file={self.folder}/mysqld.pid", "--character-set-server=utf8mb4",
			"--collation-server=utf8mb4_unicode_ci", *self.options,
		]  # fmt: skip

	def _common(self) -> list[str]:
		# Whoever starts deletes what it takes for left-over temporary tables in its folder for them, and MariaDB crashes that use them.
		(self.folder / "tmp").mkdir(exist_ok=True)
		folders = [f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp"]
		return [*folders, *(["--user=root"] if os.getuid() == 0 else [])]

	def is_up(self) -> bool:
		import pymysql

		try:
			pymysql.connect(host="127.0.0.1", port=self.port, user="root").close()
			return True
		except pymysql.MySQLError:
			return False

	@property
	def url(self) -> str:
		return f"mysql://root@127.0.0.1:{self.port}/trackflow_benchmark"


class Folder:
	"""A folder for servers and sites: a temporary one, or one that is kept for the next run."""

	def __init__(self, kept: str | None) -> None:
		self.is_kept = bool(kept)
		self.path = Path(kept or tempfile.mkdtemp(prefix="trackflow-benchmark-")).resolve()
		self.path.mkdir(parents=True, exist_ok=True)

	def __enter__(self) -> Path:
		return self.path

	def __exit__(self, *exception: object) -> None:
		if not self.is_kept:
			shutil.rmtree(self.path, ignore_errors=True)


def free_port() -> int:
	with socket.socket() as one:
		one.bind(("127.0.0.1", 0))
		return one.getsockname()[1]


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
	deadline = time.monotonic() + seconds
	while not is_so():
		if time.monotonic() > deadline:
			raise TimeoutError(f"Waited {seconds:.0f} seconds for {what}")
		time.sleep(0.05)
