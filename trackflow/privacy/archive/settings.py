"""What the settings may say of the archive: checked when they are saved, in the words of the form (RET-1)."""

import re

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.privacy.archive import guard, places
from trackflow.privacy.archive.places import PlaceError
from trackflow.validation import plain_text

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What goes into a header, or is part of a signature.
_WORD = re.compile(r"[\x21-\x7e]*")
_TEXTS = (
	"archive_http_address", "archive_s3_bucket", "archive_s3_backup_bucket", "archive_s3_region", "archive_s3_endpoint",
	"archive_s3_access_key",
)  # fmt: skip
_SECRETS = ("archive_http_token", "archive_s3_secret_key")


def check(settings: Document) -> None:
	"""Trim what was typed; stop with words where it cannot work."""
	for field in _TEXTS:
		settings.set(field, plain_text(settings.get(field), settings.meta.get_label(field)).strip())
	for field in (*_SECRETS, "archive_s3_region", "archive_s3_access_key"):
		if not _WORD.fullmatch(settings.get(field) or ""):
			frappe.throw(
				_("{0} holds blanks or characters that no key has.").format(_(settings.meta.get_label(field)))
			)
	if settings.archive_target == places.HTTP:
		_check_address(settings, "archive_http_address", is_needed=True)
	if settings.archive_target == places.S3:
		_check_buckets(settings)


def _check_buckets(settings: Document) -> None:
	bucket, backup = settings.archive_s3_bucket, settings.archive_s3_backup_bucket
	if not bucket:
		frappe.throw(_("Name the bucket of the archive."))
	for name in filter(None, (bucket, backup)):
		if not _BUCKET.fullmatch(name):
			frappe.throw(_("{0} is no name of a bucket.").format(name))
	if bucket == backup:
		frappe.throw(_("The backup bucket must be another one than the bucket."))
	if settings.archive_s3_access_key and not settings.archive_s3_secret_key:
		frappe.throw(_("An access key wants its secret key."))
	_check_address(settings, "archive_s3_endpoint")


def _check_address(settings: Document, field: str, is_needed: bool = False) -> None:
	address = settings.get(field)
	if not address and not is_needed:
		return
	try:
		guard.check_address(address)
	except PlaceError as error:
		frappe.throw(f"{_(settings.meta.get_label(field))}: {error}")
