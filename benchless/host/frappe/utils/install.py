"""Records that every site starts with: roles, users, settings, a dozen currencies."""

import frappe

ROLES = ("Administrator", "System Manager", "Guest", "All", "Desk User", "Website Manager", "Report Manager")
WITHOUT_DESK = ("Guest", "All")
# code, symbol, name of the fraction, units of it
CURRENCIES = (
	("AED", "د.إ", "Fils", 100),
	("AUD", "$", "Cent", 100),
	("BRL", "R$", "Centavo", 100),
	("CAD", "$", "Cent", 100),
	("CHF", "Fr", "Rappen", 100),
	("CNY", "¥", "Fen", 100),
	("EUR", "€", "Cent", 100),
	("GBP", "£", "Penny", 100),
	("INR", "₹", "Paisa", 100),
	("JPY", "¥", "Sen", 100),
	("KWD", "د.ك", "Fils", 1000),
	("PLN", "zł", "Grosz", 100),
	("SEK", "kr", "Öre", 100),
	("SGD", "$", "Cent", 100),
	("USD", "$", "Cent", 100),
	("ZAR", "R", "Cent", 100),
)


def make_records(admin_password: str | None) -> None:
	for role in ROLES:
		_insert("Role", role, role_name=role, desk_access=int(role not in WITHOUT_DESK))
	for name, email, kind in (
		("Administrator", "admin@example.com", "System User"),
		("Guest", "guest@example.com", "Website User"),
	):
		_insert("User", name, first_name=name, email=email, user_type=kind, enabled=1)
	admin = frappe.get_doc("User", "Administrator")
	admin.add_roles("System Manager")
	if admin_password:
		from frappe.utils.password import update_password

		update_password("Administrator", admin_password)
	for code, symbol, fraction, units in CURRENCIES:
		_insert(
			"Currency",
			code,
			currency_name=code,
			symbol=symbol,
			fraction=fraction,
			fraction_units=units,
			enabled=1,
		)


def _insert(doctype: str, name: str, **values: object) -> None:
	if not frappe.db.exists(doctype, name):
		frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)
