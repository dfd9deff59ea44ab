"""Values, texts, numbers and addresses: `frappe.utils.data`, dates included (see `dates.py`).

Conversions never raise: what is no number is 0, what is nothing is the empty text.
"""

import datetime
import decimal
import html
import json
import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urljoin
from uuid import UUID

import frappe
from frappe.types.frappedict import _dict
from frappe.utils.dates import *
from frappe.utils.dates import format_timedelta

HTML_TAG_PATTERN = re.compile("<[^>]+>")
NUMBER_FORMATS: dict[str, tuple[str, str, int]] = {
	"#,###.##": (".", ",", 2),
	"#.###,##": (",", ".", 2),
	"# ###.##": (".", " ", 2),
	"# ###,##": (",", " ", 2),
	"#'###.##": (".", "'", 2),
	"#, ###.##": (".", ", ", 2),
	"#,##,###.##": (".", ",", 2),
	"#,###.###": (".", ",", 3),
	"#.###": ("", ".", 0),
	"#,###": ("", ",", 0),
	"#.########": (".", "", 8),
}


def cstr(s: Any, encoding: str = "utf-8") -> str:
	return frappe.as_unicode(s, encoding)


def cint(s: Any, default: int = 0) -> int:
	try:
		return int(s)
	except (TypeError, ValueError, OverflowError):
		try:
			return int(float(s))
		except (TypeError, ValueError, OverflowError):
			return default


def flt(s: Any, precision: int | None = None, rounding_method: str | None = None) -> float:
	"""A float, rounded if a precision is given; thousands commas are dropped."""
	if isinstance(s, str):
		s = s.replace(",", "")
	try:
		number = float(s)
	except (TypeError, ValueError):
		return 0.0
	return number if precision is None else rounded(number, precision, rounding_method)


def sbool(x: str | Any) -> Any:
	"""The texts `true`, `1`, `false` and `0` as booleans, anything else as it is."""
	if isinstance(x, str):
		lowered = x.lower()
		if lowered in ("true", "1"):
			return True
		if lowered in ("false", "0"):
			return False
	return x


def rounded(num: Any, precision: int = 0, rounding_method: str | None = None) -> float:
	"""Round by the method of System Settings."""
	precision = cint(precision)
	num = num if isinstance(num, int | float) else flt(num)
	method = rounding_method or frappe.get_system_settings("rounding_method") or "Banker's Rounding (legacy)"
	if method == "Banker's Rounding (legacy)":
		return _legacy_rounding(num, precision)
	exact = decimal.Decimal(repr(float(num)))
	step = decimal.Decimal(1).scaleb(-precision)
	if method == "Banker's Rounding":
		return float(exact.quantize(step, decimal.ROUND_HALF_EVEN))
	if method == "Commercial Rounding":
		return float(exact.quantize(step, decimal.ROUND_HALF_UP))
	frappe.throw(
		frappe._("Unknown Rounding Method: {}").format(method),
		exc=frappe.InvalidRoundingMethod,
	)


def _legacy_rounding(num: float, precision: int) -> float:
	"""Halves go up, but to the even number where no decimals are kept; noise past 8 digits is ignored."""
	multiplier = 10**precision
	scaled = round(num * multiplier if precision else num, 8)
	floor_num = math.floor(scaled)
	if scaled - floor_num == 0.5:
		scaled = floor_num if not precision and floor_num % 2 == 0 else floor_num + 1
	else:
		scaled = round(scaled)
	return scaled / multiplier if precision else scaled


def floor(s: Any) -> int:
	return math.floor(flt(s))


def ceil(s: Any) -> int:
	return math.ceil(flt(s))


def safe_div(numerator: float, denominator: float, precision: int = 2) -> float:
	return 0.0 if not denominator else flt(numerator / denominator, precision)


_TEXT_TYPES = ("Data", "Text", "Small Text", "Long Text", "Text Editor", "Select", "Link", "Dynamic Link")


def cast_fieldtype(fieldtype: str, value: Any, show_warning: bool = True) -> Any:
	"""A stored value as the Python type of its field; empty dates become now."""
	if fieldtype in ("Currency", "Float", "Percent"):
		return flt(value)
	if fieldtype in ("Int", "Check"):
		return cint(value)
	if fieldtype in _TEXT_TYPES:
		return cstr(value)
	if fieldtype == "Date":
		return getdate(value)
	if fieldtype == "Datetime":
		return get_datetime(value)
	if fieldtype == "Time":
		return to_timedelta(value)
	return value


