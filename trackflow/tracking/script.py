"""The website script as a site serves it, and the tags that embed it (COL-5). Knows no Frappe, so that the edge serves it too.

The files are part of the app and change with it only; each is read once in a process. Texts of the settings are put in so
that they stay texts, in JavaScript and in HTML.
"""

import hashlib
import json
from functools import lru_cache
from html import escape
from importlib.resources import files

from trackflow.policy import Config, Domain
from trackflow.tracking.script_options import asks_first, attributes, dataset_name

SCRIPT, BANNER, FORMS = "trackflow.js", "trackflow-consent.js", "trackflow-forms.js"
COLLECTOR = "/api/method/trackflow.api.tracking.track_event"
SERVED = "/api/method/trackflow.api.tracking.get_tracking_script"
MIMETYPE = "text/javascript"
# Long enough to spare a site most requests, short enough for a changed setting; a stale one serves while it is renewed.
HEADERS = {
	"Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
	"X-Content-Type-Options": "nosniff",
	# Pages of any website may embed it, those that isolate themselves and those that check its hash too.
	"Cross-Origin-Resource-Policy": "cross-origin",
	"Access-Control-Allow-Origin": "*",
}
MISSING = "/* TrackFlow: no website with this key. */\n"
SWITCHED_OFF = "/* TrackFlow: tracking is switched off. */\n"

# What the page's own tag says goes first. An old browser, or a script that is run otherwise, gets no defaults.
_PRELUDE = "try{{(function(s,d,k){{for(k in d)k in s||(s[k]=d[k])}})(document.currentScript.dataset,{defaults})}}catch(e){{}}\n"


def script_of(domain: Domain, config: Config, base_url: str = "", path: str = COLLECTOR) -> str:
	"""The JavaScript for a domain's pages: its options as defaults, then the script.

	Events go to `path` of `base_url` (scheme and host, "" for the host that the script came from), unless the domain's
	options name an endpoint.
	"""
	told = {"endpoint": base_url + path, **attributes(domain, config)}
	defaults = json.dumps({dataset_name(name): value for name, value in told.items()})
	# Nobody should put it into a page as it is; whoever does is not to be surprised.
	return _PRELUDE.format(defaults=defaults.replace("<", "\\u003c")) + text_of(SCRIPT)


def headers_of(text: str) -> dict[str, str]:
	"""The headers of an answer. What is not there may be switched on at any moment, and is to work at once then."""
	return {**HEADERS, "Cache-Control": "no-store"} if text in (MISSING, SWITCHED_OFF) else HEADERS


def tags_of(domain: Domain, config: Config) -> str:
	"""The HTML that embeds the script in the site's own pages, and the consent banner where consent is asked for."""
	tags = [_tag(SCRIPT, attributes(domain, config))]
	if asks_first(domain, config) and is_built(BANNER):
		tags.append(_tag(BANNER, banner_attributes(config)))
	return "".join(tags)


def website_tags(domain: Domain, config: Config, origin: str) -> list[str]:
	"""The same for the pages of other websites, which keep what is copied into them: the script comes with its options, so that
	a setting that changes needs no new tag. `origin` is scheme and host of the site."""
	address = f"{origin}{SERVED}?key={domain.public_key}"
	tags = [f'<script async src="{escape(address)}"></script>']
	if asks_first(domain, config) and is_built(BANNER):
		tags.append(_tag(BANNER, banner_attributes(config), origin))
	return tags


def forms_tag() -> str:
	"""The HTML that embeds what takes the visitor along with Web Forms (CRM-7)."""
	return _tag(FORMS, {})


def banner_attributes(config: Config) -> dict[str, str]:
	"""What the banner shows, by attribute without `data-`; what is not set is left out."""
	told = {
		"text": config.consent_text,
		"privacy-url": config.privacy_policy_link,
		"cookie-url": config.cookie_policy_link,
		"policy-version": config.consent_policy_version,
	}
	return {name: value for name, value in told.items() if value}


def address_of(name: str) -> str:
	"""Where a built file lies, with its hash: web servers keep it for a year, and a new one has another address."""
	return f"/assets/trackflow/js/{name}?v={etag_of(text_of(name))}"


def etag_of(text: str) -> str:
	return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=8)
def text_of(name: str) -> str:
	"""A built file of the app."""
	return _file(name).read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def is_built(name: str) -> bool:
	return _file(name).is_file()


def _file(name: str):
	return files("trackflow").joinpath("public", "js", name)


def _tag(name: str, told: dict[str, str], origin: str = "") -> str:
	data = "".join(f' data-{key}="{escape(value)}"' for key, value in told.items())
	return f'<script async src="{escape(origin)}{address_of(name)}"{data}></script>'
