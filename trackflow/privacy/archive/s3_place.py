"""Archive files in S3 buckets, Amazon's or a compatible service's (RET-1). Wants boto3, which Frappe v15 and v16 bring.

The host of a compatible service is judged before it is asked, and its address again when the connection stands. Without an access key in the settings boto3 looks where it always does: environment, shared files, the machine's role.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe import _

from trackflow.privacy.archive import guard
from trackflow.privacy.archive.draft import PIECE
from trackflow.privacy.archive.places import NotThere, PlaceError, within

TIMEOUT_SECONDS = 10
ATTEMPTS = 4
MISSING = ("404", "NoSuchKey", "NotFound")
FORBIDDEN = ("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")


class Bucket:
	"""A bucket; its files lie below the site's name, so that sites can share it."""

	def __init__(self, client: Any, name: str) -> None:
		self._client, self.name = client, name
		self._folder = f"trackflow/{frappe.local.site}"
		self.label = f"s3://{name}/{self._folder}"

	def put(self, path: Path) -> None:
		with path.open("rb") as file:
			self._ask("put_object", path.name, Body=file, ContentType="application/gzip")

	def read(self, name: str, size: int) -> Iterator[bytes]:
		body = self._ask("get_object", name)["Body"]
		try:
			yield from within(body.iter_chunks(PIECE), size)
		except Exception as error:
			raise self._said(error, name) from None
		finally:
			body.close()

	def _ask(self, action: str, name: str, **arguments: Any) -> Any:
		try:
			return getattr(self._client, action)(Bucket=self.name, Key=f"{self._folder}/{name}", **arguments)
		except Exception as error:
			raise self._said(error, name) from None

	def _said(self, error: Exception, name: str) -> PlaceError:
		"""The error in words. boto3's own of what the service answers hold no secrets; of others only the kind is told."""
		from botocore.exceptions import BotoCoreError, ClientError

		reason = error.kwargs.get("error") if isinstance(error, BotoCoreError) else None
		if isinstance(reason, PlaceError):
			return reason
		code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
		if code in MISSING:
			return NotThere(_("{0} is not in {1}.").format(name, self.label))
		if code == "NoSuchBucket":
			return PlaceError(
				_("There is no bucket {0}: make it, or name another one in the settings.").format(self.name)
			)
		if code in FORBIDDEN:
			return PlaceError(
				_(
					"{0} refuses the access key ({1}): it needs s3:PutObject, s3:GetObject and s3:ListBucket there."
				).format(self.label, code)
			)
		what = code or type(error).__name__
		if not isinstance(error, ClientError | BotoCoreError | OSError):
			frappe.logger("trackflow").exception("An archive's bucket failed")
		return PlaceError(_("{0} does not answer as it should ({1}).").format(self.label, what))


def buckets() -> list[Bucket]:
	"""The bucket, and the second one where there is one."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	names = [settings.archive_s3_bucket, settings.archive_s3_backup_bucket]
	if not names[0]:
		raise PlaceError(_("No bucket is named in the settings."))
	client = _client(settings)
	return [Bucket(client, name) for name in names if name]


def _client(settings: Any) -> Any:
	try:
		import boto3
		from botocore.config import Config
	except ImportError:
		raise PlaceError(
			_("The package boto3 is missing: install it (bench pip install boto3), then run it again.")
		) from None
	from botocore.exceptions import BotoCoreError

	endpoint = settings.archive_s3_endpoint or None
	if endpoint:
		guard.check_address(endpoint)
		parts = urlsplit(endpoint)
		guard.check_host(parts.hostname or "", parts.port or 443)
	access_key = settings.archive_s3_access_key or None
	secret = settings.get_password("archive_s3_secret_key", raise_exception=False) if access_key else None
	config = Config(
		connect_timeout=TIMEOUT_SECONDS,
		read_timeout=TIMEOUT_SECONDS,
		retries={"max_attempts": ATTEMPTS, "mode": "standard"},
		# Compatible services have no hosts of their own for buckets.
		s3={"addressing_style": "path"} if endpoint else {},
	)
	try:
		client = boto3.session.Session(
			aws_access_key_id=access_key,
			aws_secret_access_key=secret,
			region_name=settings.archive_s3_region or None,
		).client("s3", endpoint_url=endpoint, config=config)
	except (BotoCoreError, ValueError) as error:
		raise PlaceError(_("The bucket cannot be reached with these settings: {0}").format(error)) from None
	if endpoint:
		_watch(client)
	return client


def _watch(client: Any) -> None:
	"""Have the other end of each connection looked at. botocore has no public way to that; where its own way is another one, nothing
	is sent."""
	from botocore import awsrequest

	judge = guard.current()

	class PlainPool(awsrequest.AWSHTTPConnectionPool):
		ConnectionCls = judge.watched(awsrequest.AWSHTTPConnection)

	class EncryptedPool(awsrequest.AWSHTTPSConnectionPool):
		ConnectionCls = judge.watched(awsrequest.AWSHTTPSConnection)

	session = getattr(getattr(client, "_endpoint", None), "http_session", None)
	manager = getattr(session, "_manager", None)
	if not hasattr(manager, "pool_classes_by_scheme"):
		raise PlaceError(
			_(
				"The version of botocore on this server does not tell whom it is connected to: use no Endpoint, or another version."
			)
		)
	manager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
