app_name = "trackflow"
app_title = "TrackFlow"
app_publisher = "The TrackFlow contributors"
app_description = "Which marketing brought which lead and which deal, and what it cost"
app_email = "trackflow@example.com"
app_license = "mit"

after_install = "trackflow.install.after_install"
after_app_install = "trackflow.install.after_app_install"
after_migrate = "trackflow.install.after_migrate"
before_uninstall = "trackflow.uninstall.before_uninstall"
after_uninstall = "trackflow.uninstall.after_uninstall"
after_app_uninstall = "trackflow.uninstall.after_app_uninstall"

add_to_apps_screen = [
	{
		"name": "trackflow",
		"logo": "/assets/trackflow/images/logo.svg",
		"title": "TrackFlow",
		"route": "/trackflow",
		"has_permission": "trackflow.permissions.has_app_permission",
	}
]

# What their forms in the desk share; a list script comes with its DocType.
doctype_js = {
	"CRM Sync Log": "public/js/trackflow-desk.js",
	"Campaign Mailing": "public/js/trackflow-desk.js",
	"Conversion": "public/js/trackflow-desk.js",
	"Domain Configuration": "public/js/trackflow-desk.js",
	"Link Campaign": "public/js/trackflow-desk.js",
	"TrackFlow API Key": "public/js/trackflow-desk.js",
	"TrackFlow Settings": "public/js/trackflow-desk.js",
	"Tracked Link": "public/js/trackflow-desk.js",
	"Webhook Delivery": "public/js/trackflow-desk.js",
}
doctype_list_js = {
	"CRM Sync Log": "public/js/trackflow-desk.js",
	"Webhook Delivery": "public/js/trackflow-desk.js",
}

# The app answers at every address below its own.
website_route_rules = [{"from_route": "/trackflow/<path:app_path>", "to_route": "trackflow"}]

# Frappe CRM's page, with our entries in its sidebar; the app's page, with headers.
page_renderer = [
	"trackflow.integrations.crm_ui.page.CrmPage",
	"trackflow.app_page.page.AppPage",
]

# The earliest public hook: short links are answered before Frappe routes, opens the database or sets a cookie; so are a mail's image
# and the page to unsubscribe.
# Then the two that no whitelisted method can answer: browsers that ask before they send, and Segment's libraries; API keys are taken
# off requests; and what would tell fields that not everybody may read.
before_request = [
	"trackflow.redirect.handler.answer_short_link",
	"trackflow.email.doorway.answer_recipient",
	"trackflow.tracking.doorway.answer_sender",
	"trackflow.access.keyed.take_key",
	"trackflow.privacy.guarded.refuse_lookups",
]

# Requests with an API key act as its user, within its scopes.
auth_hooks = ["trackflow.access.keyed.authenticate", "trackflow.access.arguments.check"]

# Guests' pages of the site's own website get the script's tag, where the setting says so, and keep campaign parameters when
# the website sends them on; reads of visitors' data are logged; so are requests with an API key, which set no cookie.
after_request = [
	"trackflow.tracking.own_pages.add_tag",
	"trackflow.tracking.own_pages.keep_parameters",
	"trackflow.privacy.reads.write_log",
	"trackflow.access.keyed.finish",
]

# Documents may be printed in a job.
after_job = ["trackflow.privacy.reads.write_log"]

# They narrow nothing: they refuse a list that would tell what its reader may not see, and note that a list is read.
permission_query_conditions = {
	"Attribution Link": "trackflow.privacy.guarded.refuse_guesses",
	"CRM Sync Log": "trackflow.privacy.reads.note_list",
	"Click Event": ["trackflow.privacy.guarded.refuse_guesses", "trackflow.privacy.reads.note_list"],
	"Click Queue": "trackflow.privacy.reads.note_list",
	"Conversion": ["trackflow.privacy.guarded.refuse_guesses", "trackflow.privacy.reads.note_list"],
	"Conversion Export Row": "trackflow.privacy.reads.note_list",
	"Email Campaign Log": "trackflow.privacy.guarded.refuse_guesses",
	"Link Conversion": "trackflow.privacy.guarded.refuse_guesses",
	"Touch Point": ["trackflow.privacy.guarded.refuse_guesses", "trackflow.privacy.reads.note_list"],
	"Visitor": ["trackflow.privacy.guarded.refuse_guesses", "trackflow.privacy.reads.note_list"],
	"Visitor Event": ["trackflow.privacy.guarded.refuse_guesses", "trackflow.privacy.reads.note_list"],
	"Visitor Session": ["trackflow.privacy.guarded.refuse_guesses", "trackflow.privacy.reads.note_list"],
	"Webhook Delivery": "trackflow.privacy.reads.note_list",
}

