"""What keys open: one table, walked with all that there is to ask (KEY-1, SEC-1). The second half is pure."""

import json
import unittest
from pathlib import Path
from typing import Any

import frappe
from hypothesis import given
from hypothesis import strategies as st

from trackflow.access import scopes
from trackflow.access.api_keys import Refused
from trackflow.access.scopes import ANY_SCOPE, Asked, wanted
from trackflow.analytics.exporting import KINDS
from trackflow.constants.app import MODULE
from trackflow.openapi import methods
from trackflow.tests.base import TrackFlowTestCase

# No key manages keys, or it could make itself one that may more.
OF_KEYS = {f"api.access.{one}_api_key" for one in ("create", "revoke", "rotate")} | {
	"api.access.list_api_keys",
	"api.webhooks.add_webhook",
	"api.webhooks.make_webhook_secret",
	"api.webhooks.remove_webhook",
}
# Of browsers, which have no key; servers send events by the collector's own door.
OF_BROWSERS = {
	"api.tracking.get_tracking_script",
	"api.tracking.pixel",
	"api.tracking.record_consent",
	"api.tracking.track_event",
	"www.redirect.handle_redirect",
}
# What cards, charts and pages show of the same figures, in their own shapes.
OF_SCREENS = ("api.app.", "api.desk.", "api.first_steps.")
CLOSED_DOCTYPES = {"TrackFlow API Key"}


class TestTheTable(TrackFlowTestCase):
	"""KEY-1: whatever is added without being thought of here is closed to keys, and fails."""

	def test_every_method_of_ours(self) -> None:
		opened = {one.removeprefix("trackflow.") for one in (*scopes.METHODS, *scopes.BY_ARGUMENT)}
		closed = OF_KEYS | OF_BROWSERS | {one for one in methods() if one.startswith(OF_SCREENS)}
		self.assertEqual(set(methods()), (opened | closed) - set(scopes.FOR_ANY_KEY))
		self.assertFalse(opened & closed)

	def test_every_doctype_of_ours(self) -> None:
		found = frappe.get_all("DocType", {"module": MODULE, "istable": 0}, pluck="name", order_by="name")
		self.assertEqual(set(found), set(scopes.NOUNS) | CLOSED_DOCTYPES)

	def test_every_report_of_ours(self) -> None:
		found = frappe.get_all("Report", {"module": MODULE}, pluck="name", order_by="name")
		self.assertEqual(set(found), set(scopes.REPORTS))

	def test_no_methods_of_documents(self) -> None:
		"""They are closed to keys, so a controller that has one must be thought of."""
		for doctype in scopes.NOUNS:
			controller = frappe.get_meta(doctype) and frappe.model.base_document.get_controller(doctype)
			own = [one for one in vars(controller).values() if callable(one) and one in frappe.whitelisted]
			self.assertEqual(own, [], doctype)

	def test_the_table_in_the_docs(self) -> None:
		"""DOC-1: docs/api-keys.md names all that is open, in the row of its scopes."""
		text = (Path(frappe.get_app_path("trackflow")).parent / "docs" / "api-keys.md").read_text()
		rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
		for noun, opened in scopes.TABLE.items():
			for name in (*opened.doctypes, *opened.recorded, *opened.reports):
				self.assertIn(name, rows[noun])
			for path in (*opened.reading, *opened.writing):
				self.assertIn(path.rpartition(".")[2], rows[noun])

	def test_the_scopes_that_a_key_can_be_given(self) -> None:
		offered = frappe.get_meta("API Key Permission").get_field("permission_type").options.split("\n")
		self.assertEqual(offered, list(scopes.SCOPES))

	def test_every_kind_of_export(self) -> None:
		_argument, by_kind = scopes.BY_ARGUMENT["trackflow.api.analytics.export"]
		self.assertEqual(
			by_kind, {what: f"{scopes.NOUNS[kind.doctype]}:read" for what, kind in KINDS.items()}
		)

	def test_nothing_of_anybody_else(self) -> None:
		"""Every whitelisted method of the host, of all apps that are loaded, and every DocType that is not TrackFlow's."""
		for method in frappe.whitelisted:
			path = f"{method.__module__}.{method.__name__}"
			if path.startswith("trackflow.") or path in (*scopes.FOR_ANY_KEY, *scopes._FRAPPES):
				continue
			self.assertEqual(refused(rpc(path)), (403, "closed"), path)
		for doctype in frappe.get_all("DocType", {"module": ("!=", MODULE)}, pluck="name", order_by="name"):
			for asked in every_way_to(doctype):
				self.assertEqual(refused(asked), (403, "closed"), asked)

	def test_child_tables_come_with_their_documents(self) -> None:
		children = frappe.get_all("DocType", {"module": MODULE, "istable": 1}, pluck="name", order_by="name")
		for doctype in children:
			for asked in every_way_to(doctype):
				self.assertEqual(refused(asked), (403, "closed"), asked)


