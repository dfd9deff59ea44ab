"""A data subject's rights (CRM-8; GDPR articles 15, 17, 20), for whoever may delete visitors: what there is, a copy of it, its
erasure. POST throughout: an address in a query would stay in the logs of web servers.
"""

from typing import Any

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow.access import limits
from trackflow.exceptions import NotCaughtUp, StreamUnavailable
from trackflow.links import downloads
from trackflow.privacy import erasure, reads, subjects
from trackflow.privacy import export as exporting
from trackflow.validation import plain_text

Row = dict[str, Any]

# A web worker is not to be held longer; the rest is a job's.
SECONDS = 20


@frappe.whitelist(methods=["POST"])
def preview(subject: str = "") -> Row:
	"""Whom an e-mail address or visitor id is about (addresses, visitors, leads, deals, organizations), and how many rows of
	each DocType."""
	found = subjects.find(_named(subject))
	reads.note("Visitor", *sorted(found.visitors))
	return exporting.preview(found)


@frappe.whitelist(methods=["POST"])
def export(subject: str = "") -> Response:
	"""All that is stored about an e-mail address or a visitor id, as a JSON file."""
	found = subjects.find(_named(subject))
	return downloads.written(
		lambda file: exporting.write(found, file), "personal-data.json", "application/json"
	)


@frappe.whitelist(methods=["POST"])
def erase(subject: str = "", reference: str = "") -> Row:
	"""Erase all that is stored about an e-mail address or a visitor id; totals stay. Answers the record's `name`, its `status`
	(Running where a job does the rest) and `rows` by DocType. `reference` is yours, such as the number of a ticket."""
	named, reference = _named(subject), plain_text(reference, "reference").strip()
	if "@" in reference:
		frappe.throw(_("The reference is kept: it must not be an address."))
	try:
		return erasure.erase(named, reference=reference, max_seconds=SECONDS)
	except StreamUnavailable:
		frappe.throw(
			_(
				"What waits to be stored cannot be read now, and would bring back what is erased. Nothing was erased."
			),
			NotCaughtUp,
		)


def _named(subject: str) -> str:
	limits.guard("management")
	frappe.has_permission("Visitor", "delete", throw=True)
	return subjects.read(subject)
