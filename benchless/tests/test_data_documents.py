"""Documents: life cycle, checks, names, defaults, child rows, singles, passwords, deletion, renaming."""

import datetime
import json
from typing import Any

import frappe
import pytest

pytestmark = pytest.mark.usefixtures("on_shelf")


def make(doctype: str = "Shelf Book", **values: Any) -> Any:
	return frappe.get_doc({"doctype": doctype, **values}).insert()


def make_book(title: str = "One", **values: Any) -> Any:
	return make(title=title, **values)


class TestLifeCycle:
	def test_order_of_events(self) -> None:
		from shelf.events import calls

		calls.clear()
		book = frappe.get_doc({"doctype": "Shelf Book", "title": "One"}).insert()
		assert book.flags.events == [
			"before_insert",
			"before_naming",
			"before_validate",
			"validate",
			"before_save",
			"after_insert",
			"on_update",
			"on_change",
		]
		assert calls == [("book", "validate"), ("*", "Shelf Book", "on_update")]
		book.flags.events = []
		book.save()
		assert book.flags.events == ["before_validate", "validate", "before_save", "on_update", "on_change"]
		book.flags.events = []
		book.delete()

	def test_stamps(self) -> None:
		book = make_book()
		assert (book.owner, book.docstatus, book.idx) == ("Administrator", 0, 0)
		stored = frappe.get_doc("Shelf Book", book.name)
		assert isinstance(stored.creation, datetime.datetime)
		assert str(stored.modified) == str(book.modified)

	def test_what_others_changed_meanwhile_is_not_overwritten(self) -> None:
		book = make_book()
		other = frappe.get_doc("Shelf Book", book.name)
		other.title = "Two"
		other.save()
		with pytest.raises(frappe.TimestampMismatchError):
			book.save()
		assert book.reload().title == "Two"

	def test_value_before_saving(self) -> None:
		book = make_book(published="2026-01-02")
		assert book.has_value_changed("title")
		book = frappe.get_doc("Shelf Book", book.name)
		book.update({"title": "Two", "published": "2026-01-02"})
		book.save()
		assert book.get_doc_before_save().title == "One"
		assert (book.has_value_changed("title"), book.has_value_changed("published")) == (True, False)

	def test_db_set(self) -> None:
		book = make_book()
		before = book.modified
		book.db_set("title", "Two", update_modified=False)
		book.db_set({"pages": 3, "blurb": "x"})
		stored = frappe.get_doc("Shelf Book", book.name)
		assert (stored.title, stored.pages, stored.blurb) == ("Two", 3, "x")
		assert str(stored.modified) != str(before)

	def test_missing(self) -> None:
		with pytest.raises(frappe.DoesNotExistError):
			frappe.get_doc("Shelf Book", "nobody")
		assert frappe.get_cached_value("Shelf Book", "nobody", "title") is None

	def test_submit_and_cancel(self) -> None:
		loan = make("Shelf Loan", note="a")
		assert loan.name.startswith("LOAN-")
		loan.submit()
		loan.note = "b"
		with pytest.raises(frappe.UpdateAfterSubmitError):
			loan.save()
		loan.reload()
		with pytest.raises(frappe.ValidationError):
			loan.delete()
		loan.reload()
		loan.cancel()
		assert frappe.db.get_value("Shelf Loan", loan.name, "docstatus") == 2
		with pytest.raises(frappe.ValidationError):
			loan.save()


