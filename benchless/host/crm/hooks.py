"""What this app tells the framework."""

app_name = "crm"
app_title = "Frappe CRM"
app_publisher = "The TrackFlow contributors"
app_description = "A minimal stand-in for Frappe CRM"
app_license = "MIT"

add_to_apps_screen = [
	{"name": "crm", "title": "CRM", "route": "/crm", "has_permission": "crm.api.check_app_permission"},
]

website_route_rules = [{"from_route": "/crm/<path:app_path>", "to_route": "crm"}]

after_install = "crm.install.after_install"
after_migrate = ["crm.fcrm.doctype.fcrm_settings.fcrm_settings.after_migrate"]

standard_dropdown_items = [
	{
		"name1": "settings",
		"label": "Settings",
		"type": "Route",
		"icon": "settings",
		"route": "#",
		"is_standard": 1,
	},
	{
		"name1": "logout",
		"label": "Log out",
		"type": "Route",
		"icon": "log-out",
		"route": "#",
		"is_standard": 1,
	},
]
