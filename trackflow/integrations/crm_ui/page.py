"""CRM's one page, as CRM renders it, with TrackFlow's script before its end.

CRM has no place for entries of other apps. This renderer claims nothing but CRM's page for people who are logged in, lets
Frappe render it, and adds a tag to an answer that is a page. What Frappe raises passes through; what goes wrong here is logged
and leaves the page as it was.
"""

import json
from dataclasses import asdict
from html import escape

import frappe
from frappe import _
from frappe.website.page_renderers.template_page import TemplatePage
from werkzeug.wrappers import Response

from trackflow.integrations.crm_ui.entries import entries
from trackflow.tracking import own_pages, script

ENDPOINT = "crm"
SCRIPT = "trackflow-crm.js"


class CrmPage:
	"""Composed, not derived: Frappe makes one for every page of the website, and TemplatePage searches all apps' folders then."""

	__slots__ = ("http_status_code", "path")

	def __init__(self, path: str, http_status_code: int | None = None) -> None:
		self.path, self.http_status_code = path, http_status_code

	def can_render(self) -> bool:
		return (
			self.path == ENDPOINT
			and frappe.session.user != "Guest"
			and "crm" in frappe.get_installed_apps()
			and self._page().can_render()
		)

	def render(self) -> Response:
		response = self._page().render()
		try:
			if response.status_code == 200 and own_pages.is_whole(response):
				own_pages.put_before_end(response, tag())
		except Exception:
			frappe.logger("trackflow").exception("CRM's page could not be given TrackFlow's entries")
		return response

	def _page(self) -> TemplatePage:
		return TemplatePage(self.path, self.http_status_code)


def tag() -> str:
	"""The script for CRM's page; everybody there may ask for journeys, the entries are for who may follow them."""
	shown = [asdict(entry) for entry in entries()]
	# In CRM's words, as its sidebar has it in the user's language.
	told = {"entries": json.dumps(shown), "call-logs": _("Call Logs")} if shown else {}
	data = "".join(f' data-{name}="{escape(value)}"' for name, value in told.items())
	return f'<script defer src="{script.address_of(SCRIPT)}"{data}></script>'