def rest(name: str, doctype: str, version: str = "v1", is_json: bool = True, /, **arguments: Any) -> Asked:
	place = {"doctype": doctype} | ({} if name in ("document_list", "create_doc") else {"name": "x"})
	return Asked(f"frappe.api.{version}.{name}", place, arguments, is_json)


def rpc(method: str, version: str = "v1", /, **arguments: Any) -> Asked:
	return Asked(f"frappe.api.{version}.handle_rpc_call", {"method": method}, arguments)


def every_way_to(doctype: str) -> list[Asked]:
	"""All by which a document is asked for or written."""
	by_name = {"doctype": doctype, "name": "x"}
	doc = json.dumps({"doctype": doctype})
	return [
		*(rest(name, doctype, version) for name in scopes._REST for version in ("v1", "v2")),
		rpc("frappe.client.get_list", doctype=doctype),
		rpc("frappe.client.get", **by_name),
		rpc("frappe.client.get_value", doctype=doctype, fieldname="name"),
		rpc("frappe.client.set_value", **by_name, fieldname="idx", value=1),
		rpc("frappe.client.delete", **by_name),
		rpc("frappe.client.insert", doc=doc),
		rpc("frappe.client.save", doc=doc),
	]


def refused(asked: Asked) -> tuple[int, str]:
	try:
		found = wanted(asked)
	except Refused as error:
		return error.status, error.code
	raise AssertionError(f"{asked} is open by {found!r}")


