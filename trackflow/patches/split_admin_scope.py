"""The scope `admin` of API keys, which opened nothing, is `admin:read` now, beside `admin:write`. Doing it again changes nothing."""

import frappe

from trackflow.config import forget_config


def execute() -> None:
	scope = frappe.qb.DocType("API Key Permission")
	query = frappe.qb.update(scope).set(scope.permission_type, "admin:read")
	query.where(scope.permission_type == "admin").run()
	forget_config()
