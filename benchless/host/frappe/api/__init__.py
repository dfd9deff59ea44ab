"""The addresses below /api: remote calls and documents; version 1 with and without its number, version 2."""

from enum import StrEnum

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Submount
from werkzeug.wrappers import Request, Response

import frappe
from frappe.api.v1 import url_rules
from frappe.api.v2 import url_rules as rules_of_v2
from frappe.utils.response import build_response


class ApiVersion(StrEnum):
	V1 = "v1"
	V2 = "v2"


API_URL_MAP = Map(
	[
		Submount("/api", url_rules),
		Submount("/api/v1", [rule.empty() for rule in url_rules]),
		Submount("/api/v2", rules_of_v2),
	],
	strict_slashes=False,
	merge_slashes=False,
)


def handle(request: Request) -> Response:
	try:
		endpoint, arguments = API_URL_MAP.bind_to_environ(request.environ).match()
	except NotFound:
		raise frappe.DoesNotExistError
	data = endpoint(**arguments)
	if isinstance(data, Response):
		return data
	if data is not None:
		frappe.response["data"] = data
	return build_response("json")


def get_api_version() -> ApiVersion | None:
	if not frappe.request:
		return None
	return ApiVersion.V2 if frappe.request.path.startswith("/api/v2") else ApiVersion.V1
