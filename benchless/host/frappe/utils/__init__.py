"""`frappe.utils`: everything of `frappe.utils.data`, and what needs the site, its files or mail addresses."""

import functools
import json
import os
import re
import sys
import traceback
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable
from email.utils import formataddr, parseaddr
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe.utils.data import *
from frappe.utils.data import cint, cstr, escape_html, strip
from frappe.utils.html_utils import sanitize_html

EMAIL_PATTERN = re.compile(
	r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@"
	r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)+"
)
PHONE_PATTERN = re.compile(r"([0-9 +_\-,.*#()]){1,20}$")
NAME_PATTERN = re.compile(r"^[\w][\w\'\-]*( \w[\w\'\-]*)*$")


class CallbackManager:
	"""Callbacks that run once, in order, when the transaction gets there. Those added meanwhile run, too."""

	__slots__ = ("_functions",)

	def __init__(self) -> None:
		self._functions: deque[Callable] = deque()

	def add(self, func: Callable) -> None:
		self._functions.append(func)

	def __call__(self, func: Callable) -> None:
		self.add(func)

	def run(self) -> None:
		while self._functions:
			self._functions.popleft()()

	def reset(self) -> None:
		self._functions.clear()


def get_table_name(table_name: str, wrap_in_backticks: bool = False) -> str:
	name = table_name if table_name.startswith("__") else f"tab{table_name}"
	return f"`{name}`" if wrap_in_backticks else name


def get_fullname(user: str | None = None) -> str:
	"""First and last name of a user, the address if there is no such user."""
	user = user or frappe.session.user
	return frappe.get_cached_value("User", user, "full_name") or user or ""


def get_formatted_email(user: str, mail: str | None = None) -> str:
	return formataddr((get_fullname(user), mail or frappe.get_cached_value("User", user, "email") or user))


def extract_email_id(email: str) -> str:
	return parseaddr(email)[1]


def validate_email_address(email_str: str, throw: bool = False) -> str:
	"""The valid addresses of a comma-separated text; raises InvalidEmailAddressError for others if `throw`."""
	valid = []
	for part in (email_str or "").strip().split(","):
		part = part.strip()
		if "undisclosed-recipient" in part:
			continue
		address = "" if (" " in part and "<" not in part) else extract_email_id(part)
		if EMAIL_PATTERN.fullmatch(address.lower()):
			valid.append(address)
		elif throw:
			frappe.throw(
				frappe._("{0} is not a valid Email Address").format(escape_html(part)),
				frappe.InvalidEmailAddressError,
			)
	return ", ".join(valid)


def split_emails(txt: str) -> list[str]:
	return [part for part in (strip(p) for p in re.split(r"[,\n]", cstr(txt))) if part]


def validate_phone_number(phone_number: str, throw: bool = False) -> bool:
	if not phone_number:
		return False
	valid = bool(PHONE_PATTERN.match(phone_number.strip()))
	if not valid and throw:
		frappe.throw(
			frappe._("{0} is not a valid Phone Number").format(phone_number), frappe.InvalidPhoneNumberError
		)
	return valid


def validate_name(name: str, throw: bool = False) -> str:
	"""A person's name, empty if it is none."""
	if not name:
		return ""
	if NAME_PATTERN.match(name.strip()):
		return name
	if throw:
		frappe.throw(frappe._("{0} is not a valid Name").format(name), frappe.InvalidNameError)
	return ""


def validate_url(txt: str, throw: bool = False, valid_schemes: str | Container[str] | None = None) -> bool:
	"""Whether a text is an address or a path."""
	parts = urlsplit(txt or "")
	valid = bool(parts.netloc) or (txt or "").startswith("/")
	if isinstance(valid_schemes, str):
		valid = valid and parts.scheme == valid_schemes
	elif valid_schemes:
		valid = valid and parts.scheme in valid_schemes
	if not valid and throw:
		frappe.throw(frappe._("'{0}' is not a valid URL").format(frappe.bold(txt)))
	return valid


def validate_json_string(string: str) -> None:
	try:
		json.loads(string)
	except (TypeError, ValueError):
		raise frappe.ValidationError


def random_string(length: int) -> str:
	"""Random letters and digits."""
	import secrets
	import string

	return "".join(secrets.choice(string.ascii_letters + string.digits) for _i in range(length))


