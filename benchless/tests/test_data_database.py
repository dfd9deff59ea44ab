"""Transactions, locks, schema and apps: what commits, what waits, what comes and goes."""

import os
import subprocess
import sys
import threading
from typing import Any

import frappe
import pytest
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields
from frappe.custom.doctype.property_setter.property_setter import make_property_setter
from frappe.database import savepoint
from frappe.database.sqlite_translate import translate
from frappe.installer import install_app, remove_app
from frappe.migrate import SiteMigration
from shelf_site import SITE

from benchless import sites

pytestmark = pytest.mark.usefixtures("on_shelf")


def make_note(text: str) -> Any:
	return frappe.get_doc(doctype="Shelf Note", text=text).insert()


class TestTransactions:
	def test_savepoints(self) -> None:
		make_note("a")
		with savepoint(catch=frappe.ValidationError):
			make_note("b")
			raise frappe.ValidationError
		with savepoint():
			make_note("c")
		assert frappe.get_all("Shelf Note", pluck="text", order_by="text asc") == ["a", "c"]
		frappe.db.rollback()
		assert not frappe.db.count("Shelf Note")

	def test_callbacks(self) -> None:
		seen: list[str] = []
		frappe.db.before_commit.add(lambda: seen.append("before"))
		frappe.db.after_commit.add(lambda: seen.append("after"))
		frappe.db.after_rollback.add(lambda: seen.append("never"))
		frappe.db.commit()
		frappe.db.after_commit.add(lambda: seen.append("never"))
		frappe.db.after_rollback.add(lambda: seen.append("rollback"))
		frappe.db.rollback()
		frappe.db.commit()
		assert seen == ["before", "after", "rollback"]

	def test_schema_changes_are_refused_in_a_transaction(self) -> None:
		make_note("a")
		with pytest.raises(frappe.ImplicitCommitError):
			frappe.db.sql("create table `tabShelf Other` (name varchar(140))")
		frappe.db.rollback()

	def test_every_statement_is_seen(self, monkeypatch: pytest.MonkeyPatch) -> None:
		seen: list[str] = []
		database = frappe.db.__class__
		original = database.sql

		def spy(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
			seen.append(str(query))
			return original(self, query, *args, **kwargs)

		monkeypatch.setattr(database, "sql", spy)
		make_note("a")
		assert any("INSERT INTO `tabShelf Note`" in query for query in seen)
		seen.clear()
		frappe.get_all("Shelf Note", {"text": "a"})
		assert len(seen) == 1

	def test_writers_wait_for_each_other(self) -> None:
		frappe.db.bulk_insert("Shelf Note", ["name", "seen"], [("n", 0)])
		frappe.db.commit()
		sites_path, errors = frappe.local.sites_path, []

		def count_up() -> None:
			try:
				frappe.init(SITE, sites_path=sites_path, force=True)
				frappe.connect()
				for _i in range(25):
					frappe.db.get_value("Shelf Note", "n", "seen", for_update=True)
					seen = frappe.db.get_value("Shelf Note", "n", "seen")
					frappe.db.set_value("Shelf Note", "n", "seen", seen + 1)
					frappe.db.commit()
			except Exception as error:
				errors.append(error)
			finally:
				frappe.destroy()

		threads = [threading.Thread(target=count_up) for _i in range(4)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
		frappe.db.rollback()
		assert not errors
		assert frappe.db.get_value("Shelf Note", "n", "seen") == 100
		frappe.db.delete("Shelf Note", {"name": "n"})
		frappe.db.commit()

	def test_cache_is_shared_by_threads(self) -> None:
		frappe.cache.set_value("shelf_shared", {"a": 1})
		frappe.cache.hset("shelf_hash", "k", [1])
		sites_path, found = frappe.local.sites_path, []

		def read() -> None:
			frappe.init(SITE, sites_path=sites_path, force=True)
			found.append((frappe.cache.get_value("shelf_shared"), frappe.cache().hget("shelf_hash", "k")))
			frappe.destroy()

		thread = threading.Thread(target=read)
		thread.start()
		thread.join()
		assert found == [({"a": 1}, [1])]
		frappe.cache.delete_keys("shelf_")
		assert frappe.cache.get_value("shelf_shared") is None


class TestTranslation:
	"""MariaDB's SQL for SQLite."""

	@pytest.mark.parametrize(
		("query", "expected"),
		[
			("SELECT a FROM b WHERE c=%(x)s FOR UPDATE", "SELECT a FROM b WHERE c=:x"),
			("SELECT a FROM b FOR UPDATE SKIP LOCKED", "SELECT a FROM b"),
			("INSERT IGNORE INTO t (a) VALUES (%s)", "INSERT OR IGNORE INTO t (a) VALUES (?)"),
			(
				"INSERT INTO t (`a`) VALUES (1) ON DUPLICATE KEY UPDATE `a`=`a`+VALUES(`a`)",
				"INSERT INTO t (`a`) VALUES (1) ON CONFLICT DO UPDATE SET `a`=`a`+excluded.`a`",
			),
			(
				"DELETE FROM `t` WHERE `a`>1 LIMIT 5",
				"DELETE FROM `t` WHERE rowid IN (SELECT rowid FROM `t` WHERE `a`>1 LIMIT 5)",
			),
			("truncate table `t`", "DELETE FROM `t`"),
			("select 1 where a like '10%%'", "select 1 where a like '10%'"),
		],
	)
	def test_statements(self, query: str, expected: str) -> None:
		assert translate(query, True).text == expected

	def test_locks_are_writes(self) -> None:
		assert translate("SELECT 1 FROM t FOR UPDATE", False).writes
		assert not translate("SELECT 1 FROM t", False).writes


class TestSchema:
	def test_indexes(self) -> None:
		assert frappe.db.has_index("tabShelf Book", "status_published_index")
		assert frappe.db.has_index("tabShelf Book", "unique_title_author")
		frappe.db.add_index("Shelf Book", ["status", "published"])
		frappe.db.add_index("Shelf Book", ["blurb(50)"], "blurb_index")
		assert frappe.db.has_index("tabShelf Book", "blurb_index")
		assert frappe.db.has_column("Shelf Book", "isbn")
		assert not frappe.db.has_column("Shelf Book", "nothing")
		assert frappe.db.table_exists("Shelf Book")
		assert "tabShelf Book" in frappe.db.get_tables()

	def test_custom_fields(self) -> None:
		field = {"fieldname": "shelf_mark", "label": "Mark", "fieldtype": "Int", "insert_after": "title"}
		create_custom_fields({"Shelf Book": [field]})
		meta = frappe.get_meta("Shelf Book")
		assert meta.has_field("shelf_mark") and meta.get_field("shelf_mark").is_custom_field
		order = [df.fieldname for df in meta.fields]
		assert order.index("shelf_mark") == order.index("title") + 1
		book = frappe.get_doc(doctype="Shelf Book", title="One", shelf_mark="4").insert()
		assert frappe.db.get_value("Shelf Book", book.name, "shelf_mark") == 4
		create_custom_fields({"Shelf Book": {**field, "label": "Mark 2"}})
		assert frappe.get_meta("Shelf Book").get_label("shelf_mark") == "Mark 2"
		frappe.delete_doc("Custom Field", "Shelf Book-shelf_mark")
		assert not frappe.get_meta("Shelf Book").has_field("shelf_mark")
		frappe.db.delete("Shelf Book")
		frappe.db.commit()

	def test_property_setters(self) -> None:
		make_property_setter("Shelf Book", "title", "reqd", 0, "Check")
		make_property_setter("Shelf Book", None, "title_field", "isbn", "Data", for_doctype=True)
		meta = frappe.get_meta("Shelf Book")
		assert (meta.get_field("title").reqd, meta.get_title_field()) == (0, "isbn")
		frappe.db.rollback()
		frappe.clear_cache(doctype="Shelf Book")
		assert frappe.get_meta("Shelf Book").get_field("title").reqd == 1

	def test_columns_change(self) -> None:
		doctype = frappe.get_doc(
			doctype="DocType",
			name="Shelf Custom",
			module="Shelf",
			custom=1,
			fields=[{"fieldname": "code", "fieldtype": "Data", "label": "Code", "unique": 1}],
			permissions=[{"role": "System Manager", "read": 1, "write": 1, "create": 1}],
		).insert()
		frappe.get_doc(doctype="Shelf Custom", code="a").insert()
		doctype = frappe.get_doc("DocType", "Shelf Custom")
		doctype.fields[0].update({"length": 200, "unique": 0})
		doctype.append("fields", {"fieldname": "size", "fieldtype": "Int", "label": "Size", "default": "3"})
		doctype.save()
		frappe.get_doc(doctype="Shelf Custom", code="a" * 200).insert()
		frappe.get_doc(doctype="Shelf Custom", code="a").insert()
		assert frappe.get_all("Shelf Custom", pluck="size") == [3, 3, 3]
		assert frappe.get_meta("Shelf Custom").get_field("code").length == 200
		frappe.delete_doc("DocType", "Shelf Custom", force=True)
		assert not frappe.db.table_exists("Shelf Custom")


class TestApps:
	def test_migrate_runs_patches_once(self) -> None:
		from shelf.events import calls

		# a new installation counts old patches as done
		assert frappe.db.get_global("shelf_first") is None
		frappe.db.delete("Patch Log", {"patch": ["like", "%shelf%"]})
		frappe.db.commit()
		calls.clear()
		for _i in range(2):
			SiteMigration().run()
		assert frappe.db.get_global("shelf_first") == "1"
		assert frappe.db.get_global("shelf_second") == "table"
		assert frappe.db.get_global("shelf_executed") == "yes"
		assert calls.count(("after_migrate", "Shelf Book")) == 2

	def test_remove_and_install(self) -> None:
		from shelf.events import calls

		calls.clear()
		frappe.db.commit()
		remove_app("shelf", yes=True, no_backup=True)
		assert frappe.get_installed_apps() == ["frappe"]
		assert not frappe.db.table_exists("Shelf Book")
		assert not frappe.db.exists("Module Def", "Shelf")
		assert frappe.get_hooks("has_permission", {}) == {}
		install_app("shelf")
		assert frappe.get_installed_apps() == ["frappe", "shelf"]
		assert frappe.db.exists("Role", "Shelf Reader")
		assert frappe.get_doc("Installed Applications").installed_applications[-1].app_version == "0.1.0"
		hooks = [call for call in calls if call[0] != "*"]
		assert hooks == [
			("before_uninstall", "Shelf Book"),
			("before_app_uninstall", "shelf"),
			("after_uninstall", None),
			("before_install", None),
			("after_install", "Shelf Book"),
			("after_app_install", "shelf"),
		]
		install_app("shelf")

	def test_sites_know_their_folder(self) -> None:
		assert frappe.get_site_path().endswith(SITE)
		assert sites.get_sites_path() == frappe.local.sites_path
		assert frappe.get_app_path("shelf", "hooks.py").endswith("shelf/hooks.py")
		assert frappe.get_module_path("Shelf").endswith("shelf/shelf")
		with pytest.raises(frappe.AppNotInstalledError):
			frappe.get_attr("crm.hooks.app_name")


def test_threads_that_begin_at_once_share_one_store() -> None:
	"""Else what one request keeps in the cache is not there for another."""
	script = """
import benchless, sys, threading
benchless.activate()
from frappe.utils.redis_wrapper import connect
sys.setswitchinterval(1e-6)
begin, clients = threading.Barrier(8), []
def run():
	begin.wait()
	clients.append(connect("memory://0"))
threads = [threading.Thread(target=run) for _number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
clients[0].set("key", "value")
print([client.get("key") for client in clients].count(b"value"))
"""
	done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
	assert done.stdout.strip() == "8", done.stdout


@pytest.mark.skipif("BENCHLESS_REDIS_URL" in os.environ, reason="of the cache in the process")
def test_what_one_thread_drops_costs_another_nothing_else() -> None:
	site, sites_path = frappe.local.site, frappe.local.sites_path
	frappe.cache.set_value("kept", 1)
	key = frappe.cache.make_key("kept")

	def dropping() -> None:
		frappe.init(site, sites_path=sites_path)
		for _number in range(500):
			frappe.cache.delete_value("gone")

	thread = threading.Thread(target=dropping)
	thread.start()
	lost = 0
	while thread.is_alive():
		frappe.cache.heed_others()
		lost += frappe.cache.get(key) is None
	thread.join()
	assert not lost
