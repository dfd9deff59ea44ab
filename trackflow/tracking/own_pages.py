"""Puts the script's tag into the site's own website, where the setting says so (COL-5), and into the pages of Web Forms what
takes the visitor along with them (CRM-7). Where the website sends a visitor on, what brought them goes along (TCH-1).

By the answer, not by the page's template: Frappe keeps rendered pages for guests and users alike, and pages may replace any
part of the template. Only whole HTML pages of the website, for guests alone; nothing that goes wrong here harms a page.
"""

from urllib.parse import urljoin

import frappe
from werkzeug.wrappers import Request, Response

from trackflow.config import get_config
from trackflow.incoming import Incoming
from trackflow.links import destination
from trackflow.policy import Config
from trackflow.tracking import script
from trackflow.tracking.parameters import host_of, marketing_of

# Addresses of these carry keys and passwords' tokens, or they are no pages of the website.
PRIVATE = frozenset({"app", "desk", "crm", "login", "printview", "trackflow", "update-password"})
_END = b"</body>"
# Found in Frappe's pages of Web Forms, and in CRM's, which send them to the same method. The name alone stands in every page of
# Frappe's, among its assets.
_FORMS = (b"web_form_doc", b"web_form.accept")


def add_tag(response: Response | None = None, request: Request | None = None) -> None:
	"""after_request hook: the tags before the end of a guest's page."""
	try:
		if _is_page(response, request) and (tags := _tags(Incoming.of(request), response.get_data())):
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


def keep_parameters(response: Response | None = None, request: Request | None = None) -> None:
	"""after_request hook: Frappe's redirects within the site (from a Web Form's address to its page, for one) drop the query,
	and with it the campaign and the click. It goes along here."""
	try:
		if _is_sent_on(response, request) and get_config().enabled:
			location = response.headers["Location"]
			there = marketing_of(location)
			lacking = {name: value for name, value in marketing_of(request.url).items() if name not in there}
			if lacking and host_of(urljoin(request.url, location)) == host_of(request.url):
				response.headers["Location"] = destination.build(location, lacking)
	except Exception:
		frappe.logger("trackflow").exception("A redirect could not be given its parameters")


def _is_page(response: Response | None, request: Request | None) -> bool:
	if response is None or request is None or request.method != "GET" or response.status_code != 200:
		return False
	if not is_whole(response):
		return False
	return _is_public(request)


def _is_sent_on(response: Response | None, request: Request | None) -> bool:
	if response is None or request is None or request.method != "GET" or not request.query_string:
		return False
	is_redirect = response.status_code in (301, 302, 303, 307, 308) and "Location" in response.headers
	return is_redirect and _is_public(request)


def _is_public(request: Request) -> bool:
	first = request.path.strip("/").partition("/")[0]
	# What answers under /api is a program's, whatever its type.
	return first not in PRIVATE and first not in ("api", "r") and frappe.session.user == "Guest"


def _tags(incoming: Incoming, page: bytes) -> str:
	config = get_config()
	if not config.enabled:
		return ""
	# The form asks the script of this page, of which there may be one without us, or of the page that embeds it.
	return _website_tags(incoming, config) + (
		script.forms_tag() if any(one in page for one in _FORMS) else ""
	)


def _website_tags(incoming: Incoming, config: Config) -> str:
	# What another page embeds is no page that anybody visits: it would be a visitor, and a visit, of its own.
	is_embedded = incoming.headers.get("sec-fetch-dest") in ("iframe", "frame", "embed", "object")
	domain = config.domain_of(incoming.host) if config.tags_own_pages and not is_embedded else None
	return script.tags_of(domain, config) if domain and domain.enabled else ""
