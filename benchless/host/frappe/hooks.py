"""Hooks of the host's own app."""

app_name = "frappe"
app_title = "Framework"
app_publisher = "benchless"
app_description = "The part of the Frappe Framework's API that apps use here"
app_license = "MIT"
app_email = "benchless@example.com"

website_route_rules = [{"from_route": "/app/<path:app_path>", "to_route": "app"}]

scheduler_events = {"all": ["frappe.email.queue.flush"]}

permission_query_conditions = {
	"Notification Log": "frappe.desk.doctype.notification_log.notification_log.get_permission_query_conditions"
}