class TestScopes(unittest.TestCase):
	"""KEY-1, pure: the scope that a request needs."""

	def test_documents(self) -> None:
		reading = {"document_list", "read_doc"}
		for version in ("v1", "v2"):
			for name in scopes._REST:
				what = "read" if name in reading else "write"
				self.assertEqual(wanted(rest(name, "Tracked Link", version)), f"links:{what}")
		asked = [wanted(one) for one in every_way_to("Link Campaign")[-7:]]
		self.assertEqual(asked, ["campaigns:read"] * 3 + ["campaigns:write"] * 4)

	def test_what_is_recorded_is_read_and_not_written(self) -> None:
		"""A key that sends events neither changes nor deletes one, and none its own log."""
		for doctype in ("Visitor", "Click Event", "Conversion", "API Request Log", "Daily Rollup"):
			for asked in every_way_to(doctype):
				name = (asked.place.get("method") or asked.function).rpartition(".")[2]
				if name in ("document_list", "read_doc", "get_list", "get", "get_value"):
					self.assertEqual(wanted(asked), f"{scopes.NOUNS[doctype]}:read")
				else:
					self.assertEqual(refused(asked), (403, "closed"), asked)

	def test_methods(self) -> None:
		for version in ("v1", "v2"):
			self.assertEqual(
				wanted(rpc("trackflow.api.links.create_links", version, links="[]")), "links:write"
			)
			self.assertEqual(wanted(rpc("trackflow.api.analytics.realtime", version)), "analytics:read")
		self.assertEqual(wanted(rpc("frappe.auth.get_logged_user")), ANY_SCOPE)
		# As Frappe's version 1 reads it.
		self.assertEqual(wanted(rpc("trackflow.api.analytics.realtime/x")), "analytics:read")

	def test_rows_by_what_they_are(self) -> None:
		def export(what: Any) -> str:
			return wanted(rpc("trackflow.api.analytics.export", what=what))

		self.assertEqual([export(one) for one in ("clicks", "links")], ["events:read", "links:read"])
		self.assertEqual([export(one) for one in ("x", ["links"], None)], ["events:read"] * 3)

	def test_reports(self) -> None:
		run = "frappe.desk.query_report.run"
		self.assertEqual(wanted(rpc(run, report_name="Spend and Waste", filters="{}")), "costs:read")
		for name in ("General Ledger", ["Velocity"], None):
			self.assertEqual(refused(rpc(run, report_name=name)), (403, "closed"))
		asked = rpc(run, report_name="Velocity", custom_columns="[]")
		self.assertEqual(refused(asked), (400, "argument"))

	def test_methods_of_documents(self) -> None:
		"""Frappe has five ways to call one; none is open."""
		one = {"doctype": "Tracked Link", "name": "x"}
		for version in ("v1", "v2"):
			self.assertEqual(
				refused(Asked(f"frappe.api.{version}.execute_doc_method", one, {"run_method": "rename"})),
				(403, "closed"),
			)
		for method in ("run_doc_method", "runserverobj", "frappe.handler.run_doc_method"):
			self.assertEqual(
				refused(rpc(method, dt="Tracked Link", dn="x", method="rename")), (403, "closed")
			)
		self.assertEqual(refused(Asked("frappe.api.v2.<lambda>", {}, {})), (403, "closed"))
		self.assertEqual(refused(rest("read_doc", "Tracked Link", run_method="rename")), (400, "argument"))

	def test_no_way_around(self) -> None:
		closed = (
			Asked("", {}, {}),
			Asked("frappe.handler.upload_file", {}, {}),
			Asked("frappe.api.v2.get_meta", {"doctype": "Tracked Link"}, {}),
			Asked("frappe.api.v2.handle_rpc_call", {"method": "retry", "doctype": "Click Queue"}, {}),
			Asked("evil.api.v1.document_list", {"doctype": "Tracked Link"}, {}),
			rpc("trackflow.api.analytics.realtime", cmd="frappe.client.get_list"),
			rpc(" trackflow.api.analytics.realtime"),
			rpc("trackflow.api.access.create_api_key", key_name="x", scopes="[]"),
			rest("read_doc", "TrackFlow API Key"),
			rest("document_list", "tracked link"),
			rest("document_list", "Tracked Link\0"),
		)
		for asked in closed:
			self.assertEqual(refused(asked), (403, "closed"), asked)


