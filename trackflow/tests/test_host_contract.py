"""What TrackFlow relies on of its host, part one: documents, from naming to storage (HOST-1, HOST-2).

The parts are test_host_contract*.py. They say what Frappe does, not what TrackFlow does, and pass unchanged on a
bench and on benchless; a host that fails here cannot run the app.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from frappe.utils import get_datetime, now_datetime
from frappe.utils.password import get_decrypted_password

from trackflow.tests.base import TrackFlowTestCase, needs_crm
from trackflow.tests.factories import make_campaign, make_domain, make_lead, make_link, make_visitor
from trackflow.tests.users import make_user, remove_user

HOOKS = (
	"before_insert", "autoname", "before_validate", "validate", "before_save", "after_insert", "on_update",
	"on_change", "on_trash", "after_delete", "before_rename", "after_rename",
)  # fmt: skip


@contextmanager
def recorded_hooks(doctype: str) -> Iterator[list[str]]:
	"""The names of the hooks that documents of `doctype` run meanwhile, in order; what they do, they still do."""
	controller = type(frappe.new_doc(doctype))
	called: list[str] = []

	def recorder(name: str) -> Any:
		original = getattr(controller, name, None)

		def record(self: Document, *args: Any, **kwargs: Any) -> Any:
			called.append(name)
			return original(self, *args, **kwargs) if original else None

		return record

	with ExitStack() as stack:
		for name in HOOKS:
			if name != "autoname" or hasattr(controller, name):
				stack.enter_context(patch.object(controller, name, recorder(name), create=True))
		yield called


class TestLifecycle(TrackFlowTestCase):
	"""HOST-2: the hooks of a document run in Frappe's order and see what they see in Frappe."""

	def test_insert(self) -> None:
		with recorded_hooks("Link Campaign") as called:
			make_campaign()
		expected = [
			"before_insert",
			"before_validate",
			"validate",
			"before_save",
			"after_insert",
			"on_update",
			"on_change",
		]
		self.assertEqual(called, expected)

	def test_autoname_runs_between_before_insert_and_validate(self) -> None:
		with recorded_hooks("Visitor Session") as called:
			frappe.get_doc(_session()).insert()
		self.assertEqual(called[:4], ["before_insert", "autoname", "before_validate", "validate"])

	def test_autoname_is_asked_even_where_a_name_was_given_unless_by_set_name(self) -> None:
		with recorded_hooks("Visitor Session") as called:
			doc = frappe.get_doc(_session()).insert(set_name="contract-session")
		self.assertEqual(doc.name, "contract-session")
		self.assertNotIn("autoname", called)

	def test_save(self) -> None:
		campaign = make_campaign()
		with recorded_hooks("Link Campaign") as called:
			campaign.save()
		self.assertEqual(called, ["before_validate", "validate", "before_save", "on_update", "on_change"])

	def test_delete(self) -> None:
		make_campaign()
		with recorded_hooks("Link Campaign") as called:
			frappe.delete_doc("Link Campaign", "Spring Sale")
		self.assertEqual(called, ["on_trash", "on_change", "after_delete"])
		self.assertFalse(frappe.db.exists("Link Campaign", "Spring Sale"))

	def test_rename(self) -> None:
		make_campaign()
		make_link("abc", campaign="Spring Sale")
		with recorded_hooks("Link Campaign") as called:
			self.assertEqual(frappe.rename_doc("Link Campaign", "Spring Sale", "Summer Sale"), "Summer Sale")
		self.assertEqual(called, ["before_rename", "after_rename"])
		self.assertEqual(
			frappe.db.get_value("Tracked Link", {"short_code": "abc"}, "campaign"), "Summer Sale"
		)
		self.assertEqual(frappe.db.get_value("Link Campaign", "Summer Sale", "campaign_name"), "Summer Sale")

	def test_what_was_before_the_save(self) -> None:
		seen: list[tuple[str | None, bool, bool]] = []

		def look(doc: Document) -> None:
			before = doc.get_doc_before_save()
			seen.append((before and before.source, doc.has_value_changed("source"), bool(doc.is_new())))

		with patch.object(type(frappe.new_doc("Link Campaign")), "before_save", look, create=True):
			campaign = make_campaign(source="one")
			campaign.source = "two"
			campaign.save()
			campaign.save()
		self.assertEqual(seen, [(None, True, True), ("one", True, False), ("two", False, False)])
		self.assertFalse(campaign.is_new())

	def test_save_of_a_new_document_inserts_it_and_both_return_it(self) -> None:
		campaign = frappe.new_doc("Link Campaign")
		campaign.campaign_name = "Spring Sale"
		self.assertTrue(campaign.is_new())
		self.assertIs(campaign.save(), campaign)
		self.assertIs(campaign.save(), campaign)
		self.assertEqual(frappe.db.count("Link Campaign"), 1)

	def test_an_error_in_a_hook_stops_the_save(self) -> None:
		def fail(doc: Document) -> None:
			frappe.throw("No.", frappe.PermissionError)

		with patch.object(type(frappe.new_doc("Link Campaign")), "validate", fail):
			self.assertRaisesRegex(frappe.PermissionError, "No.", make_campaign)
		self.assertFalse(frappe.db.exists("Link Campaign", "Spring Sale"))

	@needs_crm
	def test_hooks_of_apps_run_after_the_controllers_own(self) -> None:
		called: list[str] = []
		controller = type(frappe.new_doc("CRM Lead"))
		original = getattr(controller, "on_update", None)

		def on_update(self: Document) -> None:
			called.append("controller")
			if original:
				original(self)

		def hook(doc: Document, method: str) -> None:
			called.append(f"{method} hook of {doc.doctype}")

		with (
			patch.object(controller, "on_update", on_update, create=True),
			patch("trackflow.integrations.crm_lead.on_update", hook),
		):
			make_lead()
		self.assertEqual(called, ["controller", "on_update hook of CRM Lead"])