class TestChecks:
	def test_mandatory(self) -> None:
		with pytest.raises(frappe.MandatoryError, match="title"):
			make(title="")
		with pytest.raises(frappe.MandatoryError, match="heading"):
			make_book(chapters=[{"length": 1}])
		assert frappe.get_doc({"doctype": "Shelf Book"}).insert(ignore_mandatory=True).name

	def test_links(self) -> None:
		with pytest.raises(frappe.LinkValidationError):
			make_book(author="Nobody")
		assert frappe.get_doc(doctype="Shelf Book", title="x", author="Nobody").insert(ignore_links=True)

	def test_link_takes_the_spelling_of_the_target_and_fetches(self) -> None:
		make("Shelf Author", author_name="Ann Lee", email="ann@example.com")
		book = make_book(author="ANN LEE")
		assert (book.author, book.author_email) == ("Ann Lee", "ann@example.com")

	def test_selects_lengths_numbers_addresses(self) -> None:
		for values, error in (
			({"status": "Stolen"}, frappe.ValidationError),
			({"title": "x" * 141}, frappe.CharacterLengthExceededError),
			({"pages": -1}, frappe.NonNegativeError),
			({"pages": 2**40}, frappe.CharacterLengthExceededError),
			({"site": "nonsense"}, frappe.ValidationError),
		):
			with pytest.raises(error):
				make_book(**{"title": "One", **values})
		with pytest.raises(frappe.InvalidEmailAddressError):
			make("Shelf Author", author_name="A", email="nonsense")

	def test_duplicates(self) -> None:
		make("Shelf Author", author_name="Ann")
		with pytest.raises(frappe.DuplicateEntryError):
			make("Shelf Author", author_name="ANN")
		make_book(isbn="1-a")
		with pytest.raises(frappe.UniqueValidationError):
			make_book(title="Two", isbn="1-A")
		again = frappe.get_doc(doctype="Shelf Author", author_name="Ann").insert(ignore_if_duplicate=True)
		assert again.name == "Ann"
		# what is unique may be empty any number of times
		make_book(title="Three", isbn="")
		make_book(title="Four", isbn="")

	def test_set_only_once(self) -> None:
		book = make_book(fixed="a")
		book.fixed = "b"
		with pytest.raises(frappe.CannotChangeConstantError):
			book.save()

	def test_html_is_sanitised(self) -> None:
		book = make_book(notes='<p onclick="x()">Hi</p><script>alert(1)</script>', blurb="a < b")
		assert "script" not in book.notes and "onclick" not in book.notes and "<p>" in book.notes
		assert book.blurb == "a < b"

	def test_messages_are_kept_for_the_answer(self) -> None:
		frappe.clear_messages()
		with pytest.raises(frappe.ValidationError):
			make_book(title="forbidden")
		assert frappe.get_message_log()[-1].message == "No such title"


class TestValues:
	def test_defaults(self) -> None:
		book = frappe.new_doc("Shelf Book", title="One")
		assert (book.active, book.kind, book.status, book.is_new()) == (1, "Novel", "", 1)
		assert make("Shelf Loan").day == frappe.utils.nowdate()
		assert isinstance(make("Shelf Log", line="x").reload().at, datetime.datetime)

	def test_types_after_reading(self) -> None:
		book = make_book(
			pages="12",
			price="1.5",
			rating=2,
			published=datetime.date(2026, 1, 2),
			read_at="2026-01-02 03:04:05",
			opens="08:30:00",
			cover={"a": 1},
			active="0",
		).reload()
		assert (book.pages, book.price, book.rating, book.active) == (12, 1.5, 2.0, 0)
		assert isinstance(book.price, float) and isinstance(book.rating, float)
		assert book.published == datetime.date(2026, 1, 2)
		assert book.read_at == datetime.datetime(2026, 1, 2, 3, 4, 5)
		assert book.opens == datetime.timedelta(hours=8, minutes=30)
		assert json.loads(book.cover) == {"a": 1}

	def test_children(self) -> None:
		book = make_book(chapters=[{"heading": "A"}, {"heading": "B", "length": 2}])
		book.append("chapters", {"heading": "C"})
		book.remove(book.chapters[0])
		book.save()
		book = frappe.get_doc("Shelf Book", book.name)
		assert [(row.idx, row.heading) for row in book.chapters] == [(1, "B"), (2, "C")]
		assert book.get("chapters", {"heading": "B"})[0].length == 2
		assert book.chapters[0].parenttype == "Shelf Book"
		assert frappe.db.count("Shelf Chapter", {"parent": book.name}) == 2
		book.set("chapters", [])
		book.save()
		assert not frappe.db.exists("Shelf Chapter", {"parent": book.name})

	def test_singles(self) -> None:
		assert frappe.db.get_single_value("Shelf Settings", "shelves") == 3
		settings = frappe.get_single("Shelf Settings")
		settings.update({"shelves": 5, "share": 12.5, "opened": "2026-01-02 03:04:05", "lamp": 1})
		settings.save()
		assert frappe.db.get_single_value("Shelf Settings", "shelves") == 5
		frappe.db.set_single_value("Shelf Settings", {"shelves": 6, "lamp": False})
		again = frappe.get_single("Shelf Settings")
		assert (again.shelves, again.share, again.lamp) == (6, 12.5, 0)
		assert frappe.get_cached_doc("Shelf Settings").shelves == 6
		with pytest.raises(frappe.ValidationError):
			frappe.db.get_single_value("Shelf Settings", "nothing")

	def test_passwords(self) -> None:
		book = make_book(pin="1234")
		assert book.pin == "****"
		assert frappe.db.get_value("Shelf Book", book.name, "pin") == "****"
		assert frappe.get_doc("Shelf Book", book.name).get_password("pin") == "1234"
		book.pin = ""
		book.save()
		assert book.get_password("pin", raise_exception=False) is None

	def test_copies(self) -> None:
		book = make_book(chapters=[{"heading": "A"}])
		new = frappe.copy_doc(book)
		new.title = "Copy"
		new.insert()
		assert new.name != book.name and new.chapters[0].name != book.chapters[0].name
		assert frappe.get_last_doc("Shelf Book").name == new.name

	def test_as_dict_and_json(self) -> None:
		book = make_book(chapters=[{"heading": "A"}])
		values = book.as_dict()
		assert values.chapters[0].heading == "A" and values.doctype == "Shelf Book"
		assert json.loads(frappe.as_json(book))["title"] == "One"
		assert "creation" not in book.as_dict(no_default_fields=True)


