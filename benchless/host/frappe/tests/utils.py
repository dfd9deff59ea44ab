"""FrappeTestCase and its companions, with the names and the transaction rules of Frappe v15.

What a test class writes is rolled back when the class is done, unless it commits. Within a class tests see each
other's documents.
"""

import copy
import datetime
import signal
import unittest
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import frappe
from frappe.model.base_document import BaseDocument
from frappe.utils import cint, get_datetime, get_system_timezone

DATETIME_LIKE = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta)


class FrappeTestCase(unittest.TestCase):
	"""Base of tests that touch the site. A subclass with a `setUpClass` of its own calls super's."""

	TEST_SITE = "test_site"
	maxDiff = 10_000

	@classmethod
	def setUpClass(cls) -> None:
		cls.TEST_SITE = getattr(frappe.local, "site", None) or cls.TEST_SITE
		cls.ADMIN_PASSWORD = frappe.get_conf(cls.TEST_SITE).admin_password
		cls._primary_connection = frappe.local.db
		cls._secondary_connection = None
		# what came before belongs to nobody's rollback
		frappe.db.commit()
		cls.addClassCleanup(_restore_thread_locals, copy.deepcopy(frappe.local.flags))
		cls.addClassCleanup(_rollback)
		super().setUpClass()

	def assertSequenceSubset(self, larger: Sequence, smaller: Sequence, msg: str | None = None) -> None:
		self.assertTrue(set(smaller).issubset(set(larger)), msg=msg)

	def assertDocumentEqual(self, expected: dict | BaseDocument, actual: BaseDocument) -> None:
		"""Every field that is expected, child rows included, has its value."""
		expected = expected.as_dict() if isinstance(expected, BaseDocument) else expected
		for field, value in expected.items():
			found = actual.get(field)
			if not isinstance(value, list):
				self._compare_field(value, found, actual, field)
				continue
			self.assertEqual(len(value), len(found), msg=f"{field} length should be same")
			for wanted, row in zip(value, found, strict=True):
				self.assertDocumentEqual(wanted, row)

	def _compare_field(self, expected: Any, actual: Any, doc: BaseDocument, field: str) -> None:
		msg = f"{field} should be same."
		if isinstance(expected, float):
			self.assertAlmostEqual(expected, actual, places=doc.precision(field), msg=msg)
		elif isinstance(expected, bool | int):
			self.assertEqual(expected, cint(actual), msg=msg)
		elif isinstance(expected, DATETIME_LIKE):
			self.assertEqual(str(expected), str(actual), msg=msg)
		else:
			self.assertEqual(expected, actual, msg=msg)

	@contextmanager
	def primary_connection(self) -> Iterator[None]:
		"""Act through the first connection, within `secondary_connection`."""
		current = frappe.local.db
		try:
			frappe.local.db = self._primary_connection
			yield
		finally:
			frappe.local.db = current

	@contextmanager
	def secondary_connection(self) -> Iterator[None]:
		"""Act through a second connection, as another user at the same time would."""
		if self._secondary_connection is None:
			frappe.connect()
			type(self)._secondary_connection = frappe.local.db
			self.addClassCleanup(frappe.local.db.close)
		current = self._primary_connection
		try:
			frappe.local.db = self._secondary_connection
			yield
		finally:
			frappe.local.db = current
			self.addCleanup(self._rollback_connections)

	def _rollback_connections(self) -> None:
		self._primary_connection.rollback()
		self._secondary_connection.rollback()

	@contextmanager
	def assertQueryCount(self, count: int) -> Iterator[None]:
		"""At most `count` statements go to the database."""
		queries: list[str] = []
		database = frappe.db.__class__
		original = database.sql

		def counted(*args: Any, **kwargs: Any) -> Any:
			result = original(*args, **kwargs)
			queries.append(str(args[0].last_query))
			return result

		with patch.object(database, "sql", counted):
			yield
		self.assertLessEqual(len(queries), count, msg="Queries executed: \n" + "\n\n".join(queries))

	@contextmanager
	def assertRedisCallCounts(self, count: int) -> Iterator[None]:
		"""At most `count` commands go to the cache."""
		commands: list[tuple] = []
		original = frappe.cache.execute_command

		def counted(*args: Any, **kwargs: Any) -> Any:
			commands.append(args[:3])
			return original(*args, **kwargs)

		with patch.object(frappe.cache, "execute_command", counted):
			yield
		self.assertLessEqual(
			len(commands),
			count,
			msg="commands executed: \n" + "\n".join(str(command) for command in commands),
		)

	@contextmanager
	def set_user(self, user: str) -> Iterator[None]:
		former = frappe.session.user
		try:
			frappe.set_user(user)
			yield
		finally:
			frappe.set_user(former)

	@contextmanager
	def switch_site(self, site: str) -> Iterator[None]:
		"""Work on another site; the connection to this one is a new one afterwards."""
		former, sites_path = frappe.local.site, frappe.local.sites_path
		try:
			frappe.init(site, sites_path=sites_path, force=True)
			frappe.connect()
			yield
		finally:
			frappe.init(former, sites_path=sites_path, force=True)
			frappe.connect()

	@contextmanager
	def freeze_time(self, time_to_freeze: Any, *args: Any, **kwargs: Any) -> Iterator[None]:
		"""The clock stands at a time of the site's time zone."""
		from freezegun import freeze_time

		local_time = get_datetime(time_to_freeze).replace(tzinfo=ZoneInfo(get_system_timezone()))
		with freeze_time(local_time.astimezone(datetime.UTC), *args, **kwargs):
			yield


