"""The page of the app at /trackflow, as Frappe renders trackflow/www/trackflow.html, with the headers that Frappe gives no page:
nothing but our own files runs in it, nobody frames it, nothing keeps it (SEC-3).
"""

from frappe.website.page_renderers.template_page import TemplatePage
from werkzeug.wrappers import Response

ENDPOINT = "trackflow"
# The two styles that menus to choose from put into the page (reka-ui, below frappe-ui): they hide scrollbars.
_STYLES = "'sha256-60LHlRjW/B3CtzIoE/Lf1/NEDvko9efWMFaGVhHu/cs=' 'sha256-0sLsI2a+NIcumVvBF9zD/ArGqlZR2xfnxsALPmK7nj8='"
_POLICY = (
	f"default-src 'none'; script-src 'self'; style-src 'self' {_STYLES}; style-src-attr 'unsafe-inline'; "
	"font-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
	"Content-Security-Policy": _POLICY,
	"X-Frame-Options": "DENY",
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy": "same-origin",
	"Cache-Control": "no-store",
}


class AppPage:
	"""Composed, not derived: Frappe makes one for every page of the website, and TemplatePage searches all apps' folders then."""

	__slots__ = ("http_status_code", "path")

	def __init__(self, path: str, http_status_code: int | None = None) -> None:
		self.path, self.http_status_code = path, http_status_code

	def can_render(self) -> bool:
		return self.path == ENDPOINT

	def render(self) -> Response:
		response = TemplatePage(self.path, self.http_status_code).render()
		response.headers.update(HEADERS)
		return response
