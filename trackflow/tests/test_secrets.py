"""SEC-3: after a run in which every secret is used, rightly and wrongly, none of them stands anywhere in clear: in no table, no Redis, no
log and no answer but the one that shows it."""

import logging
from typing import ClassVar
from unittest.mock import patch

import frappe
from werkzeug.test import TestResponse

from trackflow.access import request_log
from trackflow.access.api_keys import PREFIX_LENGTH
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.runs import note_failure
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.sync import pipedrive, run, transport
from trackflow.tests.base import TrackFlowTestCase, work
from trackflow.tests.factories import make_domain, make_link, set_settings
from trackflow.tests.pipedrive_server import TOKEN, Pipedrive
from trackflow.tests.receiver import Receiver
from trackflow.tests.sync_case import form, rows_of_mapping
from trackflow.tests.users import PeopleTestCase
from trackflow.tracking import store
from trackflow.webhooks import sender

MANAGER = "secrets.manager@example.com"
PASSWORD, BUCKET_SECRET = "7-open-sesame-7", "bucket-secret-9d1f"
API = "/api/method/trackflow.api"
READS = (
	"/api/resource/TrackFlow Settings/TrackFlow Settings",
	'/api/resource/TrackFlow API Key?fields=["*"]',
	"/api/resource/TrackFlow API Key/secrets",
	'/api/resource/Tracked Link?fields=["*"]',
	'/api/resource/API Request Log?fields=["*"]',
	'/api/resource/Webhook Delivery?fields=["*"]',
	'/api/resource/CRM Sync Log?fields=["*"]',
	f"{API}.settings.get_settings",
	f"{API}.crm_sync.get_sync",
	f"{API}.webhooks.get_webhooks",
	f"{API}.webhooks.get_deliveries",
	f"{API}.access.list_api_keys",
	f"{API}.health.get_metrics",
)


class Heard(logging.Handler):
	"""All that is logged meanwhile, whoever logs."""

	def __init__(self) -> None:
		super().__init__(0)
		self.lines: list[str] = []

	def emit(self, record: logging.LogRecord) -> None:
		self.lines.append(self.format(record))


