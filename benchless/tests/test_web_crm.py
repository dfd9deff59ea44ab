"""HOST-2: the CRM stand-in has CRM's field names and does with a lead what CRM does when it is converted."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _site(on_probe: None) -> Iterator[None]:
	yield


def make_lead(**values: object):
	import frappe

	return frappe.get_doc(
		{
			"doctype": "CRM Lead",
			"first_name": "Ada",
			"last_name": "Example",
			"email": "ada@example.com",
			**values,
		}
	).insert()


def convert(lead, **kwargs: object):
	import frappe
	from crm.fcrm.doctype.crm_lead.crm_lead import convert_to_deal

	return frappe.get_doc("CRM Deal", convert_to_deal(lead.name, **kwargs))


class TestLead:
	def test_names_and_defaults(self) -> None:
		from frappe.utils import now_datetime

		lead = make_lead()
		assert lead.name.startswith(f"CRM-LEAD-{now_datetime().year}-")
		assert (lead.lead_name, lead.status, lead.converted) == ("Ada Example", "New", 0)

	def test_what_is_refused(self) -> None:
		import frappe

		with pytest.raises(frappe.ValidationError, match="Give the lead a name"):
			make_lead(first_name="", email="")
		with pytest.raises(frappe.MandatoryError):
			make_lead(first_name="", organization="Example Ltd")
		with pytest.raises(frappe.InvalidEmailAddressError):
			make_lead(email="nobody")

	def test_status_changes_are_logged(self) -> None:
		lead = make_lead()
		lead.status = "Contacted"
		lead.save()
		assert [(row.get("from"), row.get("to") or "") for row in lead.status_change_log] == [
			("New", "Contacted"),
			("Contacted", ""),
		]


class TestConversion:
	def test_contact_organization_deal(self) -> None:
		import frappe

		lead = make_lead(
			organization="Example Ltd", website="https://example.com", mobile_no="+49 1", source="Campaign"
		)
		deal = convert(lead)
		assert (deal.lead, deal.organization, deal.status, deal.source) == (
			lead.name,
			"Example Ltd",
			"Qualification",
			"Campaign",
		)
		assert (deal.email, deal.mobile_no, deal.contacts[0].is_primary) == ("ada@example.com", "+49 1", 1)
		assert frappe.db.get_value("CRM Organization", "Example Ltd", "website") == "https://example.com"
		assert frappe.db.get_value("CRM Lead", lead.name, ["status", "converted"]) == ("Qualified", 1)
		assert frappe.db.get_value("Contact", deal.contacts[0].contact, "full_name") == "Ada Example"

	def test_custom_fields_of_one_name_are_carried_over(self) -> None:
		import frappe
		from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

		field = {"fieldname": "probe_source", "fieldtype": "Data", "label": "Probe Source"}
		create_custom_fields({"CRM Lead": [field], "CRM Deal": [field]})
		try:
			assert convert(make_lead(probe_source="newsletter")).probe_source == "newsletter"
		finally:
			for doctype in ("CRM Lead", "CRM Deal"):
				frappe.delete_doc("Custom Field", f"{doctype}-probe_source")
			frappe.db.commit()

	def test_known_contact_and_organization_are_used(self) -> None:
		import frappe

		first = convert(make_lead(organization="Example Ltd"))
		second = convert(make_lead(organization="Example Ltd"), deal={"deal_value": 500})
		assert second.contacts[0].contact == first.contacts[0].contact
		assert (second.organization, second.deal_value) == ("Example Ltd", 500)
		assert frappe.db.count("CRM Organization", {"organization_name": "Example Ltd"}) == 1

	def test_only_who_may_write_the_lead(self) -> None:
		import frappe

		lead = make_lead()
		frappe.set_user("Guest")
		with pytest.raises(frappe.PermissionError):
			convert(lead)


class TestDeal:
	def make(self, **values: object):
		import frappe

		return frappe.get_doc({"doctype": "CRM Deal", **values}).insert()

	def test_won_is_dated(self) -> None:
		from frappe.utils import nowdate

		deal = self.make()
		assert (deal.probability, deal.closed_date, deal.exchange_rate) == (10, None, 1)
		deal.status = "Won"
		deal.save()
		assert str(deal.closed_date) == nowdate()
		assert deal.status_change_log[-1].from_type == "Won"

	def test_lost_wants_a_reason(self) -> None:
		import frappe

		for given in ({}, {"lost_reason": "Other"}):
			with pytest.raises(frappe.ValidationError):
				self.make(status="Lost", **given)
		assert self.make(status="Lost", lost_reason="Other", lost_notes="they told us").probability == 0
		assert self.make(status="Lost", lost_reason="Pricing").closed_date is None


def test_seeds_and_menu() -> None:
	import frappe

	assert frappe.db.count("CRM Deal Status") == 7
	assert frappe.db.exists("CRM Fields Layout", "CRM Lead-Side Panel")
	frappe.call("crm.fcrm.doctype.fcrm_settings.fcrm_settings.after_migrate")
	frappe.call("crm.fcrm.doctype.fcrm_settings.fcrm_settings.after_migrate")
	names = [row.name1 for row in frappe.get_doc("FCRM Settings").dropdown_items]
	assert names == ["settings", "logout"]
