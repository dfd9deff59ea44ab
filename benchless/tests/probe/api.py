"""Methods of the probe app."""

import datetime
from decimal import Decimal

import frappe
from werkzeug.wrappers import Response


@frappe.whitelist(allow_guest=True)
def echo(text: str = "", number: int = 0) -> dict:
	return {"text": text, "number": number, "user": frappe.session.user}


@frappe.whitelist(allow_guest=True, xss_safe=True)
def echo_raw(text: str = "") -> str:
	return text


@frappe.whitelist()
def for_users() -> str:
	return frappe.session.user


def not_whitelisted() -> str:
	return "never"


@frappe.whitelist(allow_guest=True, methods=["POST"])
def only_post() -> str:
	return "posted"


@frappe.whitelist(allow_guest=True)
def body() -> dict:
	return {"body": frappe.request.get_data(as_text=True), "form": dict(frappe.form_dict)}


@frappe.whitelist(allow_guest=True)
def whole_response() -> Response:
	return Response("as it is", status=202, mimetype="text/plain", headers={"X-Probe": "1"})


@frappe.whitelist(allow_guest=True)
def with_status() -> str:
	frappe.local.response.http_status_code = 207
	frappe.local.response.extra = {"at": datetime.date(2026, 1, 2), "sum": Decimal("1.50")}
	return "partly"


@frappe.whitelist(allow_guest=True)
def download() -> None:
	frappe.response.update(type="download", filename="figures.csv", filecontent="a,b\n1,2\n")


@frappe.whitelist(allow_guest=True)
def refuse() -> None:
	frappe.throw("That is <b>wrong</b>", frappe.ValidationError, title="No")


@frappe.whitelist(allow_guest=True)
def fail() -> None:
	raise RuntimeError("nobody expected this")


@frappe.whitelist(allow_guest=True)
def missing() -> None:
	frappe.get_doc("CRM Lead Source", "does not exist")


@frappe.whitelist()
def new_name() -> str:
	return "new"


@frappe.whitelist(allow_guest=True)
def add_source(name: str) -> str:
	return (
		frappe.get_doc({"doctype": "CRM Lead Source", "source_name": name})
		.insert(ignore_permissions=True)
		.name
	)


@frappe.whitelist()
def csrf_token() -> str:
	return frappe.sessions.get_csrf_token()


@frappe.whitelist(allow_guest=True)
def set_cookie() -> None:
	frappe.local.cookie_manager.set_cookie("probe", "ä b", httponly=True, max_age=60)


@frappe.whitelist(allow_guest=True)
def later() -> None:
	frappe.enqueue("probe.jobs.note", text="from a request")
	frappe.enqueue("probe.jobs.note", text="after commit", enqueue_after_commit=True)