def _rollback() -> None:
	frappe.db.value_cache = {}
	frappe.db.rollback()


def _restore_thread_locals(flags: frappe._dict) -> None:
	frappe.local.flags = flags
	frappe.local.error_log = []
	frappe.local.message_log = []
	frappe.local.debug_log = []
	frappe.local.conf = frappe._dict(frappe.get_site_config())
	frappe.local.cache = {}
	frappe.local.lang = "en"
	if hasattr(frappe.local, "request"):
		del frappe.local.request


@contextmanager
def change_settings(
	doctype: str, settings_dict: dict | None = None, /, commit: bool = False, **settings: Any
) -> Iterator[None]:
	"""Settings with other values for a while; as a decorator or in a `with` statement."""
	wanted = settings_dict if settings_dict is not None else settings

	def apply(values: dict) -> dict:
		doc = frappe.get_doc(doctype)
		former = {key: doc.get(key) for key in values}
		for key, value in values.items():
			doc.set(key, value)
		doc.save(ignore_permissions=True)
		frappe.db.value_cache = {}
		if commit:
			frappe.db.commit()
		return former

	former = apply(wanted)
	try:
		yield
	finally:
		apply(former)


def timeout(seconds: int | Callable = 30, error_message: str = "Test timed out.") -> Callable:
	"""Decorator: a test that takes longer fails. With or without arguments."""
	if callable(seconds):
		return timeout(30)(seconds)

	def decorator(function: Callable) -> Callable:
		def expire(_signum: int, _frame: Any) -> None:
			raise Exception(error_message)

		def wrapper(*args: Any, **kwargs: Any) -> Any:
			signal.signal(signal.SIGALRM, expire)
			signal.alarm(seconds)
			try:
				return function(*args, **kwargs)
			finally:
				signal.alarm(0)

		return wrapper

	return decorator


@contextmanager
def patch_hooks(overridden_hooks: dict[str, Any]) -> Iterator[None]:
	"""Some hooks have other values for a while."""
	get_hooks = frappe.get_hooks

	def patched(
		hook: str | None = None, default: Any = "_KEEP_DEFAULT_LIST", app_name: str | None = None
	) -> Any:
		return overridden_hooks[hook] if hook in overridden_hooks else get_hooks(hook, default, app_name)

	with patch.object(frappe, "get_hooks", patched):
		yield
