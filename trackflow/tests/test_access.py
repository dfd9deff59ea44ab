"""Every whitelisted method there is: its verbs, its types, and who may call it (SEC-1, ROL-P)."""

import inspect
import typing
from collections.abc import Callable
from typing import ClassVar

import frappe
from werkzeug.test import TestResponse

from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.openapi import methods, verbs_of
from trackflow.tests.base import HAS_CRM
from trackflow.tests.users import PeopleTestCase

MANAGER, SYSTEM, CAMPAIGNER, NOBODY = (
	f"access.{who}@example.com" for who in ("manager", "system", "campaigns", "nobody")
)
VERBS = ("GET", "POST", "PUT", "DELETE")
# Guests' own: clicks, events, script and image, consent; of a visitor what its own cookie says.
OF_GUESTS = {
	"www.redirect.handle_redirect",
	"api.tracking.track_event",
	"api.tracking.get_tracking_script",
	"api.tracking.pixel",
	"api.tracking.record_consent",
	"api.visitor.get_visitor_data",
}
# Not for who manages campaigns: persons' data, keys, costs, and what leaves the site.
OF_MANAGERS = {
	"api.access.create_api_key",
	"api.access.list_api_keys",
	"api.access.revoke_api_key",
	"api.access.rotate_api_key",
	"api.costs.import_costs",
	"api.costs.import_rates",
	"api.costs.preview_import",
	"api.costs.read_columns",
	"api.costs.undo_import",
	"api.costs.upsert",
	"api.crm_sync.check_fields",
	"api.crm_sync.get_sync",
	"api.crm_sync.preview_sync",
	"api.crm_sync.save_sync",
	"api.desk.not_stored",
	"api.domains.check_website",
	"api.exports.create",
	"api.exports.preview",
	"api.health.get_metrics",
	"api.privacy.erase",
	"api.privacy.export",
	"api.privacy.preview",
	"api.settings.get_settings",
	"api.settings.save_settings",
	"api.summary.preview_weekly_summary",
	"api.webhooks.add_webhook",
	"api.webhooks.get_deliveries",
	"api.webhooks.get_webhooks",
	"api.webhooks.make_webhook_secret",
	"api.webhooks.redeliver",
	"api.webhooks.remove_webhook",
	"api.webhooks.resume_webhook",
	"api.webhooks.test_webhook",
	"trackflow.doctype.click_queue.click_queue.retry",
	"trackflow.doctype.crm_sync_log.crm_sync_log.retry",
}
# Of leads and deals: the CRM says who may.
OF_CRM = {
	"api.crm.get_deal",
	"api.crm.get_deals",
	"api.crm.get_lead",
	"api.crm.get_leads",
	"integrations.crm_lead.get_lead_tracking_data",
	"integrations.crm_lead.link_visitor_to_lead",
	"integrations.crm_lead.unlink_visitor_from_lead",
}
# Who asks for his own alone, and is told of nothing else that it is not there.
OF_ONE_SELF = {"api.links.get_import_progress"}
# What is asked for where "x" is nothing that could be, and where nothing at all would be; lists as the desk sends them.
GIVEN = {
	"what": "clicks",
	"rows": "[{}]",
	"links": "[{}]",
	"names": '["x"]',
	"link_names": '["x"]',
	"scopes": '["x"]',
}
ALSO_GIVEN = {"api.attribution.explain": {"conversion": "x"}, "api.visitor.get_journey": {"visitor_id": "x"}}


class TestEveryMethod(PeopleTestCase):
	"""SEC-1: a method that is added without being thought of here fails."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		MANAGER: (TRACKFLOW_MANAGER,),
		SYSTEM: ("System Manager",),
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
		NOBODY: (),
	}

	def call(self, user: str | None, name: str, method: Callable, verb: str = "") -> TestResponse:
		"""A call that makes no sense, so that nothing is done where it is allowed."""
		parameters = inspect.signature(method).parameters.values()
		required = (one.name for one in parameters if one.default is inspect.Parameter.empty)
		given = {one: GIVEN.get(one, "x") for one in required} | ALSO_GIVEN.get(name, {})
		path, headers = f"/api/method/trackflow.{name}", self.authorization(user)
		return self.request(verb or verbs_of(method)[0], path, query_string=given, headers=headers)

	def test_verbs_and_types_are_declared(self) -> None:
		for name, method in methods().items():
			with self.subTest(name):
				self.assertLess(set(verbs_of(method)), set(VERBS))
				hints = typing.get_type_hints(method)
				self.assertEqual(hints.keys(), {*inspect.signature(method).parameters, "return"})

	def test_other_verbs_are_refused(self) -> None:
		for name, method in methods().items():
			with self.subTest(name):
				for verb in ("GET", "POST"):
					if verb not in verbs_of(method):
						self.assertEqual(self.call(MANAGER, name, method, verb).status_code, 403)

	def test_what_is_for_guests(self) -> None:
		found = {name for name, method in methods().items() if method in frappe.guest_methods}
		self.assertEqual(found, OF_GUESTS)

	def test_guests_and_users_without_roles(self) -> None:
		for name, method in methods().items():
			if name in OF_GUESTS:
				continue
			with self.subTest(name):
				for user in (None, NOBODY):
					is_there = name not in OF_ONE_SELF and (HAS_CRM or name not in OF_CRM)
					status = 403 if is_there or not user else 404
					self.assertEqual(self.call(user, name, method).status_code, status, user)

	def test_roles(self) -> None:
		for name, method in methods().items():
			if name in OF_CRM:
				continue
			with self.subTest(name):
				for user in (MANAGER, SYSTEM, CAMPAIGNER):
					answer = self.call(user, name, method)
					# Of links that are not there nobody may have pictures.
					is_refused = answer.status_code == 403 and name != "api.links.qr_codes"
					self.assertEqual(is_refused, user == CAMPAIGNER and name in OF_MANAGERS, user)
					self.assertLess(answer.status_code, 500)
					self.assertNotEqual((answer.json or {}).get("exc_type"), "FrappeTypeError")

	def test_what_is_missing_is_named(self) -> None:
		for name, method in methods().items():
			arguments = inspect.signature(method).parameters.values()
			required = [one.name for one in arguments if one.default is inspect.Parameter.empty]
			if not required:
				continue
			with self.subTest(name):
				path = f"/api/method/trackflow.{name}"
				verb, is_open = verbs_of(method)[0], method in frappe.guest_methods
				answer = self.request(verb, path, headers=self.authorization(MANAGER))
				self.assertEqual(answer.status_code, 417)
				self.assertIn(required[0], answer.text)
				self.assertEqual(self.request(verb, path).status_code, 417 if is_open else 403)
