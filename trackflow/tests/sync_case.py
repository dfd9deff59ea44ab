"""What tests of the sync share: Pipedrive on loopback, settings that lead there, forms of people."""

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow.sync import pipedrive, run, transport
from trackflow.sync.intake import LOG
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import SHOP, VISITOR, event_record, make_domain, set_settings
from trackflow.tests.pipedrive_server import TOKEN, Pipedrive, key_of
from trackflow.tracking import store

FIELDS = (
	("utm_source", "Source", "varchar"),
	("gclid", "Google click", "varchar"),
	("visited_pages", "Pages", "text"),
	("last_visited_on", "Last visit", "varchar"),
	("session_duration", "Duration", "varchar"),
	("location", "Location", "varchar"),
	("page_views", "Views", "double"),
	("first_visited_on", "First seen", "date"),
	("ip_address", "Address", "varchar"),
)
ADA = {"email": "Ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}


class SimulatedTime:
	"""A clock that waiting moves on, so that nobody waits; it begins with the real time."""

	def __init__(self) -> None:
		import time

		self._real, self.ahead = time, 0.0
		self.slept: list[float] = []

	def time(self) -> float:
		return self._real.time() + self.ahead

	def monotonic(self) -> float:
		return self._real.monotonic() + self.ahead

	def sleep(self, seconds: float) -> None:
		self.slept.append(seconds)
		self.ahead += seconds


def rows_of_mapping(*names: str) -> list[dict[str, str]]:
	chosen = [one for one in FIELDS if not names or one[0] in names]
	return [
		{"source": source, "remote_field": key_of(label), "remote_label": label, "remote_type": kind}
		for source, label, kind in chosen
	]


def form(number: int = 1, **values: Any) -> dict[str, Any]:
	"""A form as the collector writes it; `typed` is what was typed."""
	typed = values.pop("typed", ADA)
	said = {"person": {"consent_status": "Granted", "consent_policy_version": "1"}, "domain": SHOP}
	told = {"form_name": "Contact", "fields": list(typed), "values": typed}
	return event_record(number, event_type="FORM_SUBMIT", form=told, **{**said, **values})


class SyncTestCase(TrackFlowTestCase):
	"""A site whose forms are synced to a Pipedrive of this test's own, at once."""

	delay = 0

	def setUp(self) -> None:
		super().setUp()
		self.pipedrive = self.enterContext(Pipedrive([(label, kind) for _source, label, kind in FIELDS]))
		self.enterContext(patch.dict(frappe.local.conf, {pipedrive.ADDRESS: self.pipedrive.address}))
		self.enterContext(patch.object(transport, "FIRST_PAUSE_SECONDS", 0.01))
		make_domain()
		set_settings(
			collect_form_values=1,
			sync_enabled=1,
			sync_token=TOKEN,
			sync_delay_minutes=self.delay,
			sync_fields=rows_of_mapping(),
		)

	def submit(self, *forms: dict[str, Any]) -> None:
		store.store(list(forms or [form()]))
		frappe.db.commit()

	def logs(self) -> list[dict[str, Any]]:
		frappe.db.commit()
		return frappe.get_all(LOG, fields=["*"], order_by="email, name")

	def log(self) -> dict[str, Any]:
		(row,) = self.logs()
		return row

	def state(self) -> tuple[str, str]:
		row = self.log()
		return row.status, row.reason or ""

	def work(self, **options: Any) -> run.Report:
		return run.work(**options)

	def make_due(self) -> None:
		frappe.db.set_value(LOG, {"status": "pending"}, "due_at", now_datetime() - timedelta(seconds=1))
		frappe.db.commit()

	def written(self, person: int) -> dict[str, Any]:
		labels = {key: label for key, label, _kind in self.pipedrive.fields}
		return {labels[key]: value for key, value in self.pipedrive.persons[person]["custom_fields"].items()}

	def assert_nothing_but_updates(self) -> None:
		"""Update only, never create."""
		self.assertLessEqual({method for method, _path in self.pipedrive.requests}, {"GET", "PATCH"})


def visitor(number: int = 1) -> str:
	return VISITOR.format(number)


def soon(minutes: float) -> datetime:
	return now_datetime() + timedelta(minutes=minutes)
