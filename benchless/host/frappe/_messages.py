"""Messages for the user, errors, logs and JSON: the parts of `frappe` that need no document.

`throw` and `msgprint` add to `frappe.message_log`, which the web half sends as `_server_messages`.
"""

import inspect
import json
import logging
import math
import secrets
from typing import Any, NoReturn

import frappe
from frappe.types.frappedict import _dict


def _(msg: str, lang: str | None = None, context: str | None = None) -> str:
	"""`msg` in the language asked for, else in the one of the session; itself where no translation is known."""
	from frappe.translate import get_all_translations

	if not hasattr(frappe.local, "lang"):
		frappe.local.lang = lang or "en"
	translations = get_all_translations(lang or frappe.local.lang)
	if not translations:
		return msg
	key = as_unicode(msg).strip()
	return (context and translations.get(f"{key}:{context}")) or translations.get(key) or msg


class _LazyTranslate:
	"""A text that is translated when it is used, for module level."""

	def __init__(self, msg: str, lang: str | None = None, context: str | None = None) -> None:
		self.args = (msg, lang, context)

	def __str__(self) -> str:
		return _(*self.args)

	def __eq__(self, other: object) -> bool:
		return str(self) == str(other)

	def __hash__(self) -> int:
		return hash(str(self))

	def format(self, *args: Any, **kwargs: Any) -> str:
		return str(self).format(*args, **kwargs)


def _lt(msg: str, lang: str | None = None, context: str | None = None) -> _LazyTranslate:
	"""Like `_`, but translated when the text is used."""
	return _LazyTranslate(msg, lang, context)


def as_unicode(text: Any, encoding: str = "utf-8") -> str:
	"""Anything as text; None is empty."""
	if text is None:
		return ""
	return str(text, encoding) if isinstance(text, bytes) else str(text)


def safe_encode(param: Any, encoding: str = "utf-8") -> Any:
	"""Text as bytes; anything else as it is."""
	return param.encode(encoding) if isinstance(param, str) else param


def safe_decode(param: Any, encoding: str = "utf-8", fallback_map: dict | None = None) -> Any:
	"""Bytes as text where they decode; anything else as it is."""
	if not isinstance(param, bytes):
		return param
	try:
		return param.decode(encoding)
	except LookupError:
		return param.decode((fallback_map or {}).get(encoding, "utf-8"), errors="replace")
	except UnicodeDecodeError:
		return param


def bold(text: Any) -> str:
	return f"<strong>{text}</strong>"


def msgprint(
	msg: str,
	title: str | None = None,
	raise_exception: bool | type[Exception] = False,
	as_table: bool = False,
	as_list: bool = False,
	indicator: str | None = None,
	alert: bool = False,
	primary_action: Any = None,
	is_minimizable: bool = False,
	wide: bool = False,
	*,
	realtime: bool = False,
) -> None:
	"""Show a message to the user with the response; raise afterwards if asked."""
	msg = safe_decode(msg)
	out = _dict(message=msg)
	if not frappe.flags.mute_messages:
		out.title = title or _("Message", context="Default title of the message dialog")
		indicator = indicator or ("red" if raise_exception else None)
		shown = {
			"as_table": as_table and isinstance(msg, list | tuple) and 1,
			"as_list": as_list and isinstance(msg, list | tuple) and 1,
			"indicator": indicator,
			"alert": alert and 1,
			"primary_action": primary_action,
			"is_minimizable": is_minimizable,
			"wide": wide,
		}
		out.update({key: value for key, value in shown.items() if value})
		if raise_exception:
			out.raise_exception = 1
			out["__frappe_exc_id"] = generate_hash()
		if frappe.flags.print_messages and msg:
			print(f"Message: {msg}")
		if realtime:
			frappe.publish_realtime(event="msgprint", message=out)
		else:
			frappe.local.message_log.append(out)
	if raise_exception:
		is_class = inspect.isclass(raise_exception) and issubclass(raise_exception, Exception)
		error = raise_exception(msg) if is_class else frappe.ValidationError(msg)
		if exc_id := out.get("__frappe_exc_id"):
			setattr(error, "__frappe_exc_id", exc_id)
		raise error


def throw(
	msg: str,
	exc: type[Exception] = frappe.ValidationError,
	title: str | None = None,
	is_minimizable: bool = False,
	wide: bool = False,
	as_list: bool = False,
	primary_action: Any = None,
) -> NoReturn:
	"""Show `msg` and raise `exc` with it."""
	msgprint(
		msg,
		raise_exception=exc,
		title=title,
		indicator="red",
		is_minimizable=is_minimizable,
		wide=wide,
		as_list=as_list,
		primary_action=primary_action,
	)
	raise AssertionError("msgprint raises")


def clear_messages() -> None:
	frappe.local.message_log = []


def get_message_log() -> list[dict]:
	return list(frappe.local.message_log)


