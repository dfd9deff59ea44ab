"""The plain pages of a short link: unknown or paused, ended, and the form that asks for a password. No framework, no
script, no secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from string import Template

from trackflow.policy import Domain

# The domain's style comes last and may change anything; it cannot leave its element.
_PAGE = Template(
	"""<!DOCTYPE html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { max-width: 32rem; padding: 2rem; text-align: center; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
p { margin: 0; opacity: .75; }
$style
</style>
</head>
<body><main><h1>$title</h1><p$role>$text</p>$form</main></body>
</html>
"""
)

_FORM_STYLE = """form { display: grid; gap: .75rem; margin-top: 1.5rem; text-align: start; }
input, button { font: inherit; padding: .6rem .75rem; border-radius: .5rem; border: 1px solid; min-width: 0; }
button { cursor: pointer; }
"""
# Without a script: the form goes to the short link itself, and comes back as this page or as the way on.
_FORM = Template(
	"""
<form method="post" action="$action" autocomplete="off">
<label for="password">$label</label>
<input id="password" name="password" type="password" required autofocus maxlength="$longest" autocomplete="off"$error>
$token<button type="submit">$button</button>
</form>"""
)
_TOKEN = Template("""<input type="hidden" name="csrf_token" value="$token">
""")
# A Password field holds no more.
LONGEST_PASSWORD = 140

_POLICY = (
	"default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; font-src https: data:; base-uri 'none'; "
	"form-action {}; frame-ancestors 'none'"
)
SECURITY_HEADERS = {"Content-Security-Policy": _POLICY.format("'none'"), "X-Frame-Options": "DENY"}


@dataclass(frozen=True, slots=True)
class Words:
	"""Titles and texts by page, and of the form, in a language that is named as HTML wants it."""

	language: str
	pages: Mapping[str, tuple[str, str]]
	label: str = ""
	button: str = ""


@dataclass(frozen=True, slots=True)
class Form:
	"""Where a password is sent, whether the last one was wrong, the host's token against forged forms, if it has one, and
	the schemes of apps that the way on may have."""

	action: str
	is_again: bool = False
	token: str = ""
	app_schemes: tuple[str, ...] = ()

	@property
	def security_headers(self) -> dict[str, str]:
		"""Chromium holds the redirect that follows a form to the form's policy: 'self' alone would end the way there."""
		targets = " ".join(("'self'", "http:", "https:", *(f"{scheme}:" for scheme in self.app_schemes)))
		return SECURITY_HEADERS | {"Content-Security-Policy": _POLICY.format(targets)}


def render(name: str, words: Words, domain: Domain | None, form: Form | None = None) -> str:
	"""The page of that name in the domain's style; all texts are untrusted."""
	style = domain.custom_css.replace("</", "<\\/") if domain else ""
	role = ' id="error" role="alert"' if form and form.is_again else ""
	return plain(*words.pages[name], words.language, _form(form, words) if form else "", style, role)


def plain(title: str, text: str, language: str, form: str = "", style: str = "", role: str = "") -> str:
	"""A page with a title, a text and, as HTML, a form; title and text are untrusted."""
	return _PAGE.substitute(
		title=escape(title),
		text=escape(text),
		lang=escape(language or "en"),
		style=(_FORM_STYLE if form else "") + style,
		role=role,
		form=form,
	)


def _form(form: Form, words: Words) -> str:
	return _FORM.substitute(
		action=escape(form.action),
		label=escape(words.label),
		button=escape(words.button),
		longest=LONGEST_PASSWORD,
		error=' aria-invalid="true" aria-describedby="error"' if form.is_again else "",
		token=_TOKEN.substitute(token=escape(form.token)) if form.token else "",
	)
