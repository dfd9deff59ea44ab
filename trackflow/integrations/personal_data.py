"""Frappe's own personal data requests, for Users: they get all that TrackFlow has about the User's address (CRM-8).

Frappe itself reads and redacts what the hook `user_data_fields` names, which is a few fields of rows with that address: not
what hangs on the person's visitors. So a download gets a second file, and a deletion is followed by an erasure.
"""

from io import BytesIO

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_url

from trackflow.integrations.shield import shielded
from trackflow.jobs import enqueue
from trackflow.privacy import erasure, export, subjects
from trackflow.runs import recorded


@shielded
def after_download_request(doc: Document, method: str | None = None) -> None:
	enqueue(
		"trackflow.integrations.personal_data.attach_export",
		job_id=f"personal-data::{doc.name}",
		request=doc.name,
	)


@recorded
def attach_export(request: str) -> None:
	"""Job: put the export beside Frappe's own file, and tell the User where it is."""
	doc = frappe.get_doc("Personal Data Download Request", request)
	subject = subjects.find(subjects.read(doc.user))
	if not export.preview(subject)["rows"]:
		return
	content = BytesIO()
	export.write(subject, content)
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"Personal-Data-TrackFlow-{request}.json",
			"attached_to_doctype": doc.doctype,
			"attached_to_name": request,
			"content": content.getvalue(),
			"is_private": 1,
		}
	)
	file.save(ignore_permissions=True)
	# Who owns a private file may read it.
	file.db_set("owner", doc.user, update_modified=False)
	frappe.sendmail(
		recipients=doc.user,
		subject=_("Download Your Data"),
		template="download_data",
		args={
			"user": doc.user,
			"user_name": doc.user_name,
			"link": get_url(file.file_url),
			"host_name": frappe.local.site,
		},
		header=[_("Download Your Data"), "green"],
	)


@shielded
def on_deletion_request(doc: Document, method: str | None = None) -> None:
	"""Once Frappe has redacted and renamed: it may have put the request's name where the address stood."""
	if doc.status == "Deleted":
		erasure.ask(subjects.read(doc.email), subjects.read(doc.name), reference=doc.name)