def clear_last_message() -> None:
	"""Forget the message of an error that was handled."""
	frappe.local.message_log = frappe.local.message_log[:-1]


def errprint(msg: str) -> None:
	"""Print an error and send it with the response, for those who may see it."""
	if not getattr(frappe.local, "request", None):
		print(as_unicode(msg))
	frappe.local.error_log.append({"exc": as_unicode(msg)})


def log(msg: Any) -> None:
	"""Add to the debug log of the request."""
	frappe.local.debug_log.append(as_unicode(msg))


def get_traceback(with_context: bool = False) -> str:
	"""The traceback of the error being handled."""
	from frappe.utils import get_traceback as _get_traceback

	return _get_traceback(with_context)


def log_error(
	title: str | None = None,
	message: str | None = None,
	reference_doctype: str | None = None,
	reference_name: str | None = None,
	*,
	defer_insert: bool = False,
) -> Any:
	"""Write an Error Log row; returns it. Title and traceback may come swapped: the one with lines is the traceback."""
	trace = None
	if message:
		if title and "\n" in title:
			trace, title = title, message
		else:
			trace = message
	trace = as_unicode(trace or get_traceback())
	title = title or "Error"
	if not frappe.db:
		print(f"Failed to log error in db: {title}")
		return None
	row = frappe.get_doc(
		doctype="Error Log",
		error=trace,
		method=str(title)[:140],
		reference_doctype=reference_doctype,
		reference_name=reference_name,
	)
	return row.insert(ignore_permissions=True)


def logger(
	module: str | None = None,
	with_more_info: bool = False,
	allow_site: bool | str = True,
	filter: Any = None,
	max_size: int = 100_000,
	file_count: int = 20,
) -> logging.Logger:
	"""A Python logger under `benchless`; where it writes to is the host's configuration, not files per site."""
	out = logging.getLogger(f"benchless.{module or 'frappe'}")
	if filter and filter not in out.filters:
		out.addFilter(filter)
	return out


def generate_hash(txt: str | None = None, length: int = 56) -> str:
	"""Random hexadecimal text of the given length."""
	length = length or 56
	return secrets.token_hex(math.ceil(length / 2))[:length]


def as_json(
	obj: Any, indent: int | None = 1, separators: tuple[str, str] | None = None, ensure_ascii: bool = True
) -> str:
	"""JSON with sorted keys; dates, decimals and documents are written as Frappe writes them."""
	from frappe.utils.data import json_default

	options = {
		"indent": indent,
		"default": json_default,
		"separators": separators or (",", ": "),
		"ensure_ascii": ensure_ascii,
	}
	try:
		return json.dumps(obj, sort_keys=True, **options)
	except TypeError:
		# keys of different types do not sort
		return json.dumps(dict(sorted(obj.items(), key=lambda item: str(item[0]))), **options)


def parse_json(val: Any) -> Any:
	"""Text as JSON, dicts as `_dict`; anything else as it is."""
	from frappe.utils import parse_json as _parse_json

	return _parse_json(val)


def respond_as_web_page(
	title: str,
	html: str,
	success: bool | None = None,
	http_status_code: int | None = None,
	context: dict | None = None,
	indicator_color: str | None = None,
	primary_action: str = "/",
	primary_label: str | None = None,
	fullpage: bool = False,
	width: str | None = None,
	template: str = "message",
) -> None:
	"""Answer with a page that shows a message instead of JSON."""
	local = frappe.local
	local.message_title = title
	local.message = html
	local.no_cache = 1
	local.response["type"] = "page"
	local.response["route"] = template
	if http_status_code:
		local.response["http_status_code"] = http_status_code
	if not indicator_color:
		indicator_color = "green" if success else "red" if (http_status_code or 0) > 300 else "blue"
	context = dict(context or {})
	context.update(
		indicator_color=indicator_color,
		primary_label=primary_label,
		primary_action=primary_action,
		error_code=http_status_code,
		fullpage=fullpage,
	)
	if width:
		context["card_width"] = width
	local.response["context"] = context


def redirect(url: str) -> NoReturn:
	"""Leave the request with a redirect to `url`."""
	frappe.flags.redirect_location = url
	raise frappe.Redirect


def redirect_to_message(
	title: str,
	html: str,
	http_status_code: int | None = None,
	context: dict | None = None,
	indicator_color: str | None = None,
) -> None:
	"""Redirect to a page that shows a message kept for a minute."""
	message_id = generate_hash(length=8)
	context = {**(context or {}), "header": title, "title": title, "message": html}
	if indicator_color:
		context["indicator_color"] = indicator_color
	message = {"context": context, "http_status_code": http_status_code or 200}
	frappe.cache.set_value(f"message_id:{message_id}", message, expires_in_sec=60)
	frappe.local.response["type"] = "redirect"
	frappe.local.response["location"] = f"/message?id={message_id}"
