"""Hooks of the test app."""

app_name = "shelf"
app_title = "Shelf"

before_install = "shelf.events.before_install"
after_install = "shelf.events.after_install"
before_uninstall = "shelf.events.before_uninstall"
after_uninstall = "shelf.events.after_uninstall"
before_app_install = "shelf.events.before_app_install"
after_app_install = "shelf.events.after_app_install"
before_app_uninstall = "shelf.events.before_app_uninstall"
after_app_uninstall = "shelf.events.after_app_uninstall"
after_migrate = ["shelf.events.after_migrate"]

doc_events = {
	"Shelf Book": {"validate": "shelf.events.on_book", "on_trash": ["shelf.events.on_book"]},
	("Shelf Note", "Shelf Log"): {"after_insert": "shelf.events.on_note"},
	"*": {"on_update": "shelf.events.on_any"},
}

permission_query_conditions = {"Shelf Log": "shelf.events.log_conditions"}
has_permission = {"Shelf Log": "shelf.events.may_log"}
ignore_links_on_delete = ["Shelf Log"]
