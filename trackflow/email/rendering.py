"""From a template and a recipient's values to a mail: Frappe's own renderer, whatever stands in the values inert (EML-1, SEC-2).

Values of a recipient are text, never markup: Frappe's renderer does not escape by itself, and anybody may type a name into a form. They
are rendered once, so that no value is taken for a template.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _
from frappe.core.utils import html2text
from frappe.model.document import Document
from frappe.utils import escape_html, strip_html
from frappe.utils.jinja import get_jenv
from jinja2 import TemplateError, meta

from trackflow.email import content
from trackflow.email.content import UNSUBSCRIBE, Addresses
from trackflow.email.message import one_line

Row = dict[str, Any]
# What comes of a template that is none, or that does with a value what it cannot.
_ERRORS = (
	TemplateError,
	frappe.ValidationError,
	TypeError,
	ValueError,
	ArithmeticError,
	LookupError,
	AttributeError,
)
LONGEST_REASON = 200


class RenderError(ValueError):
	"""The template cannot be rendered for somebody; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Template:
	"""A template as it was when the sending began."""

	subject: str
	html: str

	@property
	def addresses(self) -> Addresses:
		return content.addresses_in(self.html)


@dataclass(frozen=True, slots=True)
class Rendered:
	"""One person's mail, before it has headers."""

	subject: str
	html: str
	text: str


@dataclass(frozen=True, slots=True)
class Own:
	"""What is one recipient's alone: where links lead, the image, and where one unsubscribes."""

	links: Mapping[str, str]
	image: str
	leave: str


def template_of(mailing: Document) -> Template:
	"""The mailing's template; what cannot be one is refused in words."""
	doc = frappe.get_doc("Email Template", mailing.email_template)
	html = (doc.response_html if doc.use_html else doc.response) or ""
	if not html.strip():
		frappe.throw(_("The template {0} is empty.").format(doc.name))
	return Template(doc.subject or "", html)


def unknown_names(template: Template, known: Mapping[str, Any]) -> list[str]:
	"""What the template asks for that no recipient has: it would stand in the mail in braces."""
	environment = get_jenv()
	try:
		names = set().union(
			*(
				meta.find_undeclared_variables(environment.parse(one))
				for one in (template.subject, template.html)
			)
		)
	except TemplateError as error:
		frappe.throw(_("The template cannot be read: {0}").format(escape_html(_reason(error))))
	return sorted(names - set(known) - set(environment.globals) - {"doc", "email", UNSUBSCRIBE})


def rendered(template: Template, values: Row, address: str, own: Own) -> Rendered:
	"""One recipient's mail. Raises RenderError."""
	subject = _render(template.subject, _context(values, address, own.leave))
	inert = {name: escape_html(value) if isinstance(value, str) else value for name, value in values.items()}
	html = _render(template.html, _context(inert, escape_html(address), own.leave))
	html = content.replaced(content.as_document(html, frappe.local.lang or "en"), own.links)
	if own.leave:
		html = content.with_footer(html, own.leave, _("Unsubscribe"))
	text = html2text(html)
	return Rendered(one_line(subject), content.with_image(html, own.image) if own.image else html, text)


def _context(values: Row, address: str, leave: str) -> Row:
	plain = {name: "" if value is None else value for name, value in values.items()}
	return {**plain, "doc": frappe._dict(plain), "email": address, UNSUBSCRIBE: leave}


def _render(source: str, context: Row) -> str:
	try:
		# A line of its own: Frappe takes a single line that ends like a file's name for a path.
		return frappe.render_template(f"{source}\n", context)
	except _ERRORS as error:
		if isinstance(error, frappe.ValidationError):
			# It shows the whole template and a traceback.
			frappe.clear_last_message()
		raise RenderError(_reason(error)) from error


def _reason(error: Exception) -> str:
	"""The last line of what went wrong."""
	lines = [line.strip() for line in strip_html(str(error)).splitlines()]
	return next((line for line in reversed(lines) if line), type(error).__name__)[:LONGEST_REASON]
