"""Keeps a log of who reads visitors' data, on sites with a domain of the level HIPAA (COL-7): Frappe's Access Log.

Reading a document, a list or a report, over REST or in the desk, printing, and TrackFlow's own methods all come by here; what
TrackFlow itself reads while it works does not. A request notes what it reads, and one row for each DocType is written after it;
so does a job that prints.
"""

from typing import Any

import frappe
from frappe.core.doctype.access_log.access_log import make_access_log
from frappe.model.document import Document

from trackflow.config import get_config

# Documents of one request that are named in its row; of more it says how many there were.
MOST_NAMES = 50
_ASKED_BY = (
	"doctype",
	"fields",
	"filters",
	"or_filters",
	"order_by",
	"start",
	"page_length",
	"limit",
	"limit_start",
	"from_date",
	"to_date",
	"domain",
	"project",
)


def note(doctype: str, *names: str) -> None:
	"""Somebody is given these documents, or a list (no names), by the request that is under way."""
	if frappe.request:
		_note(doctype, *names)


def _note(doctype: str, *names: str) -> None:
	if not any(one.privacy_level == "HIPAA" for one in get_config().domains.values()):
		return
	read = frappe.local.flags.setdefault("trackflow_read", {})
	read.setdefault(doctype, {}).update(dict.fromkeys(names))


def note_list(user: str | None = None, doctype: str = "") -> str:
	"""permission_query_conditions hook: asked for each list that a person gets. Narrows none."""
	note(doctype)
	return ""


def write_log(response: Any = None, request: Any = None) -> None:
	"""after_request and after_job hook: who read what."""
	read = frappe.local.flags.pop("trackflow_read", None)
	if not read or frappe.session.user == "Guest":
		return
	for doctype, names in read.items():
		listed = list(names)[:MOST_NAMES]
		make_access_log(
			doctype=doctype,
			document=listed[0] if len(names) == 1 else None,
			method=request.path[:140] if request else None,
			filters=frappe.as_json(
				{"documents": listed, "count": len(names)} if names else _asked(), indent=None
			),
		)
	frappe.db.commit()


def _asked() -> dict[str, str]:
	"""What a list was asked by; nothing else that a request may carry."""
	return {name: str(frappe.form_dict[name])[:2048] for name in _ASKED_BY if frappe.form_dict.get(name)}


class ReadLogged(Document):
	"""A record about a visitor: giving it to somebody is noted."""

	def apply_fieldlevel_read_permissions(self) -> None:
		"""What Frappe does with each document that it hands out."""
		note(self.doctype, self.name)
		super().apply_fieldlevel_read_permissions()

	def before_print(self, settings: Any = None) -> None:
		"""What Frappe does with each document that it prints, in a job too."""
		_note(self.doctype, self.name)