class TestNaming(TrackFlowTestCase):
	"""HOST-2: names by hash, by field, by code."""

	def test_hash(self) -> None:
		self.assertRegex(make_link("abc").name, r"^[a-z0-9]{10}$")

	def test_field(self) -> None:
		self.assertEqual(make_campaign("Spring & Summer").name, "Spring & Summer")
		with self.assertRaises(frappe.DuplicateEntryError):
			make_campaign("Spring & Summer")

	def test_names_ignore_case(self) -> None:
		make_campaign("Spring Sale")
		with self.assertRaises(frappe.DuplicateEntryError):
			make_campaign("SPRING sale", campaign_id="other")

	def test_prompt(self) -> None:
		given = frappe.get_doc({**_session(), "name": "given"}).insert()
		made = frappe.get_doc(_session()).insert()
		self.assertEqual(given.name, "given")
		self.assertRegex(made.name, r"^[0-9a-f]{16}$")

	def test_generated_hashes(self) -> None:
		self.assertRegex(frappe.generate_hash(length=16), r"^[0-9a-f]{16}$")
		self.assertRegex(frappe.generate_hash(length=15), r"^[0-9a-f]{15}$")
		self.assertNotEqual(frappe.generate_hash(length=16), frappe.generate_hash(length=16))
		self.assertEqual(frappe.scrub("Click Event"), "click_event")


