"""The site that a benchmark works on: one of benchless beside servers of its own, or one of a bench that is named.

`open_site` leaves the thread connected as Administrator. A site of a bench is filled with made-up records, which stay.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ON_BENCH, servers

SITE = "benchmark.localhost"
# What a MariaDB gets that serves a site of this size.
MARIADB_OPTIONS = ["--innodb-buffer-pool-size=6G", "--innodb-log-file-size=2G"]


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
def open_site(args: argparse.Namespace, apps: Sequence[str] = ("trackflow",)) -> Iterator[Host]:
	"""Connect this thread to the site, which has these apps: benchless installs them, a bench must have done so."""
	if ON_BENCH:
		args.bench = str(Path(args.bench or ".").resolve())
		with _connected(args.site, args.bench):
			_check_purpose(apps)
			yield Host("a bench")
		return
	args.site = SITE
	with servers.Folder(args.folder) as folder, _servers(folder) as database:
		os.environ["BENCHLESS_SITES"] = str(folder / "sites")
		from benchless.sites import ensure_site, use_sites_path

		sites = use_sites_path()
		ensure_site(SITE, apps)
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


def _check_purpose(apps: Sequence[str]) -> None:
	"""A benchmark makes up a million clicks: never on a site that somebody works with."""
	import frappe

	if missing := set(apps) - set(frappe.get_installed_apps()):
		raise SystemExit(f"This site lacks {', '.join(sorted(missing))}: nothing was done.")
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


def work() -> float:
	"""Run what is queued in a worker of the host's own kind, until nothing waits; its peak memory in MiB."""
	return end_work(begin_work())


def begin_work() -> int:
	"""Start that worker; the id of its process, which leads a group of its own."""
	import frappe

	frappe.db.commit()
	site, sites = frappe.local.site, os.path.abspath(frappe.local.sites_path)
	child = os.fork()
	if not child:
		status = 1
		try:
			os.setsid()
			_run_jobs(site, sites)
			status = 0
		finally:
			os._exit(status)
	return child


def end_work(worker: int) -> float:
	"""Wait for a worker's end; its peak memory in MiB."""
	import frappe

	_pid, status, used = os.wait4(worker, 0)
	if status:
		raise SystemExit("The worker failed.")
	frappe.db.rollback()
	return used.ru_maxrss / 1024


def kill_work(worker: int) -> None:
	"""SIGKILL, for the worker and whatever it has begun."""
	import frappe

	os.killpg(worker, signal.SIGKILL)
	os.waitpid(worker, 0)
	frappe.db.rollback()


def _run_jobs(site: str, sites: str) -> None:
	if ON_BENCH:
		command = [
			sys.executable,
			"-m",
			"frappe.utils.bench_helper",
			"frappe",
			"worker",
			"--burst",
			"--quiet",
		]
		subprocess.run([*command, "--queue", "short,default,long"], check=True, cwd=sites)
		return
	import frappe
	from benchless.testing import run_jobs

	frappe.init(site=site, sites_path=sites, force=True)
	frappe.connect()
	run_jobs()
