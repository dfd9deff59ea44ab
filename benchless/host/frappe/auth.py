"""Who is asking: the session's user by cookie, by password at /api/method/login, or by API key.

The order and the errors are Frappe's: a wrong cookie makes a guest, a wrong key or password is a 401, a missing CSRF
token on a state-changing request of a logged-in session is a 400.
"""

import base64
import binascii
import datetime
from urllib.parse import quote

from werkzeug.wrappers import Response

import frappe
from frappe import _
from frappe.sessions import Session, clear_sessions, delete_session, get_expiry_in_seconds
from frappe.utils.password import check_password, get_decrypted_password

SAFE_HTTP_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
UNSAFE_HTTP_METHODS = frozenset(("POST", "PUT", "DELETE", "PATCH"))
MAX_PASSWORD_SIZE = 512
LOGIN_ATTEMPTS, LOCKED_FOR_SECONDS = 10, 60


class HTTPRequest:
	"""Sets address, cookies, language and session of the request, then looks at its CSRF token."""

	def __init__(self) -> None:
		self.set_request_ip()
		frappe.local.cookie_manager = CookieManager()
		frappe.local.lang = frappe.local.lang or "en"
		frappe.local.login_manager = LoginManager()
		self.validate_csrf_token()
		frappe.local.cookie_manager.init_cookies()

	@property
	def domain(self) -> str:
		return frappe.request.host.removeprefix("www.")

	def set_request_ip(self) -> None:
		"""The first hop of X-Forwarded-For, as in Frappe: nginx sets it on a bench; a client can forge it."""
		forwarded = frappe.get_request_header("X-Forwarded-For")
		frappe.local.request_ip = (
			forwarded.split(",", 1)[0].strip() if forwarded else frappe.request.remote_addr or "127.0.0.1"
		)

	def validate_csrf_token(self) -> None:
		saved = frappe.session.data.csrf_token if frappe.session else None
		if frappe.request.method not in UNSAFE_HTTP_METHODS or frappe.conf.ignore_csrf or not saved:
			return
		given = frappe.get_request_header("X-Frappe-CSRF-Token") or frappe.form_dict.pop("csrf_token", None)
		if given != saved:
			frappe.flags.disable_traceback = True
			frappe.throw(_("Invalid Request"), frappe.CSRFTokenError)


class LoginManager:
	"""Logs in where the request asks for it, else resumes the session; sets the cookies that a browser expects."""

	def __init__(self) -> None:
		self.user: str | None = None
		self.info: frappe._dict | None = None
		self.full_name = self.user_type = None
		self.resume = True
		if frappe.form_dict.get("cmd") == "login" or frappe.request.path == "/api/method/login":
			self.resume = False
			self.login()
			self.run_trigger("on_session_creation")
			return
		self.make_session(resume=True)
		self.get_user_info()
		self.set_user_info(resume=True)

	def login(self) -> None:
		user, pwd = frappe.form_dict.get("usr"), frappe.form_dict.pop("pwd", None)
		self.authenticate(user=user, pwd=pwd)
		self.post_login()

	def post_login(self) -> None:
		self.run_trigger("on_login")
		self.get_user_info()
		self.make_session()
		self.set_user_info()

	def authenticate(self, user: str | None = None, pwd: str | None = None) -> None:
		if not (user and pwd):
			user, pwd = frappe.form_dict.get("usr"), frappe.form_dict.get("pwd")
		if not (user and pwd):
			self.fail(_("Incomplete login details"), user=user)
		if len(pwd) > MAX_PASSWORD_SIZE:
			self.fail(_("Password size exceeded the maximum allowed size"), user=user)
		tracker = LoginAttempts(user)
		tracker.refuse_if_locked()
		name = frappe.db.get_value("User", {"name": user}) or frappe.db.get_value("User", {"email": user})
		try:
			self.user = check_password(name or user, pwd)
		except frappe.AuthenticationError:
			tracker.add_failure()
			self.fail("Invalid login credentials", user=user)
		if self.user != "Administrator" and not frappe.db.get_value("User", self.user, "enabled"):
			tracker.add_failure()
			self.fail("User disabled or missing", user=user)
		tracker.reset()

	def check_password(self, user: str, pwd: str) -> str:
		try:
			return check_password(user, pwd)
		except frappe.AuthenticationError:
			self.fail("Incorrect password", user=user)
			raise

	def fail(self, message: str, user: str | None = None) -> None:
		frappe.local.response["message"] = message
		self.user = None
		raise frappe.AuthenticationError

	def get_user_info(self) -> None:
		fields = ["user_type", "first_name", "last_name", "user_image"]
		self.info = frappe.get_cached_value("User", self.user, fields, as_dict=True) or frappe._dict()
		self.user_type = self.info.user_type

	def set_user_info(self, resume: bool = False) -> None:
		cookies = frappe.local.cookie_manager
		cookies.init_cookies()
		self.full_name = " ".join(filter(None, (self.info.first_name, self.info.last_name)))
		is_desk_user = self.info.user_type == "System User"
		cookies.set_cookie("system_user", "yes" if is_desk_user else "no")
		if not resume:
			frappe.local.response["message"] = "Logged In" if is_desk_user else "No App"
			frappe.local.response["home_page"] = "/app" if is_desk_user else "/"
			frappe.local.response["full_name"] = self.full_name
		cookies.set_cookie("full_name", self.full_name)
		cookies.set_cookie("user_id", self.user)
		cookies.set_cookie("user_image", self.info.user_image or "")

	def make_session(self, resume: bool = False) -> None:
		frappe.local.session_obj = Session(
			user=self.user, resume=resume, full_name=self.full_name, user_type=self.user_type
		)
		self.user = frappe.local.session_obj.user
		frappe.local.session = frappe.local.session_obj.data

	def run_trigger(self, event: str = "on_login") -> None:
		for method in frappe.get_hooks(event):
			frappe.call(frappe.get_attr(method), login_manager=self)

	def login_as(self, user: str) -> None:
		self.user = user
		self.post_login()

	def login_as_guest(self) -> None:
		self.login_as("Guest")

	def logout(self, arg: str = "", user: str | None = None) -> None:
		user = user or frappe.session.user
		self.run_trigger("on_logout")
		if user != frappe.session.user:
			clear_sessions(user)
			return
		delete_session(frappe.session.sid, user=user, reason="User Manually Logged Out")
		self.clear_cookies()
		if frappe.request:
			self.login_as_guest()

	def clear_cookies(self) -> None:
		clear_cookies()