class TestValidation(TrackFlowTestCase):
	"""HOST-2: the framework's own checks, with the exception classes that callers catch."""

	def test_mandatory(self) -> None:
		with self.assertRaises(frappe.MandatoryError):
			frappe.get_doc({"doctype": "Click Event", "event_type": "Click"}).insert()
		self.assertTrue(issubclass(frappe.MandatoryError, frappe.ValidationError))

	def test_mandatory_is_looked_at_after_validate(self) -> None:
		def fill(doc: Document) -> None:
			doc.status = "Planned"

		with patch.object(type(frappe.new_doc("Link Campaign")), "validate", fill):
			self.assertEqual(make_campaign(status="").status, "Planned")

	def test_link(self) -> None:
		nobody = {**_session(), "visitor_id": "v_00000000000000ff"}
		with self.assertRaises(frappe.LinkValidationError):
			frappe.get_doc(nobody).insert()
		self.assertEqual(frappe.get_doc(nobody).insert(ignore_links=True).visitor_id, "v_00000000000000ff")

	def test_dynamic_link(self) -> None:
		values = {
			"conversion_type": "Purchase",
			"conversion_date": now_datetime(),
			"source_doctype": "Link Campaign",
		}
		with self.assertRaises(frappe.LinkValidationError):
			frappe.get_doc({"doctype": "Conversion", **values, "source_name": "No such campaign"}).insert()
		make_campaign()
		frappe.get_doc({"doctype": "Conversion", **values, "source_name": "Spring Sale"}).insert()

	def test_links_are_looked_at_before_the_hooks(self) -> None:
		nobody = {**_session(), "visitor_id": "v_00000000000000ff"}
		with recorded_hooks("Visitor Session") as called, self.assertRaises(frappe.LinkValidationError):
			frappe.get_doc(nobody).insert()
		self.assertEqual(called, [])

	def test_a_link_in_another_case_becomes_the_name(self) -> None:
		make_campaign()
		link = make_link("abc", campaign="SPRING SALE")
		self.assertEqual((link.campaign, link.campaign_id), ("Spring Sale", "spring-sale"))

	def test_select(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			make_campaign(status="Dormant")

	def test_length(self) -> None:
		with self.assertRaises(frappe.CharacterLengthExceededError):
			make_campaign(source="x" * 141)
		self.assertEqual(len(make_campaign(source="x" * 140).source), 140)

	def test_non_negative(self) -> None:
		with self.assertRaises(frappe.NonNegativeError):
			make_campaign(budget=-1)

	def test_set_only_once(self) -> None:
		domain = make_domain()
		domain.public_key = "pk_" + "0" * 24
		with self.assertRaises(frappe.CannotChangeConstantError):
			domain.save()

	def test_unique(self) -> None:
		make_campaign("One", campaign_id="same")
		with self.assertRaises(frappe.UniqueValidationError) as caught:
			make_campaign("Two", campaign_id="same")
		self.assertTrue(frappe.db.is_duplicate_entry(caught.exception) or caught.exception.args)
		self.assertTrue(issubclass(frappe.UniqueValidationError, frappe.ValidationError))

	def test_unique_ignores_case(self) -> None:
		first = make_campaign("One", campaign_id="same")
		frappe.db.set_value("Link Campaign", first.name, "campaign_id", "SAME")
		with self.assertRaises(frappe.UniqueValidationError):
			make_campaign("Two", campaign_id="same")

	def test_unique_takes_many_without_a_value(self) -> None:
		def no_slug(doc: Document) -> None:
			doc.campaign_id = ""

		with patch.object(type(frappe.new_doc("Link Campaign")), "validate", no_slug):
			for name in ("One", "Two"):
				make_campaign(name)
		self.assertEqual(frappe.get_all("Link Campaign", pluck="campaign_id"), [None, None])

	def test_the_message_of_a_violation_can_be_cleared(self) -> None:
		make_campaign("One", campaign_id="same")
		before = len(frappe.local.message_log)
		with self.assertRaises(frappe.UniqueValidationError):
			make_campaign("Two", campaign_id="same")
		frappe.clear_last_message()
		self.assertEqual(len(frappe.local.message_log), before)

	def test_stale_document(self) -> None:
		make_campaign()
		mine, theirs = (frappe.get_doc("Link Campaign", "Spring Sale") for _ in range(2))
		theirs.db_set("modified", now_datetime() + timedelta(seconds=5), update_modified=False)
		with self.assertRaises(frappe.TimestampMismatchError):
			mine.save()
		mine.reload()
		mine.save()

	def test_throw(self) -> None:
		with self.assertRaisesRegex(frappe.ValidationError, "^plain$"):
			frappe.throw("plain")
		with self.assertRaises(frappe.DuplicateEntryError):
			frappe.throw("given", frappe.DuplicateEntryError)
		codes = {
			"ValidationError": 417, "PermissionError": 403, "DoesNotExistError": 404, "DuplicateEntryError": 409,
			"AuthenticationError": 401, "CSRFTokenError": 400,
		}  # fmt: skip
		self.assertEqual({name: getattr(frappe, name).http_status_code for name in codes}, codes)


class TestDocuments(TrackFlowTestCase):
	"""HOST-2: getting, changing and storing documents."""

	def test_defaults(self) -> None:
		new = frappe.new_doc("Link Campaign")
		self.assertEqual((new.status, new.owner_user), ("Planned", "Administrator"))
		domain = frappe.get_doc({"doctype": "Domain Configuration", "domain": "a.example.com"}).insert()
		self.assertEqual((domain.enabled, domain.consent_default), (1, "Opt-in"))
		self.assertEqual(frappe.new_doc("Link Campaign", source="given").source, "given")

	def test_standard_fields(self) -> None:
		before = now_datetime()
		campaign = make_campaign()
		campaign.reload()
		self.assertEqual(
			(campaign.owner, campaign.modified_by, campaign.docstatus), ("Administrator",) * 2 + (0,)
		)
		self.assertIsInstance(campaign.creation, datetime)
		self.assertTrue(before - timedelta(seconds=2) <= campaign.creation <= now_datetime())
		self.assertEqual(campaign.creation, campaign.modified)
		created = campaign.creation
		campaign.save()
		self.assertGreater(get_datetime(campaign.modified), created)
		self.assertEqual(get_datetime(campaign.creation), created)

	def test_types_that_a_document_has_after_reading(self) -> None:
		values = {"start_date": "2026-02-03", "budget": "12.5", "target_roas": "3"}
		campaign = frappe.get_doc("Link Campaign", make_campaign(**values).name)
		self.assertEqual(
			(campaign.start_date, campaign.budget, campaign.target_roas), (date(2026, 2, 3), 12.5, 3.0)
		)
		link = make_link(
			"abc", starts_on="2026-02-03 04:05:06", max_clicks="7", additional_parameters={"a": "b"}
		)
		link = frappe.get_doc("Tracked Link", link.name)
		self.assertEqual((link.starts_on, link.max_clicks), (datetime(2026, 2, 3, 4, 5, 6), 7))
		self.assertEqual(frappe.parse_json(link.additional_parameters), {"a": "b"})
		self.assertEqual((link.expiry_date, link.domain, link.click_count), (None, None, 0))

	def test_ways_to_get_one(self) -> None:
		link = make_link("abc")
		for one in (
			frappe.get_doc("Tracked Link", link.name),
			frappe.get_doc("Tracked Link", {"short_code": "abc"}),
			frappe.get_last_doc("Tracked Link"),
			frappe.get_cached_doc("Tracked Link", link.name),
			frappe.get_doc(link.as_dict()),
		):
			self.assertEqual((one.doctype, one.name, one.short_code), ("Tracked Link", link.name, "abc"))
		for missing in (
			lambda: frappe.get_doc("Tracked Link", "none"),
			lambda: frappe.get_last_doc("Conversion"),
		):
			self.assertRaises(frappe.DoesNotExistError, missing)

	def test_cached_document_follows_saves_and_can_be_forgotten(self) -> None:
		make_campaign(source="one")
		frappe.db.commit()
		campaign = frappe.get_cached_doc("Link Campaign", "Spring Sale")
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.source = "two"
		campaign.save()
		self.assertEqual(frappe.get_cached_doc("Link Campaign", "Spring Sale").source, "two")
		frappe.db.set_value("Link Campaign", "Spring Sale", "source", "three")
		self.assertEqual(frappe.get_cached_doc("Link Campaign", "Spring Sale").source, "three")
		table = frappe.qb.DocType("Link Campaign")
		frappe.qb.update(table).set(table.source, "four").run()
		frappe.clear_document_cache("Link Campaign", "Spring Sale")
		self.assertEqual(frappe.get_cached_doc("Link Campaign", "Spring Sale").source, "four")

	def test_attributes_and_items(self) -> None:
		campaign = frappe.get_doc({"doctype": "Link Campaign", "campaign_name": "x"})
		self.assertEqual(
			(campaign.get("campaign_name"), campaign.get("source"), campaign.source), ("x", None, None)
		)
		campaign.update({"source": "a", "medium": "b"})
		campaign.set("medium", "c")
		self.assertEqual((campaign.source, campaign.medium), ("a", "c"))
		self.assertEqual(campaign.meta.name, "Link Campaign")
		campaign.flags.something = 1
		self.assertEqual((campaign.flags.something, campaign.flags.nothing), (1, None))
		campaign.set_onload("hint", "later")
		self.assertEqual(campaign.get_onload("hint"), "later")
		plain = campaign.as_dict()
		self.assertEqual((type(plain), plain.doctype, plain["source"]), (frappe._dict, "Link Campaign", "a"))

	def test_db_set_and_reload(self) -> None:
		campaign = make_campaign(source="one")
		other = frappe.get_doc("Link Campaign", campaign.name)
		campaign.db_set("source", "two")
		self.assertEqual(campaign.source, "two")
		other.reload()
		self.assertEqual(other.source, "two")

	def test_children(self) -> None:
		rows = [_variant("A"), _variant("B")]
		link = make_link("abc", variants=rows)
		link = frappe.get_doc("Tracked Link", link.name)
		self.assertEqual(
			[(row.idx, row.variant_name, row.active) for row in link.variants], [(1, "A", 1), (2, "B", 1)]
		)
		(first, second) = link.variants
		owner = (link.name, "Tracked Link", "variants")
		self.assertEqual((first.parent, first.parenttype, first.parentfield), owner)
		link.remove(first)
		link.append("variants", _variant("C"))
		link.save()
		link.reload()
		self.assertEqual([(row.idx, row.variant_name) for row in link.variants], [(1, "B"), (2, "C")])
		self.assertEqual(link.variants[0].name, second.name)
		self.assertEqual(len(link.as_dict().variants), 2)
		link.set("variants", [])
		link.save()
		self.assertEqual(frappe.db.count("Campaign Link Variant", {"parent": link.name}), 0)

	def test_password(self) -> None:
		email = "contract.password@example.com"
		make_user(email, api_secret="open sesame")
		self.addCleanup(remove_user, email)
		user = frappe.get_doc("User", email)
		self.assertEqual(user.api_secret, "*" * 11)
		self.assertEqual(frappe.db.get_value("User", email, "api_secret"), "*" * 11)
		self.assertEqual(user.get_password("api_secret"), "open sesame")
		user.save()
		self.assertEqual(get_decrypted_password("User", email, "api_secret"), "open sesame")
		self.assertIsNone(get_decrypted_password("User", "Guest", "api_secret", raise_exception=False))

	def test_virtual_fields_are_worked_out_and_have_no_column(self) -> None:
		row = frappe.get_doc({"doctype": "Daily Rollup", "spend": 100, "conversions": 4})
		self.assertEqual(row.cpa, 25)
		self.assertFalse(frappe.db.has_column("Daily Rollup", "cpa"))
		self.assertTrue(frappe.db.has_column("Daily Rollup", "spend"))


def _session() -> dict[str, Any]:
	"""A Visitor Session, which takes any name, of a visitor that exists."""
	visitor, now = "v_00000000000000aa", now_datetime()
	if not frappe.db.exists("Visitor", visitor):
		make_visitor(visitor)
	return {"doctype": "Visitor Session", "visitor_id": visitor, "session_start": now, "session_end": now}


def _variant(name: str) -> dict[str, Any]:
	return {"variant_name": name, "destination_url": "https://shop.example.com/other"}
