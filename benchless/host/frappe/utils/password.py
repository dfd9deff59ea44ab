"""Passwords: hashes to check a login, and encrypted values of Password fields, both in the table `__Auth`."""

from cryptography.fernet import Fernet, InvalidToken
from passlib.context import CryptContext

import frappe
from frappe import _
from frappe.query_builder import Table
from frappe.query_builder.terms import Values
from frappe.utils import cstr, encode

Auth = Table("__Auth")
passlibctx = CryptContext(schemes=["pbkdf2_sha256"])


def _row(doctype: str, name: str, fieldname: str, encrypted: int) -> object:
	return (
		(Auth.doctype == doctype)
		& (Auth.name == name)
		& (Auth.fieldname == fieldname)
		& (Auth.encrypted == encrypted)
	)


def _store(doctype: str, name: str, fieldname: str, value: str, encrypted: int) -> None:
	(
		frappe.qb.into(Auth)
		.columns(Auth.doctype, Auth.name, Auth.fieldname, Auth.password, Auth.encrypted)
		.insert(doctype, name, fieldname, value, encrypted)
		.on_duplicate_key_update(Auth.password, Values(Auth.password))
		.on_duplicate_key_update(Auth.encrypted, Values(Auth.encrypted))
		.run()
	)


def get_decrypted_password(
	doctype: str, name: str, fieldname: str = "password", raise_exception: bool = True
) -> str | None:
	rows = frappe.qb.from_(Auth).select(Auth.password).where(_row(doctype, name, fieldname, 1)).limit(1).run()
	if rows and rows[0][0]:
		return decrypt(rows[0][0], key=f"{doctype}.{name}.{fieldname}")
	if raise_exception:
		frappe.throw(
			_("Password not found for {0} {1} {2}").format(doctype, name, fieldname),
			frappe.AuthenticationError,
		)
	return None


def set_encrypted_password(doctype: str, name: str, pwd: str, fieldname: str = "password") -> None:
	_store(doctype, name, fieldname, encrypt(pwd), 1)


def remove_encrypted_password(doctype: str, name: str, fieldname: str = "password") -> None:
	frappe.db.delete("__Auth", {"doctype": doctype, "name": name, "fieldname": fieldname})


def check_password(
	user: str,
	pwd: str,
	doctype: str = "User",
	fieldname: str = "password",
	delete_tracker_cache: bool = True,
) -> str:
	"""The user's name as stored, or AuthenticationError."""
	rows = (
		frappe.qb.from_(Auth)
		.select(Auth.name, Auth.password)
		.where(_row(doctype, user, fieldname, 0))
		.limit(1)
		.run(as_dict=True)
	)
	if not rows or not passlibctx.verify(pwd, rows[0].password):
		raise frappe.AuthenticationError(_("Incorrect User or Password"))
	user = rows[0].name
	if delete_tracker_cache:
		delete_login_failed_cache(user)
	if passlibctx.needs_update(rows[0].password):
		update_password(user, pwd, doctype, fieldname)
	return user


def delete_login_failed_cache(user: str) -> None:
	for name in ("last_login_tried", "login_failed_count", "locked_account_time"):
		frappe.cache.hdel(name, user)


def update_password(
	user: str,
	pwd: str,
	doctype: str = "User",
	fieldname: str = "password",
	logout_all_sessions: bool = False,
) -> None:
	_store(doctype, user, fieldname, passlibctx.hash(pwd), 0)
	if logout_all_sessions:
		from frappe.sessions import clear_sessions

		clear_sessions(user=user, keep_current=True, force=True)


def delete_all_passwords_for(doctype: str, name: str) -> None:
	frappe.db.delete("__Auth", {"doctype": doctype, "name": name})


def rename_password(doctype: str, old_name: str, new_name: str) -> None:
	frappe.qb.update(Auth).set(Auth.name, new_name).where(
		(Auth.doctype == doctype) & (Auth.name == old_name)
	).run()


def create_auth_table() -> None:
	frappe.db.create_auth_table()


def _cipher(encryption_key: str | None) -> Fernet:
	try:
		return Fernet(encode(encryption_key or get_encryption_key()))
	except ValueError:
		frappe.throw(_("Encryption key is in invalid format!"))


def encrypt(txt: str, encryption_key: str | None = None) -> str:
	return cstr(_cipher(encryption_key).encrypt(encode(txt)))


def decrypt(txt: str, encryption_key: str | None = None, key: str | None = None) -> str:
	try:
		return cstr(_cipher(encryption_key).decrypt(encode(txt)))
	except InvalidToken:
		about = f"{_('Failed to decrypt key {0}').format(key)}<br><br>" if key else ""
		frappe.throw(about + _("Encryption key is invalid! Please check site_config.json"))


def get_encryption_key() -> str:
	"""The site's key, made when first needed."""
	if not frappe.local.conf.encryption_key:
		from frappe.installer import update_site_config

		frappe.local.conf.encryption_key = Fernet.generate_key().decode()
		update_site_config("encryption_key", frappe.local.conf.encryption_key)
	return frappe.local.conf.encryption_key
