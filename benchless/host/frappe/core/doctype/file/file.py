"""Files of the site: public ones under `/files`, private ones under `/private/files`."""

import hashlib
import os
from functools import partial
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, get_files_path


class File(Document):
	def before_insert(self) -> None:
		content = self.__dict__.pop("content", None)
		if content is not None:
			self.save_file(content=content)
			frappe.db.after_rollback.add(self._remove_from_disk)

	def validate(self) -> None:
		if not self.file_url and not self.is_folder:
			frappe.throw(_("URL must be set for file {0}").format(self.file_name or ""))
		if self.file_url and not self.file_name:
			self.file_name = self.file_url.rsplit("/", 1)[-1]

	def save_file(
		self,
		content: str | bytes | None = None,
		decode: bool = False,
		ignore_existing_file_check: bool = False,
		overwrite: bool = False,
	) -> dict:
		"""Write the content under a name that is free, or over what is there; a rollback brings that back."""
		data = content.encode() if isinstance(content, str) else content or b""
		self.file_name = os.path.basename(self.file_name or "file").replace("/", "-")
		self.content_hash = hashlib.md5(data, usedforsecurity=False).hexdigest()
		self.file_size = len(data)
		stem, extension = os.path.splitext(self.file_name)
		self.file_type = extension.lstrip(".").upper()[:140]
		if overwrite and self.file_url and self.exists_on_disk():
			self.file_name = self.file_url.rsplit("/", 1)[-1]
			with open(self.get_full_path(), "rb") as f:
				frappe.db.after_rollback.add(partial(_write, self.get_full_path(), f.read()))
		elif os.path.exists(self._path(self.file_name)):
			self.file_name = f"{stem}{self.content_hash[-6:]}{extension}"
		path = self._path(self.file_name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		_write(path, data)
		folder = "/private/files" if cint(self.is_private) else "/files"
		self.file_url = f"{folder}/{self.file_name}"
		return {"file_name": self.file_name, "file_url": self.file_url}

	def _path(self, name: str) -> str:
		return get_files_path(name, is_private=cint(self.is_private))

	def get_full_path(self) -> str:
		return self._path(self.file_url.rsplit("/", 1)[-1])

	def exists_on_disk(self) -> bool:
		return os.path.exists(self.get_full_path())

	def get_content(self) -> str | bytes:
		"""Text where the content is text, bytes otherwise."""
		with open(self.get_full_path(), "rb") as f:
			data = f.read()
		try:
			return data.decode()
		except UnicodeDecodeError:
			return data

	def is_downloadable(self) -> bool:
		return self.has_permission("read")

	def after_delete(self) -> None:
		if self.file_url and not frappe.db.exists("File", {"file_url": self.file_url}):
			self._remove_from_disk()

	def _remove_from_disk(self) -> None:
		if self.exists_on_disk():
			os.remove(self.get_full_path())


def _write(path: str, data: bytes) -> None:
	with open(path, "wb") as f:
		f.write(data)


def has_permission(doc: Any, ptype: str | None = None, user: str | None = None, debug: bool = False) -> bool:
	"""Public files are everybody's, private ones their owner's or those who may read what they are attached to."""
	user = user or frappe.session.user
	if user == "Administrator" or (ptype in (None, "read", "select") and not doc.is_private):
		return True
	if user != "Guest" and doc.owner == user:
		return True
	if doc.attached_to_doctype and doc.attached_to_name:
		ptype = "write" if ptype in ("write", "create", "delete") else "read"
		return frappe.has_permission(doc.attached_to_doctype, ptype, doc.attached_to_name, user=user)
	return False
