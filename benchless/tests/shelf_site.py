"""The site that the tests of the data half work on: of the app `shelf`, beside the session's own site.

On SQLite, or on the server that BENCHLESS_DB_URL names. `on_shelf` connects the test's thread to it and rolls back.
"""

from collections.abc import Iterator

import pytest

from benchless import sites

SITE = "shelf.localhost"


@pytest.fixture(scope="session")
def shelf_site(request: pytest.FixtureRequest) -> Iterator[str]:
	from benchless.pytest_plugin import SITE as SESSION

	session_site = request.config.stash[SESSION]
	sites.leave()
	sites.new_site(SITE, db_name=f"{session_site.db_name}_shelf")
	sites.ensure_site(SITE, ("shelf",))
	session_site.open()
	yield SITE
	sites.leave()
	sites.drop_site(SITE)
	session_site.open()


@pytest.fixture
def on_shelf(request: pytest.FixtureRequest, shelf_site: str) -> Iterator[None]:
	import frappe
	from benchless.pytest_plugin import SITE as SESSION

	sites.enter(shelf_site)
	frappe.connect()
	frappe.flags.in_test = True
	frappe.db.commit()
	yield
	frappe.db.rollback()
	sites.leave()
	request.config.stash[SESSION].open()
