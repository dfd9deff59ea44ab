"""Users, roles and permissions, whitelisted functions, and the small helpers."""

import datetime
from typing import Any

import frappe
import pytest
from frappe import utils
from frappe.utils.password import check_password

pytestmark = pytest.mark.usefixtures("on_shelf")


def make_user(*roles: str, email: str = "ann@example.com", **values: Any) -> Any:
	user = frappe.get_doc(doctype="User", email=email, first_name="Ann", last_name="Lee", **values).insert()
	user.add_roles(*roles)
	return user


@pytest.fixture
def become(on_shelf: None) -> Any:
	def switch(*roles: str) -> None:
		make_user(*roles)
		frappe.set_user("ann@example.com")

	yield switch
	frappe.set_user("Administrator")


class TestUsers:
	def test_users(self) -> None:
		user = make_user("Shelf Reader", email="Ann@Example.com", new_password="secret-1")
		assert (user.name, user.full_name, user.user_type) == ("ann@example.com", "Ann Lee", "System User")
		assert check_password("ann@example.com", "secret-1") == "ann@example.com"
		with pytest.raises(frappe.AuthenticationError):
			check_password("ann@example.com", "wrong")
		assert set(frappe.get_roles(user.name)) == {"Shelf Reader", "All", "Guest", "Desk User"}
		user.remove_roles("Shelf Reader")
		assert set(frappe.get_roles(user.name)) == {"All", "Guest"}
		assert frappe.get_roles("Guest") == ["Guest"]
		assert utils.get_fullname(user.name) == "Ann Lee"
		with pytest.raises(frappe.ValidationError):
			frappe.delete_doc("User", "Guest")


class TestPermissions:
	def test_by_role(self, become: Any) -> None:
		book = frappe.get_doc(doctype="Shelf Book", title="One").insert()
		become("Shelf Reader")
		assert frappe.has_permission("Shelf Book") and not frappe.has_permission("Shelf Book", "write")
		assert frappe.get_list("Shelf Book", pluck="name") == [book.name]
		assert frappe.get_doc("Shelf Book", book.name).has_permission("read")
		with pytest.raises(frappe.PermissionError):
			frappe.get_doc(doctype="Shelf Book", title="Two").insert()
		with pytest.raises(frappe.PermissionError):
			frappe.get_doc("Shelf Book", book.name).save()
		with pytest.raises(frappe.PermissionError):
			frappe.delete_doc("Shelf Book", book.name)
		with pytest.raises(frappe.PermissionError):
			frappe.get_list("Shelf Author")
		with pytest.raises(frappe.PermissionError):
			frappe.has_permission("Shelf Author", throw=True)
		assert frappe.get_all("Shelf Author") == []
		assert frappe.get_doc(doctype="Shelf Book", title="Two").insert(ignore_permissions=True)

	def test_owners(self, become: Any) -> None:
		other = frappe.get_doc(doctype="Shelf Book", title="One").insert()
		become("Shelf Author")
		own = frappe.get_doc(doctype="Shelf Book", title="Two").insert()
		assert frappe.get_list("Shelf Book", pluck="name") == [own.name]
		own.title = "Three"
		own.save()
		assert not frappe.get_doc("Shelf Book", other.name).has_permission("read")

	def test_hooks(self, become: Any) -> None:
		frappe.permissions.add_permission("Shelf Log", "Shelf Reader")
		for line in ("open a", "open%b", "closed", "secret"):
			frappe.get_doc(doctype="Shelf Log", line=line).insert()
		become("Shelf Reader")
		found = frappe.get_list("Shelf Log", pluck="line", order_by="line asc")
		assert found == ["open a", "open%b"]
		secret = frappe.get_all("Shelf Log", {"line": "secret"}, pluck="name")[0]
		assert not frappe.has_permission("Shelf Log", doc=secret)
		frappe.set_user("Administrator")
		assert frappe.has_permission("Shelf Log", doc=secret)
		frappe.db.rollback()
		frappe.clear_cache(doctype="Shelf Log")

	def test_levels(self, become: Any) -> None:
		frappe.get_doc(doctype="Shelf Book", title="One", internal="x").insert()
		become("Shelf Author", "Shelf Reader")
		assert "internal" not in frappe.get_list("Shelf Book", fields=["*"])[0]
		book = frappe.get_doc(doctype="Shelf Book", title="Two", internal="mine").insert()
		assert not frappe.db.get_value("Shelf Book", book.name, "internal")

	def test_only_for(self, become: Any) -> None:
		become("Shelf Reader")
		frappe.flags.in_test = False
		frappe.only_for(["Shelf Reader", "Shelf Author"])
		with pytest.raises(frappe.PermissionError):
			frappe.only_for("System Manager")
		frappe.flags.in_test = True

	def test_children_follow_their_parents(self, become: Any) -> None:
		become("Shelf Reader")
		assert frappe.has_permission("Shelf Chapter", parent_doctype="Shelf Book")
		assert not frappe.has_permission("Shelf Chapter")