class LoginAttempts:
	"""Ten wrong passwords for a user within a minute lock it for the rest of that minute."""

	def __init__(self, user: str):
		self.key = f"login_attempts:{user}"

	def refuse_if_locked(self) -> None:
		if (frappe.cache.get_value(self.key, expires=True) or 0) >= LOGIN_ATTEMPTS:
			frappe.throw(
				_("Your account has been locked and will resume after {0} seconds").format(
					LOCKED_FOR_SECONDS
				),
				frappe.SecurityException,
			)

	def add_failure(self) -> None:
		count = (frappe.cache.get_value(self.key, expires=True) or 0) + 1
		frappe.cache.set_value(self.key, count, expires_in_sec=LOCKED_FOR_SECONDS)

	def reset(self) -> None:
		frappe.cache.delete_value(self.key)


class CookieManager:
	def __init__(self) -> None:
		self.cookies: dict[str, dict] = {}
		self.to_delete: list[str] = []

	def init_cookies(self) -> None:
		if frappe.local.session.get("sid"):
			self.set_cookie("sid", frappe.session.sid, max_age=get_expiry_in_seconds(), httponly=True)

	def set_cookie(
		self,
		key: str,
		value: str | None,
		expires: datetime.datetime | None = None,
		secure: bool = False,
		httponly: bool = False,
		samesite: str = "Lax",
		max_age: int | None = None,
	) -> None:
		if not secure and getattr(frappe.local, "request", None):
			secure = frappe.local.request.scheme == "https"
		self.cookies[key] = {
			"value": quote((value or "").encode()),
			"expires": expires,
			"secure": secure,
			"httponly": httponly,
			"samesite": samesite,
			"max_age": max_age,
		}

	def delete_cookie(self, to_delete: str | list[str] | tuple[str, ...]) -> None:
		self.to_delete.extend([to_delete] if isinstance(to_delete, str) else to_delete)

	def flush_cookies(self, response: Response) -> None:
		for key, options in self.cookies.items():
			response.set_cookie(key, **options)
		yesterday = datetime.datetime.now() - datetime.timedelta(days=1)
		for key in set(self.to_delete):
			response.set_cookie(key, "", expires=yesterday)


@frappe.whitelist()
def get_logged_user() -> str:
	return frappe.session.user


def clear_cookies() -> None:
	if getattr(frappe.local, "session", None):
		frappe.session.sid = ""
	frappe.local.cookie_manager.delete_cookie(["full_name", "user_id", "sid", "user_image", "system_user"])


def validate_auth() -> None:
	"""Authorization header, then auth_hooks; a header that nobody accepted is a failure."""
	header = (frappe.get_request_header("Authorization") or "").split(" ")
	if len(header) == 2:
		validate_auth_via_api_keys(header)
	validate_auth_via_hooks()
	if len(header) == 2 and frappe.session.user in ("", "Guest"):
		raise frappe.AuthenticationError


def validate_auth_via_api_keys(authorization_header: list[str]) -> None:
	kind, token = authorization_header
	source = frappe.get_request_header("Frappe-Authorization-Source")
	try:
		if kind.lower() == "basic":
			token = base64.b64decode(token).decode()
		elif kind.lower() != "token":
			return
		api_key, api_secret = token.split(":")
	except binascii.Error:
		frappe.throw(
			_("Failed to decode token, please provide a valid base64-encoded token."),
			frappe.InvalidAuthorizationToken,
		)
	except ValueError:
		# not of the shape key:secret, so nobody's key
		return
	validate_api_key_secret(api_key, api_secret, source)


def validate_api_key_secret(
	api_key: str, api_secret: str, frappe_authorization_source: str | None = None
) -> None:
	"""The key of a User, or of a document of another DocType that names its user."""
	doctype = frappe_authorization_source or "User"
	name = frappe.db.get_value(doctype, {"api_key": api_key}, "name")
	if not name or get_decrypted_password(doctype, name, "api_secret", raise_exception=False) != api_secret:
		raise frappe.AuthenticationError
	user = name if doctype == "User" else frappe.db.get_value(doctype, name, "user")
	form_dict = frappe.local.form_dict
	if frappe.local.login_manager.user in ("", "Guest"):
		frappe.set_user(user)
	frappe.local.form_dict = form_dict


def validate_auth_via_hooks() -> None:
	for hook in frappe.get_hooks("auth_hooks"):
		frappe.get_attr(hook)()
