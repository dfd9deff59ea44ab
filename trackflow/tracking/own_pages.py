"""Puts the script's tag into the site's own website, where the setting says so (COL-5).

By the answer, not by the page's template: Frappe keeps rendered pages for guests and users alike, and pages may replace any
part of the template. Only whole HTML pages of the website, for guests alone; nothing that goes wrong here harms a page.
"""

import frappe
from werkzeug.wrappers import Request, Response

from trackflow.config import get_config
from trackflow.incoming import Incoming
from trackflow.tracking import script

# Addresses of these carry keys and passwords' tokens, or they are no pages of the website.
PRIVATE = frozenset({"app", "desk", "crm", "login", "printview", "trackflow", "update-password"})
_END = b"</body>"


def add_tag(response: Response | None = None, request: Request | None = None) -> None:
	"""after_request hook: the tag before the end of a guest's page."""
	try:
		if _is_page(response, request) and (tags := _tags(Incoming.of(request))):
			put_before_end(response, tags)
	except Exception:
		frappe.logger("trackflow").exception("A page could not be given the script's tag")


def is_whole(response: Response) -> bool:
	"""Whether it is HTML that is all there already."""
	return response.mimetype == "text/html" and not response.is_streamed and not response.direct_passthrough


def put_before_end(response: Response, tags: str) -> None:
	"""The tags at the end of the page's body; a text without one stays as it is."""
	before, end, after = response.get_data().rpartition(_END)
	if end:
		response.set_data(before + tags.encode() + end + after)


def _is_page(response: Response | None, request: Request | None) -> bool:
	if response is None or request is None or request.method != "GET" or response.status_code != 200:
		return False
	if not is_whole(response):
		return False
	first = request.path.strip("/").partition("/")[0]
	# What answers under /api is a program's, whatever its type.
	return first not in PRIVATE and first not in ("api", "r") and frappe.session.user == "Guest"


def _tags(incoming: Incoming) -> str:
	config = get_config()
	domain = config.domain_of(incoming.host) if config.enabled and config.tags_own_pages else None
	return script.tags_of(domain, config) if domain and domain.enabled else ""
