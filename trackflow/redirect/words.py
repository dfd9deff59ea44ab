"""The texts of a short link's pages in a visitor's language."""

import frappe
from frappe import _

from trackflow.redirect.page import Words


def words(language: str = "") -> Words:
	"""The texts in `language`, by default the request's."""
	language = language or frappe.local.lang or "en"
	return Words(
		language,
		{
			"not_found": (
				_("There is nothing here", language),
				_("This link does not exist. Please check it for typing errors.", language),
			),
			"gone": (
				_("This link has ended", language),
				_("Whoever shared it can tell you where to go now.", language),
			),
			"unavailable": (
				_("Please try again", language),
				_("This link cannot be opened right now.", language),
			),
			"password": (
				_("This link needs a password", language),
				_("Whoever shared it has told you the password.", language),
			),
			"wrong_password": (
				_("This link needs a password", language),
				_("That was not the password. Please try again.", language),
			),
			"locked": (
				_("Too many attempts", language),
				_("Please wait a quarter of an hour, then open the link again.", language),
			),
		},
		label=_("Password", language),
		button=_("Continue", language),
	)
