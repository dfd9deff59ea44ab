"""What the probe app does with requests."""

import json

import frappe
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

# after_request hooks and after-response callbacks that ran, newest last
seen: list[str] = []


class Answer(HTTPException):
	"""Carries its response, so that the request is answered at once."""


def before_request() -> None:
	path = frappe.request.path
	if path == "/early":
		frappe.request.after_response.add(lambda: seen.append("after response"))
		answer = {
			"user": frappe.session.user,
			"form": dict(frappe.form_dict),
			"connected": bool(frappe.db._conn),
		}
		raise Answer(response=Response(json.dumps(answer), status=202, mimetype="application/json"))


def after_request(response: Response | None, request: Request) -> None:
	seen.append(f"{request.path} {response.status_code if response else None}")


def authenticate() -> None:
	if frappe.get_request_header("Authorization") == "Probe let-me-in":
		frappe.set_user("Administrator")


class ProbePage:
	"""Composed, not derived, as the framework allows."""

	def __init__(self, path: str, http_status_code: int | None = None):
		self.path, self.http_status_code = path, http_status_code

	def can_render(self) -> bool:
		return self.path == "probe-page"

	def render(self) -> Response:
		return Response(f"rendered {self.path}", mimetype="text/plain")
