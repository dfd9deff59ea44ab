"""`pytest -p benchless.pytest_plugin`: one fresh temporary site per session, with the apps of BENCHLESS_APPS.

SQLite and a Redis of this process, or the servers that BENCHLESS_DB_URL and BENCHLESS_REDIS_URL name: there with a
database of its own and with two Redis databases that were empty, all dropped at the end. `--no-site` for pure tests.
"""

import os
import shutil
import tempfile
import uuid
from urllib.parse import urlsplit

import pytest

from benchless import activate
from benchless.sites import (
	DEFAULT_APPS,
	drop_site,
	ensure_site,
	enter,
	get_sites,
	leave,
	new_site,
	use_sites_path,
)
from benchless.testing import stop_live_server

TEST_SITE = "test.localhost"
CLAIM = "benchless:claimed"
CLAIMED_FOR_SECONDS = 6 * 3600


class TemporarySite:
	"""The site of the session, and how to be rid of it."""

	def __init__(self) -> None:
		self.folder = tempfile.mkdtemp(prefix="benchless-")
		self.apps = (os.environ.get("BENCHLESS_APPS") or ",".join(DEFAULT_APPS)).replace(" ", "").split(",")
		self.environment = dict(os.environ)
		self.redis: ClaimedRedis | None = None
		self.db_name = f"benchless_{uuid.uuid4().hex[:10]}"

	def make(self) -> None:
		os.environ["BENCHLESS_SITES"] = use_sites_path(self.folder)
		os.environ["FRAPPE_SITE"] = TEST_SITE
		if os.environ.get("BENCHLESS_REDIS_URL"):
			self.redis = ClaimedRedis(os.environ["BENCHLESS_REDIS_URL"])
			os.environ["BENCHLESS_REDIS_URL"] = self.redis.url
		new_site(TEST_SITE, db_name=self.db_name)
		ensure_site(TEST_SITE, self.apps)
		self.open()

	def open(self) -> None:
		"""Leave the session's thread connected as Administrator, as `bench run-tests` does."""
		import frappe

		enter(TEST_SITE)
		frappe.connect()
		frappe.flags.in_test = True
		frappe.flags.mute_emails = True

	def drop(self) -> None:
		stop_live_server()
		leave()
		try:
			if TEST_SITE in get_sites():
				drop_site(TEST_SITE)
		finally:
			if self.redis:
				self.redis.release()
			shutil.rmtree(self.folder, ignore_errors=True)
			os.environ.clear()
			os.environ.update(self.environment)


class ClaimedRedis:
	"""Two neighbouring databases of a Redis server that were empty: cache and queue. Emptied again at the end."""

	def __init__(self, url: str):
		self.server = urlsplit(url)
		for number in range(14, -1, -2):
			if self.is_empty(number) and self.is_empty(number + 1) and self.claim(number):
				self.number, self.url = number, self.get_url(number)
				return
		raise pytest.UsageError(
			f"No two neighbouring databases of {url} are empty: benchless would not touch others"
		)

	def get_url(self, number: int) -> str:
		return self.server._replace(path=f"/{number}").geturl()

	def connect(self, number: int):
		import redis

		return redis.from_url(self.get_url(number))

	def is_empty(self, number: int) -> bool:
		return self.connect(number).dbsize() == 0

	def claim(self, number: int) -> bool:
		return bool(self.connect(number).set(CLAIM, os.getpid(), nx=True, ex=CLAIMED_FOR_SECONDS))

	def release(self) -> None:
		for number in (self.number + 1, self.number):
			self.connect(number).flushdb()


def pytest_addoption(parser: pytest.Parser) -> None:
	parser.addoption(
		"--no-site", action="store_true", help="make no site: for tests that do not touch Frappe"
	)


def pytest_configure(config: pytest.Config) -> None:
	"""The app's modules import frappe when they are collected, so its package must be there before."""
	activate()
	config.stash[SITE] = None


def pytest_sessionstart(session: pytest.Session) -> None:
	# Where pytest-xdist shares the tests out (`-n`), each of its workers has a site, and who shares them out needs none.
	if not session.config.getoption("--no-site") and not session.config.getoption("numprocesses", None):
		site = session.config.stash[SITE] = TemporarySite()
		site.make()


def pytest_unconfigure(config: pytest.Config) -> None:
	if site := config.stash.get(SITE, None):
		config.stash[SITE] = None
		site.drop()


SITE = pytest.StashKey[TemporarySite | None]()
