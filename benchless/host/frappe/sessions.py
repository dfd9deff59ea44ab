"""Sessions of logged-in people: a row of the table Sessions, found by the cookie `sid`, extended while it is used.

Guests share one session that is nowhere stored. Each session has a CSRF token once somebody asked for it.
"""

import json
from typing import Any
from urllib.parse import unquote

import frappe
from frappe import _
from frappe.translate import get_user_lang
from frappe.utils import add_to_date, cint, cstr, now, time_diff_in_seconds

DEFAULT_EXPIRY = "240:00:00"
EXTEND_AFTER_SECONDS = 600


def ensure_table() -> None:
	"""Make the table of sessions; it belongs to no DocType. Part of making and migrating a site."""
	frappe.db._create_system_table(
		"tabSessions",
		"`sid` varchar(140) primary key, `user` varchar(140), `sessiondata` longtext, `ipaddress` varchar(45), "
		"`lastupdate` datetime(6), `status` varchar(20)",
	)


def get_csrf_token() -> str:
	if not frappe.local.session.data.csrf_token:
		generate_csrf_token()
	return frappe.local.session.data.csrf_token


def generate_csrf_token() -> None:
	frappe.local.session.data.csrf_token = frappe.generate_hash()
	if not frappe.flags.in_test and getattr(frappe.local, "session_obj", None):
		frappe.local.session_obj.update(force=True)


def clear_sessions(user: str | None = None, keep_current: bool = False, force: bool = False) -> None:
	"""End the user's sessions."""
	Sessions = frappe.qb.DocType("Sessions")
	query = (
		frappe.qb.from_(Sessions).select(Sessions.sid).where(Sessions.user == (user or frappe.session.user))
	)
	if keep_current:
		query = query.where(Sessions.sid != frappe.session.sid)
	for (sid,) in query.run():
		delete_session(sid)


def delete_session(sid: str | None = None, user: str | None = None, reason: str = "Session Expired") -> None:
	Sessions = frappe.qb.DocType("Sessions")
	frappe.qb.from_(Sessions).delete().where(Sessions.sid == sid).run()
	frappe.db.commit()


def clear_expired_sessions() -> None:
	Sessions = frappe.qb.DocType("Sessions")
	frappe.qb.from_(Sessions).delete().where(Sessions.lastupdate < get_expired_threshold()).run()


class Session:
	"""The session of this request; `resume` finds it, otherwise a new one is started for `user`."""

	def __init__(
		self,
		user: str | None,
		resume: bool = False,
		full_name: str | None = None,
		user_type: str | None = None,
	):
		self.sid = cstr(frappe.form_dict.get("sid") or unquote(frappe.request.cookies.get("sid", "Guest")))
		self.user, self.full_name, self.user_type = user, full_name, user_type
		self.last_updated: str | None = None
		self.data = frappe._dict({"data": frappe._dict()})
		frappe.local.session = self.data
		if resume:
			self.resume()
		elif self.user:
			self.validate_user()
			self.start()

	def validate_user(self) -> None:
		if self.user != "Guest" and not frappe.get_cached_value("User", self.user, "enabled"):
			frappe.throw(
				_("User {0} is disabled. Please contact your System Manager.").format(self.user),
				frappe.ValidationError,
			)

	def start(self) -> None:
		self.sid = self.data.sid = "Guest" if self.user == "Guest" else frappe.generate_hash()
		self.data.user = self.data.data.user = self.user
		self.data.data.session_ip = frappe.local.request_ip
		if self.user == "Guest":
			return
		self.data.data.update(
			last_updated=now(),
			session_expiry=get_expiry_period(),
			full_name=self.full_name,
			user_type=self.user_type,
		)
		Sessions = frappe.qb.DocType("Sessions")
		frappe.qb.into(Sessions).columns(
			"sid", "user", "sessiondata", "ipaddress", "lastupdate", "status"
		).insert(
			self.sid, self.user, self.serialise(), cstr(frappe.local.request_ip)[:45], now(), "Active"
		).run()
		frappe.db.set_value(
			"User",
			self.user,
			{"last_login": now(), "last_ip": frappe.local.request_ip, "last_active": now()},
			update_modified=False,
		)
		frappe.db.commit()

	def resume(self) -> None:
		stored = self.find() if self.sid != "Guest" else None
		if stored:
			self.data.update({"data": stored, "user": stored.user, "sid": self.sid})
			self.user = stored.user
			self.validate_user()
			frappe.local.lang = get_user_lang(self.user)
			return
		if self.sid != "Guest":
			from frappe.auth import clear_cookies

			frappe.response["session_expired"] = 1
			clear_cookies()
		self.user = "Guest"
		self.start()

	def find(self) -> frappe._dict | None:
		"""The stored session that belongs to the cookie; one that has expired is deleted."""
		Sessions = frappe.qb.DocType("Sessions")
		rows = (
			frappe.qb.from_(Sessions)
			.select(Sessions.user, Sessions.sessiondata, Sessions.lastupdate)
			.where((Sessions.sid == self.sid) & (Sessions.lastupdate > get_expired_threshold()))
			.run()
		)
		if not rows:
			delete_session(self.sid)
			return None
		user, data, self.last_updated = rows[0]
		return frappe._dict(json.loads(data or "{}"), user=user)

	def serialise(self) -> str:
		return json.dumps(self.data["data"], default=str)

	def update(self, force: bool = False) -> bool:
		"""Extend the session, at most every ten minutes; answers whether it wrote (and committed)."""
		if frappe.session.user == "Guest" or self.data.sid in (None, "", "Guest"):
			return False
		if not force and (
			self.last_updated is None
			or time_diff_in_seconds(now(), self.last_updated) <= EXTEND_AFTER_SECONDS
		):
			return False
		self.data.data.last_updated = now()
		Sessions = frappe.qb.DocType("Sessions")
		frappe.qb.update(Sessions).set(Sessions.sessiondata, self.serialise()).set(
			Sessions.lastupdate, now()
		).where(Sessions.sid == self.data.sid).run()
		frappe.db.commit()
		return True


def get_expiry_period() -> str:
	period = frappe.get_system_settings("session_expiry") or DEFAULT_EXPIRY
	return period if period.count(":") == 2 else f"{period}:00"


def get_expiry_in_seconds(expiry: str | None = None) -> int:
	hours, minutes, seconds = (cint(part) for part in (expiry or get_expiry_period()).split(":"))
	return hours * 3600 + minutes * 60 + seconds


def get_expired_threshold() -> Any:
	"""Sessions last used before this have expired."""
	return add_to_date(now(), seconds=-get_expiry_in_seconds(), as_string=True)