class TestNames:
	def test_rules(self) -> None:
		first, second = make("Shelf Loan").name, make("Shelf Loan").name
		assert int(second.split("-")[1]) == int(first.split("-")[1]) + 1
		assert make("Shelf Note", text="a").name == "N-a-01"
		assert make("Shelf Note", text="a").name == "N-a-02"
		assert make("Shelf Author", author_name=" Ann ").name == "Ann"
		assert len(make_book().name) == 10
		assert frappe.get_doc(doctype="Shelf Log").insert(set_name="mine").name == "mine"
		with pytest.raises(frappe.NameError):
			frappe.get_doc(doctype="Shelf Log").insert(set_name="<b>")

	def test_last_number_is_given_back(self) -> None:
		loan = make("Shelf Loan")
		loan.delete()
		assert make("Shelf Loan").name == loan.name

	def test_rename(self) -> None:
		make("Shelf Author", author_name="Ann")
		book = make_book(author="Ann", about_doctype="Shelf Author", about_name="Ann")
		assert frappe.rename_doc("Shelf Author", "Ann", "Beth") == "Beth"
		book.reload()
		assert (book.author, book.about_name) == ("Beth", "Beth")
		assert frappe.db.get_value("Shelf Author", "Beth", "author_name") == "Beth"


class TestDeletion:
	def test_links_block_unless_ignored(self) -> None:
		make("Shelf Author", author_name="Ann")
		make("Shelf Log", line="x", author="Ann")
		book = make_book(author="Ann")
		with pytest.raises(frappe.LinkExistsError):
			frappe.delete_doc("Shelf Author", "Ann")
		book.db_set({"author": None, "about_doctype": "Shelf Author", "about_name": "Ann"})
		with pytest.raises(frappe.LinkExistsError):
			frappe.delete_doc("Shelf Author", "Ann")
		book.db_set("about_name", None)
		frappe.delete_doc("Shelf Author", "Ann")
		assert not frappe.db.exists("Shelf Author", "Ann")
		assert frappe.db.exists("Deleted Document", {"deleted_name": "Ann"})

	def test_force_permanently_missing(self) -> None:
		make("Shelf Author", author_name="Ann")
		make_book(author="Ann")
		frappe.delete_doc("Shelf Author", "Ann", force=True, delete_permanently=True)
		assert not frappe.db.exists("Deleted Document", {"deleted_name": "Ann"})
		assert frappe.delete_doc("Shelf Author", "Ann") is False
		with pytest.raises(frappe.DoesNotExistError):
			frappe.delete_doc("Shelf Author", "Ann", ignore_missing=False)
		frappe.delete_doc_if_exists("Shelf Author", "Ann")

	def test_children_and_passwords_go_too(self) -> None:
		book = make_book(pin="1", chapters=[{"heading": "A"}])
		book.delete()
		assert not frappe.db.exists("Shelf Chapter", {"parent": book.name})
		assert not frappe.qb.from_("__Auth").select("name").where(frappe.qb.Field("name") == book.name).run()


class TestCache:
	def test_cached_documents_follow_changes(self) -> None:
		book = make_book()
		assert frappe.get_cached_doc("Shelf Book", book.name).title == "One"
		frappe.db.set_value("Shelf Book", book.name, "title", "Two")
		assert frappe.get_cached_value("Shelf Book", book.name, "title") == "Two"
		assert frappe.get_cached_value("Shelf Book", book.name, ["title", "pages"], as_dict=True) == {
			"title": "Two",
			"pages": 0,
		}

	def test_error_log(self) -> None:
		try:
			raise ValueError("boom")
		except ValueError:
			row = frappe.log_error(title="It failed")
		assert row.method == "It failed" and "boom" in row.error
		assert frappe.log_error("Title", "a\nb").error == "a\nb"
