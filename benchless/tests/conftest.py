"""A second site, of the probe app, and a server for it: beside the session's own site, in the same folder."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchless.server import Server

from benchless import sites

sys.path.insert(0, str(Path(__file__).parent))

# the fixtures of the data half
from shelf_site import on_shelf, shelf_site

PROBE_SITE = "probe.localhost"


@pytest.fixture(scope="session")
def probe_site(request: pytest.FixtureRequest) -> Iterator[str]:
	from benchless.pytest_plugin import SITE

	session_site = request.config.stash[SITE]
	sites.leave()
	sites.new_site(PROBE_SITE, db_name=f"{session_site.db_name}_probe")
	sites.ensure_site(PROBE_SITE, ("crm", "probe"))
	session_site.open()
	yield PROBE_SITE
	sites.leave()
	sites.drop_site(PROBE_SITE)
	session_site.open()


@pytest.fixture(scope="session")
def server(probe_site: str) -> Iterator[Server]:
	with Server(site=probe_site, background=False) as running:
		yield running


@pytest.fixture
def on_probe(request: pytest.FixtureRequest, probe_site: str) -> Iterator[None]:
	"""The test's own thread works on the probe site."""
	import frappe
	from benchless.pytest_plugin import SITE

	sites.enter(probe_site)
	frappe.connect()
	frappe.flags.in_test = True
	yield
	frappe.db.rollback()
	sites.leave()
	request.config.stash[SITE].open()