class TestQuestions(unittest.TestCase):
	"""KEY-1, pure: a list or a document leads nowhere but to itself."""

	def allowed(self, **arguments: Any) -> None:
		self.assertEqual(wanted(rest("document_list", "Tracked Link", **arguments)), "links:read")
		self.assertEqual(
			wanted(rpc("frappe.client.get_list", doctype="Tracked Link", **arguments)), "links:read"
		)

	def refused(self, **arguments: Any) -> None:
		for asked in (
			rest("document_list", "Tracked Link", **arguments),
			rpc("frappe.client.get_list", doctype="Tracked Link", **arguments),
		):
			self.assertEqual(refused(asked), (400, "argument"), asked)

	def test_lists(self) -> None:
		self.allowed()
		self.allowed(fields='["name", "campaign"]', order_by="name desc, creation", limit=5, start="1")
		self.allowed(fields='["*"]', filters='{"status": "Active", "clicks": [">", 3]}')
		self.allowed(filters='[["status", "in", ["Active", "Paused"]]]', or_filters="[]")
		self.allowed(filters='[["Tracked Link", "name", "like", "%a%"]]', order_by="")

	def test_no_way_into_other_tables(self) -> None:
		for fields in (
			'["campaign.budget"]',
			'["`tabLink Campaign`.budget"]',
			'["count(name)"]',
			'[{"campaign": ["budget"]}]',
			'["name as x"]',
			"name",
			"{}",
		):
			self.refused(fields=fields)
		for filters in (
			'{"campaign.budget": 1}',
			'[["Link Campaign", "budget", ">", 1]]',
			'[["campaign", "descendants of", "x"]]',
			'[["name", "=", {"SUB": "x"}]]',
			'[["name", "in", [["x"]]]]',
			'["name", "=", "x"]',
			'[["name", "="]]',
			'"x"',
			"x",
		):
			self.refused(filters=filters)
			self.refused(or_filters=filters)
		for order in ("campaign.budget", "name; drop", "(select 1)", ["name"], "name desc nulls"):
			self.refused(order_by=order)
		for argument in ("expand", "group_by", "parent", "debug", "include", "distinct", "expand_links"):
			self.refused(**{argument: "x"})

	def test_one_document(self) -> None:
		for argument in ("expand_links", "include", "run_method", "parent"):
			self.assertEqual(refused(rest("read_doc", "Visitor", **{argument: "1"})), (400, "argument"))
		for value in ("crm_lead.email", '["crm_lead.email"]', '{"a": 1}', "count(*)"):
			asked = rpc("frappe.client.get_value", doctype="Visitor", fieldname=value)
			self.assertEqual(refused(asked), (400, "argument"))
		asked = rpc("frappe.client.get_value", doctype="Visitor", fieldname="name", filters="v_1")
		self.assertEqual(wanted(asked), "events:read")

	def test_writing(self) -> None:
		"""Nothing that is sent may name another document to be saved along."""
		strange = (
			{"doctype": "User"},
			{"parent": "x"},
			{"parenttype": "User"},
			{"flags": {"ignore_permissions": 1}},
			{"data": "{}"},
			{"run_method": "x"},
			{"as_dict": 1},
			{"Title": 1},
			{"a.b": 1},
		)
		for values in strange:
			for name in ("create_doc", "update_doc"):
				self.assertEqual(refused(rest(name, "Tracked Link", **values)), (400, "argument"), values)
			doc = {"doctype": "Tracked Link", **values}
			if "doctype" not in values:
				asked = rpc("frappe.client.insert", doc=json.dumps(doc))
				self.assertEqual(refused(asked), (400, "argument"), values)
			asked = rpc("frappe.client.set_value", doctype="Tracked Link", name="x", fieldname=values)
			self.assertEqual(refused(asked), (400, "argument"), values)
		rows = [{"doctype": "Tracked Link Rule", "parent": "x", "destination": "y"}]
		self.assertEqual(wanted(rest("update_doc", "Tracked Link", rules=rows, title="T")), "links:write")
		for doc in ("[]", "x", None, '[{"doctype": "Tracked Link"}]'):
			self.assertEqual(refused(rpc("frappe.client.insert", doc=doc)), (400, "argument"))

	def test_documents_come_as_json(self) -> None:
		for name in ("create_doc", "update_doc"):
			self.assertEqual(refused(rest(name, "Tracked Link", "v1", False)), (400, "argument"))

	@given(
		st.sampled_from(sorted(scopes._REST) + sorted(scopes._FRAPPES)),
		st.dictionaries(
			st.sampled_from(
				["doctype", "fields", "filters", "doc", "fieldname", "name", "order_by", "report_name"]
			),
			st.recursive(
				st.none()
				| st.integers()
				| st.text()
				| st.sampled_from(["Tracked Link", "User", "[[", '{"a":']),
				lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
				max_leaves=5,
			),
		),
	)
	def test_whatever_is_sent(self, name: str, arguments: dict[str, Any]) -> None:
		"""A scope, or a refusal; never another error, and never an open door to other DocTypes."""
		asked = rpc(name, **arguments) if "." in name else rest(name, "Tracked Link", **arguments)
		try:
			self.assertIn(wanted(asked), scopes.SCOPES)
		except Refused as error:
			self.assertIn((error.status, error.code), ((403, "closed"), (400, "argument")))