def get_traceback(with_context: bool = False) -> str:
	"""The traceback of the error being handled, empty if there is none."""
	kind, value, trace = sys.exc_info()
	if not any((kind, value, trace)):
		return ""
	return "".join(traceback.format_exception(kind, value, trace))


def strip_html_tags(text: str) -> str:
	return re.sub(r"\<[^>]*\>", "", text)


def remove_blanks(d: dict) -> dict:
	for key in [key for key, value in d.items() if value == "" or value is None]:
		del d[key]
	return d


def get_path(*path: str, **kwargs: Any) -> str:
	base = kwargs.get("base") or frappe.local.site_path
	return os.path.join(base, *path)


def get_site_path(*path: str) -> str:
	return get_path(*path)


def get_files_path(*path: str, **kwargs: Any) -> str:
	return get_site_path("private" if kwargs.get("is_private") else "public", "files", *path)


def get_bench_path() -> str:
	"""The folder that holds the sites folder."""
	return os.path.abspath(os.path.join(frappe.local.sites_path, ".."))


def get_site_url(site: str) -> str:
	port = frappe.get_conf(site).webserver_port
	return f"http://{site}:{port}" if port else f"http://{site}"


def get_site_name(hostname: str) -> str:
	return hostname.split(":", 1)[0]


def get_sites(sites_path: str | None = None) -> list[str]:
	"""Sites of a sites folder."""
	folder = sites_path or getattr(frappe.local, "sites_path", None) or "."
	found = (entry.name for entry in os.scandir(folder) if entry.is_dir())
	return sorted(name for name in found if os.path.exists(os.path.join(folder, name, "site_config.json")))


def touch_file(path: str) -> str:
	with open(path, "a"):
		os.utime(path, None)
	return path


def get_hook_method(hook_name: str, fallback: Any = None) -> Any:
	methods = frappe.get_hooks().get(hook_name)
	return frappe.get_attr(methods[0]) if methods else fallback


def call_hook_method(hook: str, *args: Any, **kwargs: Any) -> Any:
	out = None
	for method in frappe.get_hooks(hook):
		out = out or frappe.get_attr(method)(*args, **kwargs)
	return out


def is_cli() -> bool:
	"""True in a terminal, False while a request is answered."""
	return not getattr(frappe.local, "request", None) and bool(sys.stdin and sys.stdin.isatty())


def update_progress_bar(txt: str, i: int, l: int, absolute: bool = False) -> None:
	"""Show progress in a terminal, nothing elsewhere."""
	if not sys.stdout.isatty():
		return
	done = i + 1 if absolute else f"{int((i + 1) * 100 / (l or 1))}%"
	print(f"\r{txt}: {done}{f' of {l}' if absolute else ''}", end="" if i + 1 < l else "\n", flush=True)


def is_a_property(x: Any) -> bool:
	return isinstance(x, property | functools.cached_property)


def create_batch(iterable: list, size: int) -> Generator[list, None, None]:
	for start in range(0, len(iterable), size):
		yield iterable[start : start + size]


def get_safe_filters(filters: Any) -> Any:
	"""Filters from outside: JSON as such, a name as it is."""
	try:
		filters = json.loads(filters)
	except (TypeError, ValueError):
		return filters
	return cstr(filters) if isinstance(filters, int | float) else filters


def safe_json_loads(*args: Any) -> Any:
	results = []
	for arg in args:
		try:
			arg = json.loads(arg)
		except (TypeError, ValueError):
			pass  # what is no JSON stays as it is: that is the contract
		results.append(arg)
	return results[0] if len(results) == 1 else results


def squashify(what: Any) -> Any:
	return what[0] if isinstance(what, Iterable) and len(what) == 1 else what


def call(fn: Callable, *args: Any, **kwargs: Any) -> Any:
	return frappe.call(fn, *args, **kwargs)


def validate_python_code(string: str, fieldname: str | None = None, is_expression: bool = True) -> None:
	"""Raise unless a text is Python."""
	if not string:
		return
	try:
		compile(string, filename="<string>", mode="eval" if is_expression else "exec")
	except SyntaxError as error:
		line, message = error.lineno or 0, error.msg
		frappe.throw(
			frappe._("{} Invalid python code on line {}").format(f"{fieldname}:" if fieldname else "", line)
			+ f" ({message})"
		)
