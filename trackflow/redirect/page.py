"""The plain pages of a short link that leads nowhere: unknown or paused, and ended. No framework, no script, no secret."""

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
<body><main><h1>$title</h1><p>$text</p></main></body>
</html>
"""
)

SECURITY_HEADERS = {
	"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
	"font-src https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Words:
	"""Titles and texts by page, in a language that is named as HTML wants it."""

	language: str
	pages: Mapping[str, tuple[str, str]]


def render(title: str, text: str, lang: str, domain: Domain | None) -> str:
	"""A page with these (untrusted) texts in the domain's style."""
	style = domain.custom_css.replace("</", "<\\/") if domain else ""
	return _PAGE.substitute(title=escape(title), text=escape(text), lang=escape(lang or "en"), style=style)
