"""Saving files the older way. New code inserts a `File`."""

from typing import Any

import frappe


def save_file(
	fname: str,
	content: str | bytes,
	dt: str | None,
	dn: str | None,
	folder: str | None = None,
	decode: bool = False,
	is_private: int = 0,
	df: str | None = None,
) -> Any:
	return frappe.get_doc(
		doctype="File",
		file_name=fname,
		content=content,
		attached_to_doctype=dt,
		attached_to_name=dn,
		attached_to_field=df,
		folder=folder,
		is_private=is_private,
	).insert(ignore_permissions=True)


def get_file_path(file_name: str) -> str:
	return frappe.get_doc("File", {"file_name": file_name}).get_full_path()
