"""What Frappe's core shares: a mail's HTML as text."""

import re
from html import unescape

from frappe.utils import strip_html

LINK = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*(["'])(.*?)\1[^>]*>(.*?)</a>""", re.IGNORECASE | re.DOTALL)
END_OF_LINE = re.compile(r"</(?:p|h[1-6]|tr|li|div)>|<br\s*/?>", re.IGNORECASE)
LEFT_OUT = re.compile(r"<(style|script|head)\b.*?</\1>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


def html2text(html: str, strip_links: bool = False, wrap: bool = True) -> str:
	"""HTML as Markdown, as far as mails need it: lines, and links with their addresses unless `strip_links`."""
	html = LEFT_OUT.sub("", html)
	html = LINK.sub(r"\3" if strip_links else r"[\3](\2)", html)
	return unescape(strip_html(END_OF_LINE.sub(lambda found: found[0] + "\n", html))).strip()
