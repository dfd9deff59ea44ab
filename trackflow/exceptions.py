"""Errors that TrackFlow raises itself; each maps to an HTTP status through Frappe's `http_status_code`."""

import frappe


class UnknownVisitorError(frappe.DoesNotExistError):
	"""A visitor id that no visitor has (404)."""


class StreamUnavailable(Exception):
	"""Redis cannot be reached, so the stream can neither be written nor read."""


class NotCaughtUp(frappe.ValidationError):
	"""What waits on the stream cannot be stored now, and must be first (503)."""

	http_status_code = 503
