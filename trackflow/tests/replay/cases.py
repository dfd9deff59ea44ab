"""The requests that are replayed, as plain data: preparation, cases for any site, cases for sites with Frappe CRM."""

from __future__ import annotations

import json
from typing import Any

from trackflow.tests.replay.client import Case

CAMPAIGNS, LINKS, DOMAINS = (
	"/api/resource/Link Campaign",
	"/api/resource/Tracked Link",
	"/api/resource/Domain Configuration",
)
SETTINGS = "/api/resource/TrackFlow Settings/TrackFlow Settings"
LEADS, DEALS = "/api/resource/CRM Lead", "/api/resource/CRM Deal"
TRACK, CONSENT = (
	"/api/method/trackflow.api.tracking.track_event",
	"/api/method/trackflow.api.tracking.record_consent",
)
REDIRECT = "/api/method/trackflow.www.redirect.handle_redirect"
LEAD_DATA = "/api/method/trackflow.integrations.crm_lead.get_lead_tracking_data"
CONVERT = "/api/method/crm.fcrm.doctype.crm_lead.crm_lead.convert_to_deal"
GO, SHOP = "go.replay.example.com", "shop.replay.example.com"
# What a browser says of a request that the site's own page makes.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
ORIGIN = {"Origin": f"https://{SHOP}", "Content-Type": "text/plain"}
GOOGLEBOT = {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
ANDROID = {
	"User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# (DocType, field, pattern), in an order that no link check minds.
CLEANING = (
	("CRM Deal", "organization", "Replay %"),
	("CRM Deal", "email", "%replay.example.com"),
	("CRM Lead", "email", "%replay.example.com"),
	("CRM Organization", "organization_name", "Replay %"),
	("Contact", "email_id", "%replay.example.com"),
	("Click Event", "short_code", "replay-%"),
	("Tracked Link", "short_code", "replay-%"),
	("Link Campaign", "campaign_name", "Replay %"),
	("Domain Configuration", "name", "shop.replay.%"),
	("Domain Configuration", "name", "go.replay.%"),
)


def _create(path: str, name: str, save: dict[str, str] | None = None, **values: Any) -> Case:
	return Case(name, "POST", path, admin=True, json=values, save=save or {})


def _link(code: str, **values: Any) -> Case:
	target = {"target_url": f"https://{SHOP}/products?size=L&utm_source=kept#top"}
	return _create(
		LINKS, f"prepare {code}", {code.replace("-", "_"): "data.name"}, short_code=code, **(target | values)
	)


PREPARATION = (
	Case("remember settings", "GET", SETTINGS, admin=True, save={"settings": "data.cookie_consent_required"}),
	Case("open settings", "PUT", SETTINGS, admin=True, json={"cookie_consent_required": 0, "enable_tracking": 1}),
	_create(DOMAINS, "prepare primary domain", domain=GO, is_primary=1, privacy_level="Standard", consent_required=0, ssl_enabled=0,
		headers=[{"header_name": "X-Replay", "header_value": "yes"}]),
	_create(DOMAINS, "prepare shop", {"public_key": "data.public_key"}, domain=SHOP, privacy_level="Standard",
		consent_required=0),
	_create(CAMPAIGNS, "prepare campaign", campaign_name="Replay Spring", status="Active", source="newsletter"),
	_link("replay-plain", campaign="Replay Spring", medium="email", content="a b", term="ü&ö"),
	_link("replay-elsewhere", target_url="https://elsewhere.example.org/a%20b/ü?x=1&x=2&y="),
	_link("replay-paused", status="Paused"),
	_link("replay-expired", expiry_date="2020-01-01 00:00:00"),
	_link("replay-moved", expiry_date="2020-01-01 00:00:00", expired_url="https://elsewhere.example.org/ended"),
	_link("replay-future", starts_on="2099-01-01 00:00:00"),
	_link("replay-forever", redirect_status="301"),
	_link("replay-forward", forward_query=1),
	_link("replay-ab", variants=[{"variant_name": "A", "destination_url": f"https://{SHOP}/a"}]),
	_link("replay-vault", password="open sesame"),
	_link("replay-rules", android_url="shop://product/7", rules=[
		{"condition_type": "Language", "condition_value": "de", "destination_url": f"https://{SHOP}/de"},
	]),
)  # fmt: skip
RESTORED = Case(
	"restore settings", "PUT", SETTINGS, admin=True, json={"cookie_consent_required": "$settings"}
)


def _visit(name: str, code: str, method: str = "GET", **options: Any) -> Case:
	return Case(f"redirect: {name}", method, f"/r/{code}", page=True, **options)


REDIRECTS = (
	_visit("plain", "replay-plain"),
	_visit("HEAD", "replay-plain", "HEAD"),
	_visit("POST", "replay-plain", "POST"),
	_visit("PUT", "replay-plain", "PUT"),
	_visit("DELETE", "replay-plain", "DELETE"),
	_visit("OPTIONS", "replay-plain", "OPTIONS"),
	_visit(
		"OPTIONS of another origin", "replay-plain", "OPTIONS", headers={"Origin": "https://a.example.org"}
	),
	_visit("on a domain", "replay-plain", headers={"Host": GO}),
	_visit("unknown on a domain", "replay-unknown", headers={"Host": GO}),
	_visit("upper case", "REPLAY-Plain"),
	_visit("slash at the end", "replay-plain/"),
	_visit("two slashes", "/replay-plain"),
	_visit("sid in the query", "replay-plain", query="sid=x"),
	_visit("cmd in the query", "replay-plain", query="cmd=frappe.ping"),
	_visit("other words in the query", "replay-plain", query="_lang=de&csrf_token=1&_=7"),
	_visit("stale session", "replay-plain", headers={"Cookie": "sid=stale; user_id=a%40example.com"}),
	_visit("someone who is logged in", "replay-plain", admin=True),
	_visit("to a website without a key", "replay-elsewhere"),
	_visit("QR scan", "replay-plain", query="qr=1"),
	_visit("robot", "replay-plain", headers=GOOGLEBOT),
	_visit("no agent", "replay-plain", headers={"User-Agent": ""}),
	_visit("prefetch", "replay-plain", headers={"Sec-Purpose": "prefetch"}),
	_visit("not to be tracked", "replay-plain", headers={"DNT": "1"}),
	_visit("consent denied", "replay-plain", headers={"Cookie": "trackflow_consent=denied"}),
	_visit("known visitor", "replay-plain", headers={"Cookie": "trackflow_visitor=v_0123456789abcdef"}),
	_visit("wants JSON", "replay-paused", headers={"Accept": "application/json"}),
	_visit("unknown", "replay-unknown"),
	_visit("unknown, HEAD", "replay-unknown", "HEAD"),
	_visit("unknown with sid", "replay-unknown", query="sid=x"),
	_visit("not a code", "a%2Fb%00c"),
	_visit("no code", ""),
	Case("redirect: no slash", "GET", "/r", page=True),
	_visit("paused", "replay-paused"),
	_visit("expired", "replay-expired"),
	_visit("expired with an address", "replay-moved"),
	_visit("not started", "replay-future"),
	_visit("301", "replay-forever"),
	_visit("query carried over", "replay-forward", query="color=red&sid=x&size=M&qr=1"),
	_visit("variant", "replay-ab"),
	_visit("password", "replay-vault", query="qr=1&a=%22"),
	_visit("password, HEAD", "replay-vault", "HEAD"),
	_visit("wrong password", "replay-vault", "POST", headers=FORM, body="password=wrong"),
	_visit("right password", "replay-vault", "POST", headers=FORM, body="password=open+sesame"),
	_visit(
		"password of 5,000 characters", "replay-vault", "POST", headers=FORM, body="password=" + "x" * 5000
	),
	_visit("rule", "replay-rules", headers={"Accept-Language": "de-AT,en;q=0.5"}),
	_visit("deep link", "replay-rules", headers=ANDROID),
	Case("redirect by method", "GET", REDIRECT, {"tracking_id": "replay-plain"}, page=True),
	Case("redirect by method, POST", "POST", REDIRECT, {"tracking_id": "replay-plain"}),
	Case("redirect by method, no code", "GET", REDIRECT),
)


def _event(event_id: str, **values: Any) -> dict[str, Any]:
	url = f"https://{SHOP}/products"
	return {"eventId": event_id, "type": "PAGE_VIEW", "url": url, "visitorId": "v_00000000000000aa", **values}


def _batch(*events: Any, **values: Any) -> str:
	return json.dumps({"publicKey": "$public_key", "events": list(events), **values})


def _collect(name: str, body: str, headers: dict[str, str] | None = None, method: str = "POST") -> Case:
	return Case(
		f"collector: {name}", method, TRACK, headers=ORIGIN if headers is None else headers, body=body
	)


JSON_TYPE = {"Origin": f"https://{SHOP}", "Content-Type": "application/json"}
COLLECTOR = (
	# Event ids are remembered for a day and over replays, so none of them may be accepted: all are refused for their url.
	_collect("all events refused", _batch(_event("replay-1", url="https://elsewhere.example.org/"))),
	_collect(
		"one event refused", json.dumps({"publicKey": "$public_key", **_event("replay-2", type="NONSENSE")})
	),
	_collect("declared as JSON", _batch(_event("replay-3", url="javascript:alert(1)")), JSON_TYPE),
	_collect("bad JSON", '{"publicKey": "$public_key", "events": ['),
	_collect("bad JSON that is declared as JSON", '{"events": [', JSON_TYPE),
	_collect("a list", "[1, 2]"),
	_collect("nothing", ""),
	_collect("unknown key", json.dumps({"publicKey": "pk_unknown", "events": [_event("replay-4")]})),
	_collect("too many", _batch(*(_event(f"replay-{number}") for number in range(101)))),
	_collect("wrong types", _batch(7, None, "x")),
	_collect(
		"another origin", _batch(_event("replay-5")), {**ORIGIN, "Origin": "https://elsewhere.example.org"}
	),
	_collect("no origin", _batch(_event("replay-6")), {"Content-Type": "text/plain"}),
	_collect("GET", "", ORIGIN, "GET"),
	_collect(
		"preflight", "", {"Origin": f"https://{SHOP}", "Access-Control-Request-Method": "POST"}, "OPTIONS"
	),
	Case("collector: good events", "POST", TRACK, headers=ORIGIN, body=_batch(_event("replay-$public_key"))),
	Case(
		"collector: the same again", "POST", TRACK, headers=ORIGIN, body=_batch(_event("replay-$public_key"))
	),
	Case("consent: granted", "POST", CONSENT, headers=SAME_ORIGIN, form={"consent": "granted"}),
	Case("consent: denied", "POST", CONSENT, headers=SAME_ORIGIN, form={"consent": "denied"}),
	Case("consent: granted, by JSON", "POST", CONSENT, headers=SAME_ORIGIN, json={"consent": "granted"}),
	Case("consent: from nowhere", "POST", CONSENT, form={"consent": "granted"}),
	Case("consent: nonsense", "POST", CONSENT, form={"consent": "<b>perhaps</b>"}),
	Case("consent: wrong type", "POST", CONSENT, json={"consent": {"a": 1}}),
	Case("consent: missing", "POST", CONSENT),
	Case("consent: GET", "GET", CONSENT, {"consent": "granted"}),
)


def _admin(name: str, method: str, path: str, **options: Any) -> Case:
	return Case(f"REST: {name}", method, path, admin=True, **options)


def _bad_link(name: str, **values: Any) -> Case:
	body = {"target_url": f"https://{SHOP}/", "short_code": "replay-bad", **values}
	return _admin(f"link with {name}", "POST", LINKS, json=body)


ONE = f"{CAMPAIGNS}/Replay Spring"
LISTED = {"filters": [["campaign_name", "like", "Replay %"]], "order_by": "campaign_name"}
RESOURCES = (
	_admin("list", "GET", CAMPAIGNS, query=LISTED),
	_admin("list with fields", "GET", CAMPAIGNS, query={**LISTED, "fields": ["name", "status", "budget", "start_date"]}),
	_admin("list with a bad field", "GET", CAMPAIGNS, query={"fields": ["nonsense"]}),
	_admin("list with a bad filter", "GET", CAMPAIGNS, query={"filters": [["nonsense", "=", "1"]]}),
	_admin("read", "GET", ONE),
	_admin("read a link", "GET", f"{LINKS}/$replay_plain"),
	_admin("read a link with variants", "GET", f"{LINKS}/$replay_ab"),
	_admin("read a domain", "GET", f"{DOMAINS}/{GO}"),
	_admin("read what is missing", "GET", f"{CAMPAIGNS}/Replay Nothing"),
	_admin("create", "POST", CAMPAIGNS, json={"campaign_name": "Replay Ünï & co", "budget": "12.5", "currency": "USD"}),
	_admin("update", "PUT", f"{CAMPAIGNS}/Replay Ünï & co", json={"start_date": "2026-02-03", "source": "x"}),
	_admin("update, stale", "PUT", ONE, json={"source": "y", "modified": "2020-01-01 00:00:00.000000"}),
	_admin("update what is missing", "PUT", f"{CAMPAIGNS}/Replay Nothing", json={"source": "y"}),
	_admin("delete", "DELETE", f"{CAMPAIGNS}/Replay Ünï & co"),
	_admin("delete again", "DELETE", f"{CAMPAIGNS}/Replay Ünï & co"),
	_admin("delete what is linked", "DELETE", ONE),
	_admin("campaign without a name", "POST", CAMPAIGNS, json={"status": "Active"}),
	_admin("campaign of a taken name", "POST", CAMPAIGNS, json={"campaign_name": "Replay Spring"}),
	_admin("campaign of a taken id", "POST", CAMPAIGNS, json={"campaign_name": "Replay B", "campaign_id": "replay-spring"}),
	_admin("campaign with a bad status", "POST", CAMPAIGNS, json={"campaign_name": "Replay B", "status": "Dormant"}),
	_admin("campaign with a bad id", "POST", CAMPAIGNS, json={"campaign_name": "Replay B", "campaign_id": "a b"}),
	_admin("campaign with a negative budget", "PUT", ONE, json={"budget": -1}),
	_admin("campaign that ends first", "PUT", ONE, json={"start_date": "2026-02-03", "end_date": "2026-02-02"}),
	_admin("campaign with a long source", "PUT", ONE, json={"source": "x" * 141}),
	_admin("campaign with a bad date", "PUT", ONE, json={"start_date": "soon"}),
	_admin("campaign of an unknown owner", "PUT", ONE, json={"owner_user": "nobody@replay.example.com"}),
	_bad_link("a script", target_url="javascript:alert(1)"),
	_bad_link("credentials", target_url="https://user:secret@elsewhere.example.org/"),
	_bad_link("a short link of this site", target_url=f"http://{GO}/r/replay-plain"),
	_bad_link("a short link of this host", target_url="$base/r/replay-plain"),
	_bad_link("no target", target_url=""),
	_bad_link("a reserved code", short_code="api"),
	_bad_link("a taken code", short_code="REPLAY-plain"),
	_bad_link("a bad code", short_code="replay bad"),
	_bad_link("bad parameters", additional_parameters="{"),
	_bad_link("parameters that are a list", additional_parameters="[1]"),
	_bad_link("a bad status", status="Broken"),
	_bad_link("negative clicks", max_clicks=-1),
	_bad_link("an early end", starts_on="2026-02-03 00:00:00", expiry_date="2026-02-02 00:00:00"),
	_bad_link("doubled variants", variants=[{"variant_name": "A", "destination_url": f"https://{SHOP}/a"}] * 2),
	_bad_link("an unknown domain", domain="nowhere.replay.example.com"),
	_bad_link("an unknown campaign", campaign="Replay Nothing"),
	_admin("link takes a taken code", "PUT", f"{LINKS}/$replay_paused", json={"short_code": "replay-plain"}),
	_admin("link is paused", "PUT", f"{LINKS}/$replay_forever", json={"status": "Paused"}),
	_visit("link that was paused", "replay-forever"),
	_admin("link is deleted", "DELETE", f"{LINKS}/$replay_forever"),
	_visit("link that was deleted", "replay-forever"),
	_admin("key of a domain is changed", "PUT", f"{DOMAINS}/{SHOP}", json={"public_key": "pk_" + "0" * 24}),
	_admin("unknown domain is deleted", "DELETE", f"{DOMAINS}/nowhere.replay.example.com"),
	_admin("model without a base", "POST", "/api/resource/Attribution Model",
		json={"model_name": "Replay", "model_type": "Custom"}),
	_admin("unknown DocType", "GET", "/api/resource/No Such Thing"),
	_admin("body that is no JSON", "POST", CAMPAIGNS, body="{", headers={"Content-Type": "application/json"}),
)  # fmt: skip

GUESTS = (
	Case("guest: list", "GET", CAMPAIGNS),
	Case("guest: read", "GET", ONE),
	Case("guest: read what is missing", "GET", f"{CAMPAIGNS}/Replay Nothing"),
	Case("guest: create", "POST", LINKS, json={"target_url": f"https://{SHOP}/"}),
	Case("guest: update", "PUT", ONE, json={"source": "z"}),
	Case("guest: delete", "DELETE", ONE),
	Case("guest: settings", "GET", SETTINGS),
	Case("guest: visitors", "GET", "/api/resource/Visitor"),
	Case("guest: method for users", "GET", LEAD_DATA, {"lead": "x"}),
	Case("guest: method that is not whitelisted", "GET", "/api/method/trackflow.bulk.insert"),
	Case("guest: method that is missing", "GET", "/api/method/trackflow.api.tracking.nothing"),
	Case("guest: unknown API address", "GET", "/api/nonsense"),
	Case("guest: ping", "GET", "/api/method/ping"),
	Case("guest: command", "GET", "/", {"cmd": "frappe.ping"}),
	Case("guest: page that is missing", "GET", "/replay-nothing"),
	Case(
		"login: unknown user",
		"POST",
		"/api/method/login",
		form={"usr": "nobody@replay.example.com", "pwd": "x"},
	),
	Case("login: wrong key", "GET", CAMPAIGNS, headers={"Authorization": "token nobody:wrong"}),
	Case("login: nonsense key", "GET", CAMPAIGNS, headers={"Authorization": "Basic !"}),
	Case("login: stale session", "GET", "/api/method/ping", headers={"Cookie": "sid=stale"}),
	Case(
		"login: stale session, POST",
		"POST",
		CONSENT,
		form={"consent": "denied"},
		headers={"Cookie": "sid=stale"},
	),
	Case("login: logout of nobody", "POST", "/api/method/logout"),
)

CASES = (*REDIRECTS, *COLLECTOR, *RESOURCES, *GUESTS)

LEAD_FIELDS = (
	"doctype", "first_name", "last_name", "lead_name", "email", "status", "owner", "docstatus", "converted", "organization",
)  # fmt: skip
DEAL_FIELDS = ("doctype", "status", "organization", "lead", "owner", "docstatus", "email")
LEAD = {"first_name": "Replay", "last_name": "Lovelace", "email": "ada@replay.example.com", "status": "New"}
CRM_CASES = (
	_admin("lead", "POST", LEADS, json=LEAD, save={"lead": "data.name"}, only=LEAD_FIELDS),
	_admin("read the lead", "GET", f"{LEADS}/$lead", only=LEAD_FIELDS),
	_admin("lead with an unknown status", "POST", LEADS, json={**LEAD, "status": "Dormant"}),
	_admin("lead without a name", "POST", LEADS, json={"status": "New"}, wording=False),
	_admin("lead with a bad address", "POST", LEADS, json={**LEAD, "email": "ada at example"}, wording=False),
	_admin(
		"lead gets an organization",
		"PUT",
		f"{LEADS}/$lead",
		json={"organization": "Replay Works"},
		only=LEAD_FIELDS,
	),
	Case("guest: lead", "GET", f"{LEADS}/$lead"),
	Case("guest: creates a lead", "POST", LEADS, json=LEAD),
	_admin("tracking data of a lead", "GET", LEAD_DATA, query={"lead": "$lead"}),
	_admin("tracking data by POST", "POST", LEAD_DATA, json={"lead": "$lead"}),
	_admin("tracking data of no lead", "GET", LEAD_DATA, query={"lead": "no such lead"}),
	_admin("tracking data without a lead", "GET", LEAD_DATA),
	_admin("lead becomes a deal", "POST", CONVERT, json={"lead": "$lead"}, save={"deal": "message"}),
	_admin("read the deal", "GET", f"{DEALS}/$deal", only=DEAL_FIELDS),
	_admin("deal with an unknown status", "PUT", f"{DEALS}/$deal", json={"status": "Dormant"}),
	_admin("deal moves on", "PUT", f"{DEALS}/$deal", json={"status": "Negotiation"}, only=DEAL_FIELDS),
	_admin("deal is deleted", "DELETE", f"{DEALS}/$deal"),
	_admin("lead is deleted", "DELETE", f"{LEADS}/$lead"),
)
