"""Hooks of the probe app."""

app_name = "probe"
app_title = "Probe"

before_request = ["probe.web.before_request"]
after_request = ["probe.web.after_request"]
auth_hooks = ["probe.web.authenticate"]
page_renderer = ["probe.web.ProbePage"]
website_redirects = [{"source": "/old/(.*)", "target": r"/new/\1", "redirect_http_status": 302}]
website_route_rules = [{"from_route": "/things/<thing>", "to_route": "thing"}]
override_whitelisted_methods = {"probe.api.old_name": "probe.api.new_name"}
scheduler_events = {
	"cron": {"*/5 * * * *": ["probe.jobs.tick"]},
	"daily": ["probe.jobs.daily"],
	"hourly_long": ["probe.jobs.long"],
}
