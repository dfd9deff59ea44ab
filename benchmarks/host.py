"""The site that a benchmark works on: one of benchless beside servers of its own, or one of a bench that is named.

`open_site` leaves the thread connected as Administrator. A site of a bench is filled with made-up records, which stay.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ON_BENCH, servers

SITE = "benchmark.localhost"
# What a MariaDB gets that serves a site of this size.
MARIADB_OPTIONS = ["--innodb-buffer-pool-size=2G", "--innodb-log-file-size=512M"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
	parser.add_argument(
		"--bench",
		metavar="FOLDER",
		help="sites folder of the bench whose Python this is; the current one by default",
	)
	parser.add_argument(
		"--site",
		default=SITE,
		help="the bench's site; it must allow tests, as what is recorded there is mixed up or deleted",
	)
	parser.add_argument(
		"--folder", help="keep servers' data and site here for the next run; a temporary one by default"
	)
	parser.add_argument("--keep", action="store_true", help="append the result to docs/benchmarks.md")


@dataclass(frozen=True)
class Host:
	"""Where the benchmark runs, as a word for the docs; `database` is the process of a MariaDB of our own."""

	name: str
	database: int | None = None

	def database_cpu(self) -> float:
		"""Seconds of processor time that our MariaDB has used."""
		if not self.database:
			return 0.0
		fields = Path(f"/proc/{self.database}/stat").read_text().rpartition(")")[2].split()
		return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def open_site(args: argparse.Namespace) -> Iterator[Host]:
	"""Connect this thread to the site."""
	if ON_BENCH:
		args.bench = str(Path(args.bench or ".").resolve())
		with _connected(args.site, args.bench):
			_check_purpose()
			yield Host("a bench")
		return
	args.site = SITE
	with servers.Folder(args.folder) as folder, _servers(folder) as database:
		os.environ["BENCHLESS_SITES"] = str(folder / "sites")
		from benchless.sites import ensure_site, use_sites_path

		sites = use_sites_path()
		ensure_site(SITE, ["trackflow"])
		with _connected(SITE, sites):
			yield Host("benchless", database)


@contextmanager
def _servers(folder: Path) -> Iterator[int | None]:
	"""The servers that the environment names, else servers of our own."""
	own_database = not os.environ.get("BENCHLESS_DB_URL")
	own_redis = not os.environ.get("BENCHLESS_REDIS_URL")
	database = servers.MariaDB(folder, MARIADB_OPTIONS) if own_database else nullcontext()
	redis = servers.Redis(folder) if own_redis else nullcontext()
	with database, redis:
		if own_database:
			os.environ["BENCHLESS_DB_URL"] = database.url
		if own_redis:
			os.environ["BENCHLESS_REDIS_URL"] = redis.url
		yield database.process.pid if own_database else None


def _check_purpose() -> None:
	"""A benchmark makes up a million clicks: never on a site that somebody works with."""
	import frappe

	if not frappe.conf.get("allow_tests"):
		raise SystemExit(
			"This site is not one for tests (allow_tests in its configuration): nothing was done."
		)


@contextmanager
def _connected(site: str, sites: str) -> Iterator[None]:
	os.chdir(sites)
	import frappe

	frappe.init(site=site, sites_path=sites)
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()
