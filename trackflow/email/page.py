"""The page where one unsubscribes: a button, and what became of it. No framework, no script, nothing that names anybody. Pure."""

from dataclasses import dataclass
from html import escape
from string import Template

from trackflow.redirect import page

_FORM = Template(
	"""
<form method="post" action="$action">
$token<button type="submit">$button</button>
</form>"""
)
_TOKEN = Template("""<input type="hidden" name="csrf_token" value="$token">
""")
_NO_STORE = {
	"Cache-Control": "private, no-store",
	"Referrer-Policy": "no-referrer",
	"X-Robots-Tag": "noindex",
}
_HTML = {"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff"}
HEADERS = {**page.SECURITY_HEADERS, **_NO_STORE, **_HTML}
FORM_HEADERS = {
	**HEADERS,
	"Content-Security-Policy": HEADERS["Content-Security-Policy"].replace(
		"form-action 'none'", "form-action 'self'"
	),
}


@dataclass(frozen=True, slots=True)
class Words:
	"""Titles and texts, in a language that is named as HTML wants it."""

	language: str
	ask: tuple[str, str]
	done: tuple[str, str]
	unknown: tuple[str, str]
	button: str


def asking(words: Words, action: str, token: str) -> str:
	"""The page with the button; `token` is the host's against forged forms, if it has one."""
	form = _FORM.substitute(
		action=escape(action),
		button=escape(words.button),
		token=_TOKEN.substitute(token=escape(token)) if token else "",
	)
	return page.plain(*words.ask, words.language, form)


def told(words: Words, what: tuple[str, str]) -> str:
	"""A page that says what became of it."""
	return page.plain(*what, words.language)
