"""Archives in S3 buckets: against a server on this machine that has S3's interface (RET-1)."""

import logging
import socket
import unittest
from typing import Any, ClassVar
from unittest.mock import patch

import frappe

from trackflow import doctor
from trackflow.privacy import retention
from trackflow.privacy.archive import guard, places, restoring, s3_place, trouble
from trackflow.tests.factories import set_settings
from trackflow.tests.test_archive import ArchiveTestCase
from trackflow.tests.test_archive_places import PRIVATE

try:
	from moto.server import ThreadedMotoServer
except ImportError:
	ThreadedMotoServer = None


class _Closed:
	"""What a botocore of another make may keep its connections in."""

	__slots__ = ()

	def __setattr__(self, name: str, value: Any) -> None:
		pass


SECRET = "secret-that-nobody-may-see"


@unittest.skipUnless(ThreadedMotoServer, "moto's server is not installed")
class TestBuckets(ArchiveTestCase):
	"""Both buckets have every file before its rows go."""

	server: ClassVar[Any]
	target = "Off"

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			port = free.getsockname()[1]
		logging.getLogger("werkzeug").setLevel(logging.ERROR)
		cls.server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
		cls.server.start()
		cls.endpoint = f"http://127.0.0.1:{port}"

	@classmethod
	def tearDownClass(cls) -> None:
		cls.server.stop()
		super().tearDownClass()

	def setUp(self) -> None:
		super().setUp()
		self.enterContext(patch.dict(frappe.local.conf, PRIVATE))
		self.enterContext(patch.object(s3_place, "ATTEMPTS", 1))
		set_settings(
			archive_target=places.S3,
			archive_s3_bucket="first-bucket",
			archive_s3_backup_bucket="second-bucket",
			archive_s3_region="eu-central-1",
			archive_s3_endpoint=self.endpoint,
			archive_s3_access_key="id",
			archive_s3_secret_key=SECRET,
		)
		self.client = s3_place.buckets()[0]._client
		for bucket in ("first-bucket", "second-bucket"):
			self.client.create_bucket(
				Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
			)
			self.addCleanup(self.empty, bucket)
		self.visit(1, 900)

	def keys(self, bucket: str) -> list[str]:
		return [one["Key"] for one in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]

	def empty(self, bucket: str, *, goes: bool = True) -> None:
		try:
			for key in self.keys(bucket):
				self.client.delete_object(Bucket=bucket, Key=key)
			if goes:
				self.client.delete_bucket(Bucket=bucket)
		except self.client.exceptions.NoSuchBucket:
			pass

	def test_in_both(self) -> None:
		before = self.stored()
		retention.run()
		self.assertEqual((trouble.current(), self.stored()), ("", {}))
		expected = [f"trackflow/{frappe.local.site}/{row['name']}" for row in self.records()]
		self.assertEqual((self.keys("first-bucket"), self.keys("second-bucket")), (expected, expected))
		self.assertEqual(len(self.records()[0]["places"].splitlines()), 2)
		# The second one is there for when the first is not.
		self.empty("first-bucket", goes=False)
		for row in self.records():
			restoring.restore(row["name"])
		self.assertEqual(self.stored().keys(), before.keys())

	def test_without_the_second_nothing_goes(self) -> None:
		before = self.stored()
		self.empty("second-bucket")
		retention.run()
		self.assertIn("There is no bucket second-bucket", trouble.current())
		self.assertEqual(self.stored(), before)
		(kept,) = self.keys("first-bucket")
		self.client.create_bucket(
			Bucket="second-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
		)
		retention.run()
		self.assertEqual((trouble.current(), self.stored()), ("", {}))
		self.assertIn(kept, self.keys("first-bucket"))
		self.assertEqual(self.keys("first-bucket"), self.keys("second-bucket"))

	def test_nobody_listens(self) -> None:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			address = f"http://127.0.0.1:{free.getsockname()[1]}"
		set_settings(archive_s3_endpoint=address)
		retention.run()
		self.assertIn("does not answer as it should (EndpointConnectionError)", trouble.current())
		self.assertEqual(frappe.db.count("Click Event"), 1)

	def test_a_host_that_is_another_one_when_it_is_asked(self) -> None:
		"""SEC-3: a name server may say a public address first; the connection's other end counts."""
		before = self.stored()
		with (
			patch.dict(frappe.local.conf, {guard.ALLOWED: 0}),
			patch.object(guard, "check_address"),
			patch.object(guard, "check_host"),
		):
			retention.run()
		self.assertIn("127.0.0.1 is 127.0.0.1, an address of a private network", trouble.current())
		self.assertEqual((self.stored(), self.keys("first-bucket")), (before, []))

	def test_a_botocore_that_cannot_be_watched(self) -> None:
		with patch("botocore.httpsession.PoolManager", lambda **_options: object.__new__(_Closed)):
			retention.run()
		self.assertIn("The version of botocore", trouble.current())
		self.assertEqual(frappe.db.count("Click Event"), 1)

	def test_the_secret_is_nowhere(self) -> None:
		self.empty("second-bucket")
		retention.run()
		errors = frappe.get_all("Error Log", fields=["method", "error"], order_by="name")
		said = (
			errors,
			trouble.current(),
			doctor.examine(),
			self.records(),
			frappe.db.get_singles_dict("TrackFlow Settings"),
		)
		self.assertFalse([one for one in said if SECRET in str(one)])

	def test_without_boto3(self) -> None:
		with patch.dict("sys.modules", {"boto3": None}):
			retention.run()
			finding = next(one for one in doctor.examine() if one.check == "Archive")
		self.assertIn("boto3 is missing", trouble.current())
		self.assertEqual(finding.mark, doctor.BROKEN)
