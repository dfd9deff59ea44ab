"""A page for a path, whatever happens: errors become pages too."""

from werkzeug.wrappers import Response

import frappe
from frappe.website.page_renderers.error_page import ErrorPage
from frappe.website.page_renderers.not_found_page import NotFoundPage
from frappe.website.page_renderers.not_permitted_page import NotPermittedPage
from frappe.website.page_renderers.redirect_page import RedirectPage
from frappe.website.path_resolver import PathResolver


def get_response(path: str | None = None, http_status_code: int = 200) -> Response:
	endpoint = path = path or frappe.local.request.path
	try:
		endpoint, page = PathResolver(path, http_status_code).resolve()
		return page.render()
	except frappe.Redirect as error:
		return RedirectPage(endpoint or path, error.http_status_code).render()
	except frappe.PermissionError as error:
		return NotPermittedPage(endpoint, http_status_code, exception=error).render()
	except frappe.PageDoesNotExistError:
		return NotFoundPage(endpoint, 404).render()
	except Exception as error:
		frappe.logger().exception("Error while rendering %s", path)
		return ErrorPage(exception=error).render()


def get_response_content(path: str | None = None, http_status_code: int = 200) -> str:
	return str(get_response(path, http_status_code).data, "utf-8")


def get_response_without_exception_handling(path: str | None = None, http_status_code: int = 200) -> Response:
	_endpoint, page = PathResolver(path or frappe.local.request.path, http_status_code).resolve()
	return page.render()