def cast(fieldtype: str, value: Any = None) -> Any:
	"""A value as the Python type of a field; nothing becomes the lowest value of the type."""
	if fieldtype in ("Int", "Check"):
		return cint(sbool(value))
	if fieldtype == "Date":
		return getdate(value) if value else datetime.date(1, 1, 1)
	if fieldtype == "Datetime":
		return get_datetime(value) if value else datetime.datetime(1, 1, 1)
	if fieldtype == "Time":
		return get_timedelta(value)
	return cast_fieldtype(fieldtype, value)


def get_number_format_info(format: str) -> tuple[str, str, int]:
	"""Decimal sign, thousands sign and decimals of a number format."""
	return NUMBER_FORMATS.get(format, (".", ",", 2))


def fmt_money(
	amount: str | float | int | None,
	precision: int | None = None,
	currency: str | None = None,
	format: str | None = None,
) -> str:
	"""An amount with separators, and with the symbol of its currency if one is named."""
	number_format = format or frappe.db.get_default("number_format") or "#,###.##"
	decimal_sign, comma, default_precision = get_number_format_info(number_format)
	if precision is None:
		precision = cint(frappe.db.get_default("currency_precision")) or default_precision
	value = flt(amount)
	whole, _dot, decimals = f"{abs(value):.{precision}f}".partition(".")
	groups = [whole[-3:]]
	whole, size = whole[:-3], 2 if number_format == "#,##,###.##" else 3
	while whole:
		groups.insert(0, whole[-size:])
		whole = whole[:-size]
	text = comma.join(groups) + (decimal_sign + decimals if decimals and decimal_sign else "")
	if value < 0 and text.strip("0.,") != "":
		text = "-" + text
	if currency and frappe.db.get_default("hide_currency_symbol") != "Yes":
		symbol = frappe.db.get_value("Currency", currency, "symbol", cache=True) or currency
		text = f"{frappe._(symbol)} {text}"
	return text


def is_html(text: Any) -> bool:
	return isinstance(text, str) and bool(HTML_TAG_PATTERN.search(text))


def strip_html(text: str) -> str:
	"""Text without its tags."""
	return HTML_TAG_PATTERN.sub("", text)


def escape_html(text: Any) -> Any:
	return html.escape(text, quote=True).replace("&#x27;", "&#39;") if isinstance(text, str) else text


def comma_sep(some_list: Any, pattern: str, add_quotes: bool = True) -> Any:
	if not isinstance(some_list, list | tuple):
		return some_list
	items = [f"'{item}'" if add_quotes else cstr(item) for item in some_list]
	if len(items) < 2:
		return items[0] if items else ""
	return pattern.format(", ".join(items[:-1]), items[-1])


def comma_and(some_list: Any, add_quotes: bool = True) -> Any:
	return comma_sep(some_list, frappe._("{0} and {1}"), add_quotes)


def comma_or(some_list: Any, add_quotes: bool = True) -> Any:
	return comma_sep(some_list, frappe._("{0} or {1}"), add_quotes)


def unique(seq: Iterable) -> list:
	return list(dict.fromkeys(seq))


def strip(val: str, chars: str | None = None) -> str:
	"""Strip, zero-width spaces included."""
	return (val or "").replace("\ufeff", "").replace("\u200b", "").strip(chars)


def encode(obj: Any, encoding: str = "utf-8") -> Any:
	if isinstance(obj, list):
		return [encode(item, encoding) for item in obj]
	return obj.encode(encoding) if isinstance(obj, str) else obj


def get_host_name_from_request() -> str:
	request = getattr(frappe.local, "request", None)
	if not request or not request.host:
		return ""
	secure = frappe.get_request_header("X-Forwarded-Proto", "") == "https"
	return f"{'https' if secure else 'http'}://{request.host}"


def get_url(uri: str | None = None, full_address: bool = False) -> str:
	"""Address of the site, or of a path on it: configured host name, else the request's, else the site's name."""
	if uri and uri.startswith(("http://", "https://")):
		return uri
	conf = frappe.local.conf
	host = conf.host_name or conf.hostname or get_host_name_from_request() or frappe.local.site or "127.0.0.1"
	if not host.startswith(("http://", "https://")):
		host = f"{'https' if conf.ssl_certificate else 'http'}://{host}"
	port = conf.http_port or conf.webserver_port
	if port and not re.search(r":\d+$", host):
		host = f"{host}:{port}"
	return urljoin(host, uri) if uri else host


def quoted(url: str) -> str:
	return quote(cstr(url), safe=b"~@#$&()*!+=:;,.?/'")


def slug(name: str) -> str:
	return name.lower().replace(" ", "-")


def get_absolute_url(doctype: str, name: str) -> str:
	return f"/app/{quoted(slug(doctype))}/{quoted(name)}"


