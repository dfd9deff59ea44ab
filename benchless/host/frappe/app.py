"""The WSGI application: Frappe's order of things from a request to its response.

init → form_dict → address, session, CSRF → before_request hooks → authentication → cmd, /api, private files, website
→ commit or rollback → after_request hooks → cookies and CORS → after the response is sent: its callbacks.
"""

import json
import os

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator

import frappe
import frappe.api
import frappe.handler
import frappe.utils.response
from frappe import _
from frappe.auth import UNSAFE_HTTP_METHODS, HTTPRequest, validate_auth
from frappe.utils import CallbackManager, cint, escape_html, get_site_name
from frappe.utils.error import log_error_snapshot
from frappe.website.serve import get_response

MAX_BODY = 25 * 1024 * 1024
# status → title and text of the page that a browser gets
ERROR_PAGES = {
	401: ("Session Expired", "Your session has expired, please login again to continue."),
	403: ("Not Permitted", "You do not have enough permissions to complete the action"),
	404: ("Not Found", "The resource you are looking for is not available"),
	429: ("Too Many Requests", "Please try again later"),
}


@Request.application
def answer(request: Request) -> Response:
	response, rollback = None, True
	try:
		init_request(request)
		validate_auth()
		response = dispatch(request)
	except HTTPException as error:
		# as it is: with its own response where a before_request hook made one
		return error
	except Exception as error:
		response = handle_exception(error)
	else:
		rollback = sync_database(rollback)
	finally:
		if rollback and request.method in UNSAFE_HTTP_METHODS and frappe.db:
			frappe.db.rollback()
		try:
			run_after_request_hooks(request, response)
		except Exception:
			frappe.logger().error("Failed to run after request hook", exc_info=True)
		process_response(response)
	return response


def application(environ: dict, start_response: object) -> ClosingIterator:
	"""The application itself, with what is left to do once the client has its answer."""
	return ClosingIterator(answer(environ, start_response), finish)


def finish() -> None:
	try:
		if request := getattr(frappe.local, "request", None):
			request.after_response.run()
	finally:
		frappe.destroy()


def dispatch(request: Request) -> Response:
	if request.method == "OPTIONS":
		return Response()
	if frappe.form_dict.cmd:
		data = frappe.handler.handle()
		return data if isinstance(data, Response) else frappe.utils.response.build_response("json")
	if request.path.startswith("/api/"):
		return frappe.api.handle(request)
	if request.path.startswith("/private/files/"):
		return frappe.utils.response.download_private_file(request.path)
	if request.method in ("GET", "HEAD", "POST"):
		return get_response()
	raise NotFound


def init_request(request: Request) -> None:
	frappe.local.request = request
	request.after_response = CallbackManager()
	sites_path = os.environ.get("SITES_PATH", ".")
	frappe.init(find_site(request, sites_path), sites_path=sites_path, force=True)
	frappe.local.request = request
	frappe.local.is_ajax = request.headers.get("X-Requested-With") == "XMLHttpRequest"

	if not (frappe.local.conf and frappe.local.conf.db_name):
		raise NotFound
	if frappe.local.conf.maintenance_mode:
		frappe.connect()
		if not frappe.local.conf.allow_reads_during_maintenance:
			raise frappe.SessionStopped("Session Stopped")
		frappe.flags.read_only = True
	else:
		frappe.connect(set_admin_as_user=False)

	request.max_content_length = cint(frappe.local.conf.get("max_file_size")) or MAX_BODY
	make_form_dict(request)
	if request.method != "OPTIONS":
		frappe.local.http_request = HTTPRequest()
	for task in frappe.get_hooks("before_request"):
		frappe.call(task)


def find_site(request: Request, sites_path: str) -> str:
	"""The site of the header or of the host name; by any other name the default one answers."""
	wanted = request.headers.get("X-Frappe-Site-Name")
	default = request.environ.get("benchless.site") or os.environ.get("FRAPPE_SITE")
	for name in (wanted,) if wanted else (get_site_name(request.host), default):
		is_name = name and os.path.basename(name) == name and name not in (".", "..")
		if is_name and os.path.isfile(os.path.join(sites_path, name, "site_config.json")):
			return name
	raise NotFound


