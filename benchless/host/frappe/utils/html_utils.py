"""HTML that came from outside is sanitised by nh3 (the successor of bleach, which Frappe v15 uses).

Tags and attributes that do no harm stay, everything else is escaped or dropped.
"""

import html
import json
import re

import nh3

ATTRIBUTES = {"class", "style", "title", "id", "align", "width", "height", "dir", "lang"}
SPECIFIC = {
	"a": {"href", "target", "name"},
	"img": {"src", "alt"},
	"td": {"colspan", "rowspan"},
	"th": {"colspan", "rowspan", "scope"},
	"ol": {"start", "type"},
	"col": {"span"},
}
LOOKS_LIKE_TAG = re.compile(r"</?[a-zA-Z!]")


def is_json(text: str) -> bool:
	try:
		json.loads(text)
	except ValueError:
		return False
	return True


def sanitize_html(html_text: str, linkify: bool = False, always_sanitize: bool = False) -> str:
	"""HTML without scripts, handlers and unknown tags. JSON, and text without tags, stays as it is."""
	if not isinstance(html_text, str):
		return html_text
	if not always_sanitize and (is_json(html_text) or not LOOKS_LIKE_TAG.search(html_text)):
		return html_text
	return nh3.clean(
		html_text,
		attributes={"*": ATTRIBUTES, **SPECIFIC},
		link_rel=None,
		url_schemes={"http", "https", "mailto", "tel", "cid"},
	)


def clean_html(html_text: str) -> str:
	"""Only the plainest tags."""
	tags = {"div", "p", "br", "ul", "ol", "li", "strong", "b", "em", "i", "u", "table", "thead", "tbody"}
	return nh3.clean(html_text, tags=tags | {"td", "tr"}) if isinstance(html_text, str) else html_text


def unescape_html(value: str) -> str:
	return html.unescape(value or "")
