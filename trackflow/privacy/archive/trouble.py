"""What keeps the archive from its work: said once, remembered until it works again (RET-1)."""

import frappe

KEY = "trackflow_archive_trouble"


def note(message: str) -> None:
	"""Remember it; a row in the Error Log where it is not what was said before. Ends the transaction."""
	frappe.db.rollback()
	if current() != message:
		frappe.log_error(title="TrackFlow: nothing is archived, nor deleted", message=message)
		frappe.db.set_global(KEY, message)
	frappe.db.commit()


def clear() -> None:
	"""It works again. Ends the transaction."""
	if current():
		frappe.db.set_global(KEY, None)
		frappe.db.commit()


def current() -> str:
	"""Past the cache, which may be of before another's commit."""
	return frappe.db.get_value("DefaultValue", {"defkey": KEY, "parent": "__global"}, "defvalue") or ""
