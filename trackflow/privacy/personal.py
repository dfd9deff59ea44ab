"""What is personal in each of TrackFlow's tables, and what erasure does to it (CRM-8). Pure: one table, walked by export and
erasure.

Every DocType stands in TABLES or in NOT_PERSONAL, and every field of those in TABLES is a reference, emptied or kept; tests
hold both to it. A row stays where a total rests on it, and then tells of nobody; elsewhere it is deleted.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

VISITOR, EMAIL, LEAD, DEAL, CONVERSION = "visitor", "email", "lead", "deal", "conversion"
# Names the visitor too, but rows are found by their conversion.
BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class Table:
	"""A DocType with personal data.

	`found_by` says what its rows refer to, by field; `mentions` are texts that may name somebody (an address or a visitor
	id). `empties` are fields that erasure empties, `keeps` those on which totals rest. `goes`: rows are deleted. `staff` tells of
	those who work with the data, not of whom it is about: it is not exported. `internal` is of use to no one outside.
	"""

	doctype: str
	what: str
	found_by: tuple[tuple[str, str], ...] = ()
	mentions: tuple[str, ...] = ()
	empties: tuple[str, ...] = ()
	keeps: tuple[str, ...] = ()
	staff: tuple[str, ...] = ()
	internal: tuple[str, ...] = ()
	goes: bool = False

	def field_of(self, kind: str) -> str:
		"""The field that refers to a `kind`; "" for none."""
		return next((field for one, field in self.found_by if one == kind), "")


def _fields(text: str) -> tuple[str, ...]:
	return tuple(text.split())


TABLES = (
	Table(
		"Visitor",
		"A browser, and what is known of who uses it.",
		found_by=((VISITOR, "visitor_id"), (EMAIL, "contact_email"), (LEAD, "crm_lead")),
		empties=_fields(
			"contact_name referrer term content last_referrer last_term last_content consent_at ip_address user_agent"
		),
		keeps=_fields(
			"first_seen last_seen last_activity country is_bot is_internal is_cookieless page_views engagement_score "
			"has_converted conversion_count last_conversion_date first_touch_at channel source medium campaign last_touch_at "
			"last_channel last_source last_medium last_campaign consent_status consent_policy_version"
		),
		internal=("erased_person",),
	),
	Table(
		"Click Event",
		"A click on a short link.",
		found_by=((VISITOR, "visitor_id"),),
		# The referrer is cut to its website: figures of links count by it.
		empties=_fields(
			"page_url destination_url utm_term utm_content region city ip_address user_agent event_data"
		),
		keeps=_fields(
			"click_timestamp event_type tracked_link short_code variant campaign session landing_event counted is_unique is_bot "
			"bot_reason is_internal domain referrer utm_source utm_medium utm_campaign device_type browser os country"
		),
	),
	Table(
		"Visitor Event",
		"Something that a website told: a page view, a form, an event, a conversion.",
		found_by=((VISITOR, "visitor"),),
		empties=_fields(
			"event_id page_url page_title referrer click_ref utm_term utm_content click_ids event_data form_data region city "
			"screen viewport ip_address user_agent"
		),
		keeps=_fields(
			"timestamp event_type event_name value currency session counted tracked_link domain received_at utm_source "
			"utm_medium utm_campaign device_type browser os country is_bot bot_reason is_internal"
		),
	),
	Table(
		"Visitor Session",
		"A visit, worked out from clicks and events.",
		found_by=((VISITOR, "visitor_id"),),
		empties=_fields(
			"entry_page exit_page term content referrer gclid gbraid wbraid fbclid msclkid ttclid twclid li_fat_id sc_click_id "
			"search_query screen viewport region city"
		),
		keeps=_fields(
			"session_start session_end duration_seconds is_bounce is_internal page_views event_count domain channel platform "
			"source medium campaign tracked_link link_campaign click_event campaign_region ad_group ad_id device_type browser "
			"os country"
		),
	),
	Table(
		"Touch Point",
		"A marketing touch, worked out from a visit.",
		found_by=((VISITOR, "visitor_id"),),
		empties=_fields("term content landing_url referrer click_id"),
		keeps=_fields(
			"occurred_at session channel platform is_direct source medium campaign link_campaign tracked_link click_event domain "
			"click_id_type"
		),
	),
	Table(
		"Conversion",
		"Something that counts: a lead, a won deal, a purchase.",
		found_by=((VISITOR, "visitor"), (LEAD, "crm_lead"), (DEAL, "crm_deal")),
		# What it stands for names a lead, a deal or an order.
		empties=_fields("external_id source_doctype source_name attribution_data"),
		keeps=_fields(
			"conversion_type conversion_date value currency tracked_link lead_created_at deal_created_at source_source "
			"source_medium source_campaign attribution_status attributed_at"
		),
	),
	Table(
		"Attribution Link",
		"The credit that a touch has for a conversion, by model.",
		found_by=((CONVERSION, "conversion"), (BESIDE, "visitor_id")),
		keeps=_fields(
			"touch_point attribution_model position touch_count weight credited_value currency channel campaign tracked_link "
			"occurred_at conversion_date conversion_type"
		),
	),
	Table(
		"Link Conversion",
		"A conversion credited to a click.",
		found_by=((CONVERSION, "conversion"), (BESIDE, "visitor_id")),
		empties=("attribution_data",),
		keeps=_fields(
			"tracked_link click_event conversion_date conversion_type weight conversion_value currency"
		),
	),
	Table(
		"Conversion Export Row",
		"A conversion that an advertising platform was told of, and how.",
		found_by=((VISITOR, "visitor"), (CONVERSION, "conversion")),
		empties=("line",),
		keeps=_fields("export platform place conversion_date event_name"),
	),
	Table(
		"Deal Attribution",
		"What a won deal is credited to, by model.",
		found_by=((DEAL, "deal_id"),),
		keeps=_fields(
			"attribution_model calculation_date first_touch_campaign last_touch_campaign attribution_value currency touch_points"
		),
	),
	Table(
		"Deal Link Association",
		"A short link that took part in a won deal.",
		found_by=((DEAL, "deal_id"),),
		keeps=_fields("tracked_link association_type created_date attribution_weight"),
	),
	Table(
		"Deal Stage Change",
		"A step of a deal.",
		found_by=((DEAL, "deal_id"), (LEAD, "lead_id")),
		empties=("notes",),
		keeps=_fields("from_stage to_stage change_date campaign source medium"),
		staff=("changed_by",),
	),
	Table(
		"Lead Status Change",
		"A step of a lead.",
		found_by=((LEAD, "lead_id"),),
		keeps=_fields("from_status to_status change_date source_campaign source_source source_medium"),
		staff=("changed_by",),
	),
	Table(
		"Email Campaign Log",
		"A mail of a campaign, and what became of it.",
		found_by=((EMAIL, "recipient"), (LEAD, "reference_name")),
		empties=_fields("reference_doctype message_id error_message traces email_queue"),
		keeps=_fields(
			"mailing campaign email_template tracked_link status sent_date opened_date opens clicked_date clicks bounced_date "
			"unsubscribed_date is_scanner is_unsure"
		),
	),
	Table(
		"Click Queue",
		"A click or event that could not be stored at once.",
		found_by=((VISITOR, "visitor_id"),),
		mentions=("payload", "error_message"),
		keeps=_fields(
			"kind reference status attempts next_attempt_at processed_at tracked_link click_timestamp ip_address user_agent "
			"referrer utm_parameters"
		),
		goes=True,
	),
	Table(
		"CRM Sync Log",
		"A form on its way to another CRM.",
		found_by=((VISITOR, "visitor"), (EMAIL, "email")),
		mentions=("payload", "error_message"),
		keeps=_fields(
			"provider status reason visitor_event remote_id idempotency_key due_at synced_at attempts first_name last_name"
		),
		internal=("claim",),
		goes=True,
	),
	Table(
		"API Request Log",
		"A request of a program.",
		mentions=("endpoint", "request_data", "response_data"),
		empties=("ip_address",),
		keeps=_fields("request_time method response_code duration_ms"),
		internal=("api_key",),
	),
	Table(
		"Webhook Delivery",
		"A message to a program.",
		mentions=("payload", "response_excerpt", "error_message"),
		keeps=_fields("event_type item_count status attempts next_attempt_at delivered_at response_code"),
		internal=_fields("api_key webhook webhook_url"),
		goes=True,
	),
)
BY_DOCTYPE = {table.doctype: table for table in TABLES}

# Of Frappe's own: what was deleted by hand is kept there, whole.
DELETED = Table(
	"Deleted Document",
	"A record of TrackFlow's that was deleted by hand.",
	mentions=("data",),
	keeps=("deleted_name", "deleted_doctype"),
	goes=True,
)

_CONFIGURATION = (
	"what people set up; of people it names those who work with it, whom Frappe's own requests rename"
)
_SUMS = "sums over many, without anybody's id"
# Why the others hold nothing of data subjects.
NOT_PERSONAL = {
	"Archive File": "which files there are; what is archived is nobody's any more",
	"API Key IP Whitelist": _CONFIGURATION,
	"API Key Permission": _CONFIGURATION,
	"API Key Webhook Event": _CONFIGURATION,
	"Attribution Channel Rule": _CONFIGURATION,
	"Attribution Model": _CONFIGURATION,
	"Attribution Training": _SUMS,
	"Campaign Link Variant": _CONFIGURATION,
	"CRM Sync Field": _CONFIGURATION,
	"Campaign Mailing": _CONFIGURATION,
	"Campaign Mailing Link": _CONFIGURATION,
	"Conversion Export": f"{_CONFIGURATION}, how many, and a file of its rows, which follows them",
	"Cost Import": "files of platforms with sums over many, who brought them and when",
	"Cost Import Column": _CONFIGURATION,
	"Cost Import Mapping": _CONFIGURATION,
	"Cost Import Row": _SUMS,
	"Daily Campaign Metric": _SUMS,
	"Daily Click Rollup": f"{_SUMS}; an erasure has the person's days summed up again, as its sketch is of hashes of ids, and pages are named",
	"Daily Rollup": _SUMS,
	"Domain Configuration": _CONFIGURATION,
	"Domain Header Configuration": _CONFIGURATION,
	"Internal IP Range": _CONFIGURATION,
	"Link Campaign": _CONFIGURATION,
	"Link Template": _CONFIGURATION,
	"Rollup Day": "days, and nothing else",
	"Template Variable": _CONFIGURATION,
	"Tracked Link": _CONFIGURATION,
	"Tracked Link Rule": _CONFIGURATION,
	"TrackFlow API Key": _CONFIGURATION,
	"TrackFlow Erasure": "who erased, when and how much; whom it was about is in it only until it is done",
	"TrackFlow Exchange Rate": _SUMS,
	"TrackFlow Settings": _CONFIGURATION,
	"Waste Acknowledgement": _CONFIGURATION,
}


def names_any(text: str | None, words: Collection[str]) -> bool:
	"""Whether the text names one of these addresses or ids, as a word of its own: ann@b.example is not joann@b.example."""
	if not text or not words:
		return False
	some = "|".join(map(re.escape, sorted(words)))
	return re.search(rf"(?<![\w.+-])(?:{some})(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def website_of(referrer: str) -> str:
	"""The website of an address, without path, parameters and whoever stands before the host; "" for no address."""
	try:
		parts = urlsplit(referrer)
		host = parts.hostname or ""
	except ValueError:
		return ""
	return f"{parts.scheme}://{host}/" if host and parts.scheme else ""