doc_events = {
	"*": {"after_insert": "trackflow.integrations.web_form.after_insert"},
	"System Settings": {"on_update": "trackflow.config.forget_config"},
	"User": {"on_update": "trackflow.config.forget_users_keys"},
	"CRM Lead": {
		"before_validate": "trackflow.integrations.crm_lead.before_validate",
		"on_update": "trackflow.integrations.crm_lead.on_update",
		"on_trash": "trackflow.integrations.crm_lead.on_trash",
		"after_rename": "trackflow.integrations.crm_lead.after_rename",
	},
	"CRM Deal": {
		"before_validate": "trackflow.integrations.crm_deal.before_validate",
		"on_update": "trackflow.integrations.crm_deal.on_update",
		"after_rename": "trackflow.integrations.crm_deal.after_rename",
	},
	"CRM Lead Status": {"after_rename": "trackflow.integrations.status_changes.after_rename"},
	"CRM Deal Status": {"after_rename": "trackflow.integrations.status_changes.after_rename"},
	"Personal Data Download Request": {
		"after_insert": "trackflow.integrations.personal_data.after_download_request"
	},
	"Personal Data Deletion Request": {
		"on_change": "trackflow.integrations.personal_data.on_deletion_request"
	},
}

# What Frappe's personal data requests of Users read and redact by themselves; the rest follows by the two hooks above.
user_data_fields = [
	{"doctype": "Visitor", "filter_by": "contact_email", "redact_fields": ["contact_name"]},
	{"doctype": "CRM Sync Log", "filter_by": "email", "redact_fields": ["first_name", "last_name"]},
	{"doctype": "Email Campaign Log", "filter_by": "recipient", "partial": True},
]

scheduler_events = {
	"cron": {
		"* * * * *": [
			"trackflow.stream.drain.drain_if_waiting",
			"trackflow.access.request_log.store",
			"trackflow.webhooks.sender.send_due",
			"trackflow.email.sending.go_on",
		],
		"*/5 * * * *": [
			"trackflow.stream.drain.retry_kept",
			"trackflow.integrations.waiting.resume",
			"trackflow.sync.run.queue",
			"trackflow.webhooks.limit_hits.tell_limits",
			"trackflow.email.bounces.collect",
			"trackflow.email.figures.store_stale",
		],
		"*/15 * * * *": ["trackflow.tracking.repair.repair", "trackflow.health.alerts.tell_broken"],
		# Once: the hours after the first are for a mail server that was away.
		"0 7-11 * * 1": ["trackflow.weekly_summary.send.send_weekly"],
		"0 3 * * *": ["trackflow.rollups.run.mark_yesterday"],
		"0 6 * * *": ["trackflow.waste.notices.tell_wasted"],
	},
	"daily_long": ["trackflow.privacy.retention.run_daily"],
	"weekly_long": ["trackflow.attribution.run.learn"],
	"hourly_long": [
		"trackflow.integrations.sweep.sweep",
		"trackflow.attribution.run.repair",
		"trackflow.privacy.erasure.resume_all",
		"trackflow.health.totals.count",
		"trackflow.rollups.run.run_marked",
		"trackflow.click_rollups.run.run_hourly",
	],
}

# Called with the names of conversions whose credits were (re)written.
trackflow_credited = [
	"trackflow.integrations.crm_lead.after_credits",
	"trackflow.integrations.crm_deal.after_credits",
	"trackflow.rollups.campaign_figures.after_credits",
]

# Deleting a visitor, a link or a CRM document is never blocked by what was recorded about it.
ignore_links_on_delete = [
	"API Request Log",
	"Attribution Link",
	"Attribution Training",
	"CRM Sync Log",
	"Click Event",
	"Click Queue",
	"Conversion",
	"Conversion Export Row",
	"Cost Import",
	"Cost Import Row",
	"Daily Campaign Metric",
	"Daily Click Rollup",
	"Daily Rollup",
	"Deal Attribution",
	"Deal Link Association",
	"Deal Stage Change",
	"Email Campaign Log",
	"Lead Status Change",
	"Link Conversion",
	"Touch Point",
	"Visitor",
	"Visitor Event",
	"Visitor Session",
	"Webhook Delivery",
]
