"""A mail's HTML: which addresses its template links to, and what is put into each recipient's (EML-1). Pure.

Everything but what is replaced stays byte for byte: mail programs live on conditional comments and odd tables that no parser
would give back. Only addresses that stand in the template are replaced, never one that a recipient's own values bring.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape, unescape

_LINK = re.compile(
	r"""(<(?:a|area)\b(?:[^<>"']|"[^"]*"|'[^']*')*?(?<![\w-])href\s*=\s*)(?:"([^"]*)"|'([^']*)')""",
	re.IGNORECASE,
)
_MARKUP = ("{{", "{%", "{#")
_END = re.compile(r"</body\s*>", re.IGNORECASE)
_HTML = re.compile(r"<html\b", re.IGNORECASE)
# What a template may ask for beside the recipient's fields.
UNSUBSCRIBE = "unsubscribe_url"
_FOOTER = '<p style="font-size:12px;opacity:.7"><a href="{}">{}</a></p>'


@dataclass(frozen=True, slots=True)
class Addresses:
	"""What a template links to: what can be tracked, and what differs by recipient and is left as it is."""

	tracked: tuple[str, ...]
	left: tuple[str, ...]


def addresses_in(template: str) -> Addresses:
	"""The web addresses of a template's links, each once, in order."""
	found = [_address(one) for one in _LINK.finditer(template)]
	pages = [one for one in dict.fromkeys(found) if one.lower().startswith(("http://", "https://", *_MARKUP))]
	varying = [one for one in pages if any(mark in one for mark in _MARKUP)]
	return Addresses(
		tuple(one for one in pages if one not in varying),
		tuple(one for one in varying if UNSUBSCRIBE not in one),
	)


def replaced(html: str, by_address: Mapping[str, str]) -> str:
	"""The mail with these addresses of links replaced."""

	def put(found: re.Match[str]) -> str:
		new = by_address.get(_address(found))
		return f'{found[1]}"{escape(new)}"' if new else found[0]

	return _LINK.sub(put, html)


def with_footer(html: str, address: str, label: str) -> str:
	"""The mail with a line to unsubscribe, unless it links there already."""
	if any(_address(one) == address for one in _LINK.finditer(html)):
		return html
	return _at_the_end(html, _FOOTER.format(escape(address), escape(label)))


def with_image(html: str, address: str) -> str:
	"""The mail with an image that nobody sees, whose being fetched says that it was opened."""
	image = f'<img src="{escape(address)}" width="1" height="1" alt="" style="display:block;border:0">'
	return _at_the_end(html, image)


def as_document(html: str, language: str) -> str:
	"""The mail as a whole document, which its template may be already."""
	if _HTML.search(html):
		return html
	head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
	return (
		f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head>{head}</head><body>\n{html}\n</body></html>'
	)


def _address(found: re.Match[str]) -> str:
	return unescape(found[2] if found[2] is not None else found[3]).strip()


def _at_the_end(html: str, piece: str) -> str:
	ends = list(_END.finditer(html))
	at = ends[-1].start() if ends else len(html)
	return f"{html[:at]}{piece}{html[at:]}"