class TestNoSecretInClear(PeopleTestCase):
	roles: ClassVar[dict[str, tuple[str, ...]]] = {MANAGER: (TRACKFLOW_MANAGER, CAMPAIGN_MANAGER)}

	def setUp(self) -> None:
		super().setUp()
		self.answers: list[str] = []
		self.heard = Heard()
		for name in ("", "trackflow"):
			logger = logging.getLogger(name) if not name else frappe.logger(name)
			logger.addHandler(self.heard)
			self.addCleanup(logger.removeHandler, self.heard)
		self.receiver = self.enterContext(Receiver())
		self.pipedrive = self.enterContext(Pipedrive())
		self.enterContext(patch.object(sender, "allows_private", lambda: True))
		self.enterContext(patch.object(transport, "FIRST_PAUSE_SECONDS", 0.01))
		self.enterContext(patch.dict(frappe.local.conf, {pipedrive.ADDRESS: self.pipedrive.address}))

	def ask(self, method: str, path: str, is_shown: bool = False, **options: object) -> TestResponse:
		headers = {**self.authorization(MANAGER), **options.pop("headers", {})}
		answer = self.request(method, path, headers=headers, **options)
		if not is_shown:
			self.answers.append(answer.get_data(as_text=True))
		return answer

	def test_a_run(self) -> None:
		secrets = self.used()
		work()
		run.work()
		request_log.store()
		drain()
		for path in READS:
			self.assertEqual(self.ask("GET", path).status_code, 200, path)
		places = {
			"answers": self.answers,
			"logs": self.heard.lines,
			"tables": self.rows(),
			"Redis": self.redis(),
		}
		for name, secret in secrets.items():
			for place, texts in places.items():
				self.assertFalse([text[:300] for text in texts if secret in text], f"{name} in {place}")
		# What is looked for is found where it is.
		self.assertTrue([text for text in places["tables"] if self.prefix in text])

	def used(self) -> dict[str, str]:
		"""Make every kind of secret, and use it, rightly and wrongly; answers them by name."""
		make_domain()
		body = {"key_name": "secrets", "scopes": ["admin:read", "links:read"]}
		key = self.ask("POST", f"{API}.access.create_api_key", True, json=body).json["message"]["key"]
		rotated = self.ask("POST", f"{API}.access.rotate_api_key", True, json={"name": "secrets"}).json[
			"message"
		]["key"]
		self.prefix = rotated[:PREFIX_LENGTH]
		for shown in (key, rotated, rotated[:-1] + "x"):
			for headers in ({"Authorization": f"Bearer {shown}"}, {"X-TrackFlow-Key": shown}):
				answer = self.request("GET", f"{API}.health.get_metrics", headers=headers)
				self.answers.append(answer.get_data(as_text=True))
		hook = {"key": "secrets", "url": self.receiver.address, "events": ["link.created"]}
		signing = self.ask("POST", f"{API}.webhooks.add_webhook", True, json=hook).json["message"]["secret"]
		set_settings(
			collect_form_values=1,
			sync_enabled=1,
			sync_token=TOKEN,
			sync_delay_minutes=0,
			sync_fields=rows_of_mapping("utm_source"),
			archive_s3_secret_key=BUCKET_SECRET,
		)
		make_link("vault", password=PASSWORD)
		for password in (PASSWORD, "wrong"):
			answer = self.request("POST", "/r/vault", data={"password": password})
			self.answers.append(answer.get_data(as_text=True))
		store.store([form()])
		self.ask("POST", f"{API}.crm_sync.check_fields")
		self.ask("POST", f"{API}.crm_sync.preview_sync")
		frappe.db.commit()
		return {
			"key": key[PREFIX_LENGTH + 1 :],
			"rotated key": rotated[PREFIX_LENGTH + 1 :],
			"webhook secret": signing,
			"token": TOKEN,
			"link password": PASSWORD,
			"bucket secret": BUCKET_SECRET,
		}

	@staticmethod
	def rows() -> list[str]:
		"""Every row of every table of the site, as text."""
		frappe.db.commit()
		return [
			str(row)
			for table in frappe.db.get_tables()
			# Some hosts name other schemas' tables, too.
			if table.startswith(("tab", "__"))
			for row in frappe.db.sql(f"select * from `{table}`")
		]

	@staticmethod
	def redis() -> list[str]:
		"""All that both Redis hold; Frappe's own caches of documents among it."""
		found = []
		for redis in {id(one): one for one in (queue_redis(), frappe.cache())}.values():
			for name in redis.keys("*"):
				found.append(repr(_value(redis, name)))
		return found


def _value(redis: object, name: bytes) -> object:
	kind = redis.type(name)
	kind = kind.decode() if isinstance(kind, bytes) else kind
	if kind == "hash":
		return redis.execute_command("HGETALL", name)
	if kind == "list":
		return redis.execute_command("LRANGE", name, 0, -1)
	if kind in ("set", "zset"):
		return name
	if kind == "stream":
		return redis.execute_command("XRANGE", name, "-", "+")
	return redis.execute_command("GET", name)


class TestErrorLog(TrackFlowTestCase):
	"""SEC-3: what goes wrong is noted with where, and not with whose data it went wrong."""

	def test_no_variables(self) -> None:
		address = "ada@example.com"
		try:
			raise ValueError(len(address))
		except ValueError:
			note_failure("TrackFlow: tried")
		row = frappe.get_last_doc("Error Log", {"method": "TrackFlow: tried"})
		self.assertIn("raise ValueError(len(address))", row.error)
		self.assertNotIn(address, row.error.replace('address = "ada@example.com"', ""))
