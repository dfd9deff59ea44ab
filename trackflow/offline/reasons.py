"""Why a conversion is not sent: a word for programs, and words for people. Pure."""

EXPORTED = "exported"
IN_THE_FUTURE = "in_the_future"
TOO_OLD = "too_old"
NOBODY = "nobody"
ERASED = "erased"
GUARDED = "hipaa"
ROBOT = "robot"
INTERNAL = "internal"
REFUSED = "refused"
NO_CONSENT = "no_consent"
NO_CLICK = "no_click"
NO_IDENTIFIER = "no_identifier"
MALFORMED_CLICK = "malformed_click_id"
CLICK_TOO_OLD = "click_too_old"
CLICK_TOO_RECENT = "click_too_recent"
BAD_NAME = "bad_name"
BAD_VALUE = "bad_value"
NO_CURRENCY = "no_currency"
NO_VALUE = "no_value"
NO_PAGE = "no_page_or_user_agent"
NEXT_FILE = "next_file"

WORDS = {
	EXPORTED: "Already exported to this platform",
	IN_THE_FUTURE: "In the future",
	TOO_OLD: "Older than the platform takes",
	NOBODY: "No visitor is known",
	ERASED: "The person was erased",
	GUARDED: "The person was on a domain of the level HIPAA",
	ROBOT: "A robot",
	INTERNAL: "Internal traffic",
	REFUSED: "The person refused or withdrew consent",
	NO_CONSENT: "No consent is stored",
	NO_CLICK: "No click id of the platform within 90 days before",
	NO_IDENTIFIER: "Neither a click id of the platform within 90 days before, nor an e-mail address",
	MALFORMED_CLICK: "The click id cannot be one",
	CLICK_TOO_OLD: "The click is more than 90 days ago",
	CLICK_TOO_RECENT: "The click is less than 6 hours ago: a later export takes it",
	BAD_NAME: "The platform takes no such conversion name",
	BAD_VALUE: "The value is negative",
	NO_CURRENCY: "The value has no currency of three letters",
	NO_VALUE: "The platform wants a value with a purchase",
	NO_PAGE: "The website told no page or no user agent",
	NEXT_FILE: "More than one file holds: the next export takes them",
}