def get_url_to_form(doctype: str, name: str) -> str:
	return get_url(uri=f"/app/{quoted(slug(doctype))}/{quoted(name)}")


def get_url_to_list(doctype: str) -> str:
	return get_url(uri=f"/app/{quoted(slug(doctype))}")


def get_url_to_report(name: str, report_type: str | None = None, doctype: str | None = None) -> str:
	if report_type == "Report Builder":
		return get_url(uri=f"/app/{quoted(slug(doctype))}/view/report/{quoted(name)}")
	return get_url(uri=f"/app/query-report/{quoted(name)}")


def get_link_to_form(doctype: str, name: str | None = None, label: str | None = None) -> str:
	return f'<a href="{get_url_to_form(doctype, name or doctype)}">{label or name}</a>'


def sql_like(value: Any, pattern: str) -> bool:
	"""Whether a text contains, starts or ends with a pattern with % at its ends."""
	if not isinstance(pattern, str):
		return False
	text, wanted = cstr(value).lower(), pattern.lower()
	regex = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in wanted)
	return re.fullmatch(regex if "%" in wanted else f".*{regex}.*", text, re.DOTALL) is not None


def _is_in(value: Any, options: Any) -> bool:
	options = options.split(",") if isinstance(options, str) else options
	return value in (options or ())


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
	"^": lambda a, b: cstr(a).startswith(b),
	"in": _is_in,
	"not in": lambda a, b: not _is_in(a, b),
	"=": operator.eq,
	"!=": operator.ne,
	">": operator.gt,
	"<": operator.lt,
	">=": operator.ge,
	"<=": operator.le,
	"not None": lambda a, b: a is not None,
	"None": lambda a, b: a is None,
	"like": sql_like,
	"not like": lambda a, b: not sql_like(a, b),
	"is": lambda a, b: bool(a) == (cstr(b).lower() == "set"),
	"between": lambda a, b: b[0] <= a <= b[1],
}


def compare(val1: Any, condition: str, val2: Any, fieldtype: str | None = None) -> bool:
	"""Compare as a filter does, in Python."""
	if fieldtype:
		val1 = cast(fieldtype, val1)
		if condition not in ("in", "not in", "is", "between"):
			val2 = cast(fieldtype, val2)
	return COMPARISONS[condition](val1, val2) if condition in COMPARISONS else False


def make_filter_tuple(doctype: str, key: str, value: Any) -> list:
	"""A filter of a dict as [doctype, field, operator, value]."""
	if isinstance(value, list | tuple):
		return [doctype, key, value[0], value[1]]
	return [doctype, key, "=", value]


def evaluate_filters(doc: Any, filters: dict | list | tuple) -> bool:
	"""Whether a document meets all filters."""
	if isinstance(filters, dict):
		filters = [make_filter_tuple(doc.doctype, key, value) for key, value in filters.items()]
	for row in filters:
		fieldname, condition, value = row[-3:]
		if not compare(doc.get(fieldname), condition, value):
			return False
	return True


def get_user_info_for_avatar(user_id: str) -> dict:
	try:
		user = frappe.get_cached_doc("User", user_id)
	except frappe.DoesNotExistError:
		frappe.clear_last_message()
		return {"email": user_id, "image": "", "name": user_id}
	return {"email": user.email, "image": user.user_image, "name": user.full_name}


def json_default(obj: Any) -> Any:
	"""For json.dumps: what Frappe's answers make of values that JSON does not know."""
	if isinstance(obj, datetime.date | datetime.datetime | datetime.time):
		return str(obj)
	if isinstance(obj, datetime.timedelta):
		return format_timedelta(obj)
	if isinstance(obj, decimal.Decimal):
		return float(obj)
	if isinstance(obj, UUID | re.Match | Exception):
		return str(obj)
	if isinstance(obj, bytes):
		return obj.decode("utf-8", "replace")
	if hasattr(obj, "as_dict"):
		return obj.as_dict(no_nulls=True) if hasattr(obj, "doctype") else obj.as_dict()
	if isinstance(obj, Iterable):
		return list(obj)
	if callable(obj) or isinstance(obj, type):
		return repr(obj)
	raise TypeError(f"Object of type {type(obj).__name__} with value of {obj!r} is not JSON serializable")


def dictify(arg: Any) -> Any:
	"""Dicts inside lists and dicts as `_dict`."""
	if isinstance(arg, list):
		return [dictify(item) for item in arg]
	return _dict({key: dictify(value) for key, value in arg.items()}) if isinstance(arg, dict) else arg


def parse_json(val: Any) -> Any:
	"""Text as JSON; dicts as `_dict`."""
	if isinstance(val, str):
		val = json.loads(val)
	return _dict(val) if isinstance(val, dict) else val