class TestWhitelist:
	def test_arguments_are_converted_and_checked(self) -> None:
		@frappe.whitelist(allow_guest=True, methods=["POST"])
		def method(number: int, flag: bool = False, names: list[str] | None = None, text: str = "") -> tuple:
			return number, flag, names, text

		assert method("5", flag=1, names=["a"]) == (5, 1, ["a"], "")
		with pytest.raises(frappe.FrappeTypeError):
			method("five")
		with pytest.raises(frappe.FrappeTypeError):
			method(1, text={"a": 1})
		assert method in frappe.whitelisted and method in frappe.guest_methods
		assert frappe.allowed_http_methods_for_whitelisted_func[method] == ["POST"]
		frappe.is_whitelisted(method)
		with pytest.raises(frappe.PermissionError):
			frappe.is_whitelisted(make_user)

	def test_calls_drop_what_is_not_asked_for(self) -> None:
		assert frappe.call(lambda a, b=2: (a, b), a=1, c=3, ignore_permissions=True) == (1, 2)


class TestHelpers:
	def test_numbers(self) -> None:
		assert (utils.cint("7.9"), utils.cint("x"), utils.flt("1,234.5"), utils.flt(None)) == (
			7,
			0,
			1234.5,
			0,
		)
		assert (utils.flt(0.125, 2), utils.rounded(2.5), utils.rounded(1.005, 2)) == (0.13, 2, 1.01)
		assert utils.fmt_money(1234567.5, currency="EUR") == "€ 1,234,567.50"
		assert utils.fmt_money(-1234.5, precision=0) == "-1,234"

	def test_dates(self) -> None:
		assert utils.getdate("2026-01-02 10:00") == datetime.date(2026, 1, 2)
		assert utils.get_datetime("2026-01-02") == datetime.datetime(2026, 1, 2)
		assert utils.add_days("2026-01-31", 1) == "2026-02-01"
		assert utils.add_months(datetime.date(2026, 1, 31), 1) == datetime.date(2026, 2, 28)
		assert utils.add_to_date("2026-01-01 00:00:00", hours=1) == "2026-01-01 01:00:00.000000"
		assert utils.time_diff_in_seconds("2026-01-01 00:01:00", "2026-01-01") == 60
		assert utils.formatdate("2026-01-02", "dd.mm.yyyy") == "02.01.2026"
		assert utils.format_datetime("2026-01-02 03:04:05") == "2026-01-02 03:04:05"
		assert utils.now_datetime().tzinfo is None

	def test_time_zone_of_the_site(self) -> None:
		frappe.db.set_single_value("System Settings", "time_zone", "Asia/Kolkata")
		assert utils.get_system_timezone() == "Asia/Kolkata"
		utc = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
		assert utils.convert_utc_to_system_timezone(utc).hour == 5

	def test_texts_and_addresses(self) -> None:
		assert utils.escape_html("<a href='x'>") == "&lt;a href=&#39;x&#39;&gt;"
		assert utils.comma_and(["a", "b", "c"], add_quotes=False) == "a, b and c"
		assert utils.validate_email_address("Ann <ann@example.com>, x") == "ann@example.com"
		assert utils.validate_url("https://example.com") and not utils.validate_url(
			"x", valid_schemes="https"
		)
		assert utils.get_url("/r/x").endswith("/r/x")
		assert utils.get_url_to_form("Shelf Book", "a b").endswith("/app/shelf-book/a%20b")
		assert utils.strip_html("<b>x</b>") == "x"
		assert frappe.scrub("Shelf Book") == "shelf_book" and frappe.unscrub("shelf_book") == "Shelf Book"
		assert frappe.parse_json('{"a": 1}').a == 1
		assert len(frappe.generate_hash(length=7)) == 7

	def test_hooks(self) -> None:
		assert frappe.get_hooks("after_migrate") == ["shelf.events.after_migrate"]
		assert frappe.get_hooks("after_install", app_name="shelf") == ["shelf.events.after_install"]
		assert frappe.get_hooks("nothing") == [] and frappe.get_hooks("nothing", {}) == {}
		assert frappe.get_doc_hooks()["Shelf Log"] == {"after_insert": ["shelf.events.on_note"]}
