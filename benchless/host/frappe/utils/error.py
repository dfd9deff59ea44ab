"""What becomes of an exception that nobody expected: an entry in the Error Log, and never a second exception."""

import logging

import frappe

# Everyday refusals, not errors of the program.
EXCLUDED = (frappe.AuthenticationError, frappe.CSRFTokenError, frappe.SecurityException)
logger = logging.getLogger("frappe")


def log_error_snapshot(exception: Exception) -> None:
	if isinstance(exception, EXCLUDED) or not frappe.db:
		return
	logger.error("New Exception collected in error log", exc_info=exception)
	try:
		frappe.db.rollback()
		frappe.log_error(title=str(exception)[:140] or type(exception).__name__)
		frappe.db.commit()
	except Exception:
		logger.exception("Failed to take error snapshot")