def make_form_dict(request: Request) -> None:
	"""A declared JSON body that does not parse fails here, before any app, as it does in Frappe."""
	body = request.get_data(as_text=True)
	if body and request.is_json:
		args = json.loads(body)
	else:
		args = {**request.args.to_dict(), **request.form.to_dict()}
	if isinstance(args, dict):
		frappe.local.form_dict = frappe._dict(args)
		frappe.local.form_dict.pop("_", None)
	elif isinstance(args, list):
		frappe.local.form_dict["data"] = args
	else:
		frappe.throw(_("Invalid request arguments"))


def sync_database(rollback: bool) -> bool:
	"""Commit what changes state, roll back what only reads; answers whether a rollback is still owed."""
	if frappe.db and (frappe.local.flags.commit or frappe.local.request.method in UNSAFE_HTTP_METHODS):
		frappe.db.commit()
		rollback = False
	elif frappe.db:
		frappe.db.rollback()
		rollback = False
	session = getattr(frappe.local, "session_obj", None)
	if session and session.update():
		rollback = False
	return rollback


def run_after_request_hooks(request: Request, response: Response | None) -> None:
	if not getattr(frappe.local, "initialised", False):
		return
	for task in frappe.get_hooks("after_request"):
		frappe.call(task, response=response, request=request)


def process_response(response: Response | None) -> None:
	if not response:
		return
	if getattr(frappe.local, "cookie_manager", None):
		frappe.local.cookie_manager.flush_cookies(response=response)
	if getattr(frappe.local, "conf", None):
		set_cors_headers(response)


def set_cors_headers(response: Response) -> None:
	"""Only for the origins that the site's `allow_cors` names."""
	allowed, request = frappe.conf.allow_cors, frappe.local.request
	origin = request.headers.get("Origin")
	if not (allowed and origin):
		return
	if allowed != "*" and origin not in (allowed if isinstance(allowed, list) else [allowed]):
		return
	headers = {
		"Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Origin": origin,
		"Vary": "Origin",
	}
	if request.method == "OPTIONS":
		headers["Access-Control-Allow-Methods"] = request.headers.get("Access-Control-Request-Method", "")
		if requested := request.headers.get("Access-Control-Request-Headers"):
			headers["Access-Control-Allow-Headers"] = requested
		if not frappe.conf.developer_mode:
			headers["Access-Control-Max-Age"] = "86400"
	response.headers.extend(headers)


def handle_exception(error: Exception) -> Response:
	"""JSON for programs, a page for people; what nobody expected goes to the Error Log."""
	status = getattr(error, "http_status_code", 500)
	if not getattr(frappe.local, "session", None) or not frappe.session.user:
		frappe.local.session = frappe._dict(user="Guest", data=frappe._dict())
	as_json = wants_json()

	if as_json:
		response = frappe.utils.response.report_error(status)
	elif isinstance(error, frappe.SessionStopped):
		response = frappe.utils.response.handle_session_stopped()
	else:
		if status == 500 and frappe.db and (frappe.db.is_deadlocked(error) or frappe.db.is_timedout(error)):
			status = 508
		response = make_error_page(status)

	if type(error) is frappe.AuthenticationError and getattr(frappe.local, "login_manager", None):
		frappe.local.login_manager.clear_cookies()
	if status >= 500:
		log_error_snapshot(error)
	return response


def wants_json() -> bool:
	accept = frappe.get_request_header("Accept") or ""
	if accept and (getattr(frappe.local, "is_ajax", False) or "application/json" in accept):
		return True
	return frappe.local.request.path.startswith("/api/") and not accept.startswith("text")


def make_error_page(status: int) -> Response:
	if status in ERROR_PAGES:
		title, text = (_(part) for part in ERROR_PAGES[status])
	else:
		title, text = "Server Error", ""
		allowed = frappe.get_system_settings("allow_error_traceback") if frappe.db else False
		if allowed and not frappe.local.flags.disable_traceback:
			text = f"<pre>{escape_html(frappe.get_traceback())}</pre>"
	frappe.respond_as_web_page(title, text, http_status_code=status, indicator_color="red")
	return get_response("message", http_status_code=status)
