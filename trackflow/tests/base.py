"""The base of tests that touch Frappe, for both hosts: clean tables, real requests, real jobs.

Requests go through the whole WSGI application in a thread of their own, as Frappe's own tests do. Tests must run where no
worker of the site is running, or it takes their clicks from under them.
"""

import os
import subprocess
import sys
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from werkzeug.test import Client, TestResponse

from trackflow.config import forget_config
from trackflow.constants.defaults import FALLBACK_CURRENCY, SETTINGS
from trackflow.constants.models import DEFAULT_MODEL
from trackflow.privacy import aged
from trackflow.privacy.archive import trouble
from trackflow.redirect import known
from trackflow.stream import connection, spool, tally
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.writer import DUE_KEY

try:
	from frappe.tests import IntegrationTestCase as FrappeTestCase
except ImportError:
	from frappe.tests.utils import FrappeTestCase

HAS_CRM = "crm" in frappe.get_installed_apps()
needs_crm = unittest.skipUnless(HAS_CRM, "Frappe CRM is not installed on this site")

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
IPHONE = (
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/17.5 Mobile/15E148 Safari/604.1"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

QUEUES = ("short", "default", "long")
# Emptied around every test, in an order that no link check minds.
RECORDED = (
	"Attribution Link", "Attribution Training", "Daily Rollup", "Daily Click Rollup", "Rollup Day", "Daily Campaign Metric", "TrackFlow Exchange Rate", "Waste Acknowledgement",
	"Link Conversion", "Deal Attribution", "Deal Link Association", "Deal Stage Change",
	"Lead Status Change", "Conversion Export Row", "Conversion Export", "Conversion", "Touch Point", "Visitor Event",
	"Email Campaign Log", "Campaign Mailing Link", "Campaign Mailing", "Visitor Session", "Click Event", "Click Queue", "Visitor", "Campaign Link Variant", "Tracked Link Rule", "Tracked Link", "Link Campaign",
	"Webhook Delivery", "API Request Log", "API Key Permission", "API Key IP Whitelist", "API Key Webhook Event", "TrackFlow API Key",
	"Cost Import Row", "Cost Import", "Cost Import Column", "Cost Import Mapping", "CRM Sync Log",
	"Domain Header Configuration", "Domain Configuration", "Attribution Channel Rule", "Archive File",
)  # fmt: skip
CRM_DOCUMENTS = ("CRM Deal", "CRM Lead", "CRM Organization")


class TrackFlowTestCase(FrappeTestCase):
	"""A site without tracking data, before and after each test."""

	maxDiff = None
	settings: ClassVar[dict[str, Any]] = {"enable_tracking": 1}

	def setUp(self) -> None:
		super().setUp()
		frappe.set_user("Administrator")
		wipe()

	def tearDown(self) -> None:
		frappe.db.rollback()
		frappe.set_user("Administrator")
		wipe()
		super().tearDown()

	def get(self, path: str, **options: Any) -> TestResponse:
		"""A GET request to the site; see `request`."""
		return self.request("GET", path, **options)

	def request(
		self,
		method: str,
		path: str,
		*,
		headers: dict[str, str] | None = None,
		cookies: dict[str, str] | None = None,
		address: str = "203.0.113.7",
		host: str | None = None,
		agent: str = CHROME,
		queues_drain: bool = False,
		**options: Any,
	) -> TestResponse:
		"""A request through the whole application, from `address` with the user agent `agent`.

		What the test has written is committed first, so that the request sees it. Tests drain by themselves: unless one asks
		for it, the request finds a drain under way, and queues no job that a later worker would have to run.
		"""
		frappe.db.commit()
		if not queues_drain:
			queue_redis().set(connection.key(DUE_KEY), 1, ex=60)
		headers = {"User-Agent": agent, "X-Frappe-Site-Name": frappe.local.site, **(headers or {})}
		base_url = f"http://{host or frappe.local.site}"
		answers: list[TestResponse] = []

		def run() -> None:
			import frappe.app

			client = Client(frappe.app.application)
			for name, value in (cookies or {}).items():
				client.set_cookie(name, value, domain=base_url.removeprefix("http://").partition(":")[0])
			answer = client.open(
				path,
				method=method,
				base_url=base_url,
				headers=headers,
				environ_overrides={"REMOTE_ADDR": address},
				**options,
			)
			answer.get_data()
			answer.close()
			answers.append(answer)

		thread = Thread(target=run)
		thread.start()
		thread.join()
		# A new snapshot, to see what the request stored.
		frappe.db.rollback()
		return answers[0]


def wipe() -> None:
	"""Empty what is recorded, the streams and the snapshots."""
	for doctype in RECORDED:
		frappe.db.delete(doctype)
	if HAS_CRM:
		for doctype in CRM_DOCUMENTS:
			frappe.db.delete(doctype)
	settings = frappe.get_single("TrackFlow Settings")
	before = _said(settings)
	currency = frappe.db.get_default("currency") or FALLBACK_CURRENCY
	settings.update({**SETTINGS, "default_attribution_model": DEFAULT_MODEL, "reporting_currency": currency})
	settings.set("internal_ip_ranges", [])
	settings.set("trusted_proxies", None)
	settings.set("blocked_addresses", None)
	settings.set("weekly_summary_recipients", None)
	settings.set("weekly_summary_sent", None)
	settings.set("sync_fields", [])
	for field in settings.meta.fields:
		if field.fieldname in ("sync_company", "sync_token"):
			settings.set(field.fieldname, None)
		if field.fieldname.startswith("archive_") and not field.default:
			settings.set(field.fieldname, None)
	if _said(settings) != before:
		settings.save(ignore_permissions=True)
	aged.forget_deletions()
	trouble.clear()
	frappe.db.commit()
	for model in frappe.get_all("Attribution Model", pluck="name"):
		frappe.clear_document_cache("Attribution Model", model)
	forget_config()
	known._by_site.clear()
	tally.forget()
	frappe.cache.delete_keys("trackflow:link:")
	redis = queue_redis()
	for key in redis.scan_iter(connection.key("*").replace("{", "[{]").replace("}", "[}]")):
		redis.delete(key)
	for path in spool.folder().glob("*"):
		path.unlink()
	_drop_jobs()


def _said(settings: Document) -> dict[str, Any]:
	"""What settings say; nothing is stored as None or as an empty text."""
	return {name: value or None for name, value in settings.as_dict().items()}


def _drop_jobs() -> None:
	"""What former tests queued would keep a later one's worker busy for minutes. Other sites' jobs stay."""
	if not is_bench():
		from benchless.testing import drop_jobs

		return drop_jobs()

	from frappe.utils.background_jobs import get_queue

	for queue in map(get_queue, QUEUES):
		for job_id in queue.get_job_ids():
			if job_id.startswith(f"{frappe.local.site}::") and (job := queue.fetch_job(job_id)):
				job.delete()


def work() -> None:
	"""Run what is queued, as the host's worker does, until nothing waits."""
	frappe.db.commit()
	if is_bench():
		from frappe.utils.background_jobs import start_worker

		# A process that is there already: to start Python and Frappe anew would take longer than most tests.
		child = fork(lambda: start_worker(queue=",".join(QUEUES), quiet=True, burst=True))
		if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
			raise RuntimeError(f"The worker ended with {status}")
	else:
		from benchless.testing import run_jobs

		run_jobs()
	frappe.db.rollback()


def is_shared() -> bool:
	"""Whether other processes see what this one writes: MariaDB, and a Redis that is not in this process."""
	return frappe.db.db_type == "mariadb" and not type(queue_redis()).__module__.startswith("fakeredis")


def fork(work: Callable[[], Any]) -> int:
	"""Do `work` in a process of its own, with connections of its own; the id of the process, which ends with 0 if all was
	well."""
	site, sites_path = frappe.local.site, frappe.local.sites_path
	frappe.db.commit()
	child = os.fork()
	if child:
		return child
	status = 1
	try:
		frappe.init(site=site, sites_path=sites_path, force=True)
		frappe.connect()
		work()
		status = 0
	finally:
		os._exit(status)


def is_bench() -> bool:
	"""Whether the host is a real bench."""
	return "benchless" not in sys.modules


def sites_folder() -> str:
	"""The folder that holds the host's sites."""
	return os.path.abspath(frappe.local.sites_path)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
	"""The SQL statements that all threads send meanwhile."""
	statements: list[str] = []
	database = type(frappe.local.db)
	original = database.sql

	def counting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
		statements.append(str(query))
		return original(self, query, *args, **kwargs)

	with patch.object(database, "sql", counting):
		yield statements
