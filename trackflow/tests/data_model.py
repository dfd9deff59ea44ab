"""What the data model must have, as plain data: fields by DocType, and columns that some index must begin with."""

# Fields of the schema document and of the specification.
FIELDS = {
	"Link Campaign": (
		"campaign_name campaign_id campaign_type status start_date end_date owner_user description source "
		"medium platform external_campaign_id external_adset_id external_ad_id budget currency "
		"expected_roi target_cpa target_roas tags total_clicks unique_visitors conversions revenue "
		"spend figures_notice conversion_rate cost_per_click cost_per_acquisition roi_percentage"
	),
	"Tracked Link": (
		"title short_code domain status target_url destination_url campaign campaign_id source medium "
		"content term additional_parameters starts_on expiry_date expired_url max_clicks password "
		"redirect_status forward_query ios_url android_url template tags variants rules qr_code "
		"click_count scan_count bot_count unique_visitor_count conversion_count revenue currency "
		"last_click created_by"
	),
	"Campaign Link Variant": "variant_name destination_url weight active clicks conversions",
	"Tracked Link Rule": ("condition_type condition_value query_parameter from_date to_date destination_url"),
	"Click Event": (
		"visitor_id session tracked_link variant short_code campaign domain event_type click_timestamp "
		"ip_address user_agent utm_source utm_medium utm_campaign utm_term utm_content page_url "
		"destination_url referrer event_data device_type browser os country region city is_bot bot_reason is_unique "
		"is_internal counted"
	),
	"Click Queue": (
		"kind reference visitor_id tracked_link click_timestamp ip_address user_agent utm_parameters "
		"referrer payload status attempts error_message processed_at"
	),
	"Visitor": (
		"visitor_id first_seen last_seen page_views ip_address user_agent source medium campaign term "
		"content referrer channel last_source last_medium last_campaign last_term last_content "
		"last_referrer last_channel first_touch_at last_touch_at has_converted conversion_count "
		"last_conversion_date engagement_score last_activity crm_lead contact_email contact_name "
		"consent_status consent_at consent_policy_version country is_bot is_internal is_cookieless erased_person"
	),
	"Visitor Session": (
		"visitor_id session_start session_end page_views event_count entry_page exit_page "
		"duration_seconds is_bounce source medium campaign term content channel platform referrer "
		"tracked_link link_campaign click_event domain gclid gbraid wbraid fbclid msclkid ttclid twclid "
		"li_fat_id sc_click_id campaign_region ad_group ad_id search_query device_type browser os country "
		"region city screen viewport is_internal"
	),
	"Visitor Event": (
		"visitor session tracked_link domain event_id event_type event_name timestamp received_at "
		"page_url page_title referrer value currency event_data form_data click_ref utm_source utm_medium "
		"utm_campaign utm_term utm_content click_ids device_type browser os country region city ip_address user_agent "
		"is_bot bot_reason is_internal"
	),
	"Touch Point": (
		"visitor_id session occurred_at channel platform source medium campaign link_campaign term "
		"content click_id_type click_id landing_url referrer tracked_link click_event domain is_direct"
	),
	"Conversion": (
		"visitor tracked_link conversion_type value currency conversion_date source_campaign "
		"source_medium source_source source_doctype source_name crm_lead crm_deal external_id "
		"lead_created_at deal_created_at attribution_status attributed_at attribution_data"
	),
	"Conversion Export": (
		"platform conversion_type action conversion_count from_date to_date exported_by exported_on file send_before "
		"skipped_count skipped"
	),
	"Conversion Export Row": "export platform place conversion conversion_date event_name visitor line",
	"Link Conversion": (
		"click_event tracked_link visitor_id conversion conversion_date conversion_type weight "
		"conversion_value currency attribution_data"
	),
	"Attribution Link": (
		"conversion touch_point attribution_model position touch_count weight credited_value currency "
		"channel campaign tracked_link visitor_id occurred_at conversion_date conversion_type"
	),
	"Attribution Model": (
		"model_name model_type description is_active is_default lookback_days count_direct "
		"position_based_first_weight position_based_last_weight time_decay_half_life_days base_model "
		"custom_rules channel_rules markov_order training_days minimum_conversions"
	),
	"Attribution Training": (
		"attribution_model version is_too_little from_date until_date terms path_count conversions non_conversions "
		"minimum_conversions markov_order conversion_probability channels channel_values"
	),
	"Attribution Channel Rule": "channel_name match_conditions priority weight",
	"Deal Attribution": (
		"deal_id attribution_model first_touch_campaign last_touch_campaign attribution_value currency "
		"touch_points calculation_date"
	),
	"Deal Link Association": "deal_id tracked_link association_type created_date attribution_weight",
	"Deal Stage Change": (
		"deal_id lead_id from_stage to_stage change_date changed_by campaign source medium notes"
	),
	"Lead Status Change": (
		"lead_id from_status to_status change_date changed_by source_campaign source_source source_medium"
	),
	"Daily Campaign Metric": (
		"date platform link_campaign external_campaign_id external_adset_id external_ad_id impressions "
		"clicks spend currency"
	),
	"Cost Import": (
		"file status format mapping columns platform currency decimal_mark day_order detected_format first_day last_day message "
		"new_count changed_count unchanged_count refused_count left_out_count imported_by imported_on undone_by undone_on report"
	),
	"Cost Import Row": "cost_import metric entered_by was became",
	"Cost Import Mapping": "mapping_name platform currency decimal_mark day_order columns",
	"Cost Import Column": "field header",
	"Daily Rollup": (
		"date grain platform campaign adset ad attribution_model impressions clicks spend conversions "
		"conversion_value currency cpa roas ctr cpc waste_spend waste_pct waste_reason severity explanation "
		"original_spend original_value other_conversions spend_without_rate value_without_rate"
	),
	"Daily Click Rollup": (
		"date domain tracked_link variant channel country device_type referrer_host clicks scans bots "
		"new_visitors sessions bounces visitor_sketch grain campaign campaign_name source page browser os "
		"prefetches blocked expired internal page_views visits seconds visitors breakdown"
	),
	"Rollup Day": "date about",
	"TrackFlow Exchange Rate": "date from_currency to_currency rate",
	"TrackFlow Settings": (
		"enable_tracking auto_generate_short_codes short_code_length default_shortlink_domain "
		"exclude_internal_traffic gdpr_compliance_enabled cookie_expires_days default_attribution_model "
		"attribution_window_days custom_attribution_settings cookie_consent_required cookie_consent_text "
		"privacy_policy_link cookie_policy_link anonymize_ip_addresses session_timeout_minutes "
		"honour_do_not_track add_click_id internal_ip_ranges trusted_proxies blocked_addresses "
		"reporting_currency counted_conversion_types valued_conversion_types"
	),
	"Internal IP Range": "ip_range description",
	"Domain Configuration": (
		"domain is_primary ssl_enabled enabled public_key project privacy_level consent_required "
		"consent_default collect_address hash_address allowed_origins not_found_url custom_css "
		"tracking_settings headers"
	),
	"Domain Header Configuration": "header_name header_value",
	"TrackFlow API Key": (
		"key_name user api_key secret_hash is_active expires_on created_date last_used usage_count scopes "
		"ip_whitelist webhook_events"
	),
	"API Key Permission": "permission_type permission_data",
	"API Key IP Whitelist": "ip_address description",
	"API Key Webhook Event": "event_type webhook_url is_active",
	"API Request Log": (
		"api_key endpoint method request_time response_code request_data response_data ip_address"
	),
	"Webhook Delivery": "event_type webhook_url attempts status response_excerpt",
	"Link Template": "template_name url_template description is_active variables",
	"Template Variable": "variable_name variable_type default_value description validation_rules",
	"Email Campaign Log": (
		"mailing campaign email_template recipient reference_doctype reference_name sent_date status opened_date opens "
		"clicked_date clicks bounced_date unsubscribed_date is_scanner is_unsure tracked_link email_queue error_message traces"
	),
	"Campaign Mailing": (
		"title campaign email_template status message send_after recipients_from email_group filters email_account sender_name "
		"reply_to tracking domain source medium links recipient_count waiting_count sent_count delivered_count skipped_count "
		"failed_count bounced_count unsubscribed_count opened_count unsure_count open_count clicked_count click_count scanner_count sent_by "
		"started_on finished_on cursor is_gathered is_stale anonymous_opens"
	),
	"Campaign Mailing Link": "address tracked_link",
	"Archive File": "status document_type from_time until_time row_count archived_on size_bytes sha256 places",
	"TrackFlow Erasure": "status reference row_count requested_by started_on finished_on rows_erased work",
	"Waste Acknowledgement": "grain platform campaign adset ad reason until amount currency note",
	"CRM Sync Field": "source remote_field",
	"CRM Sync Log": "status attempts idempotency_key remote_id reason",
}

# The indexes of the seeds and the look-ups of the hot paths.
LOOK_UPS = {
	"Click Event": [
		"visitor_id click_timestamp",
		"tracked_link click_timestamp",
		"campaign click_timestamp",
		"session",
	],
	"Visitor": [
		"crm_lead",
		"contact_email",
		"erased_person",
	],
	"Visitor Session": [
		"visitor_id session_start",
		"session_start",
	],
	"Visitor Event": [
		"visitor timestamp",
		"session",
	],
	"Touch Point": [
		"visitor_id occurred_at",
		"session",
		"link_campaign occurred_at",
	],
	"Conversion": [
		"visitor conversion_date",
		"conversion_date",
		"source_doctype source_name",
		"crm_lead",
		"crm_deal",
	],
	"Conversion Export Row": [
		"export place",
		"conversion",
		"visitor",
	],
	"Attribution Link": [
		"conversion",
		"touch_point",
		"attribution_model conversion_date",
		"campaign",
		"tracked_link",
	],
	"Attribution Training": [
		"attribution_model until_date",
	],
	"Deal Attribution": [
		"deal_id",
	],
	"Tracked Link": [
		"campaign",
	],
	"API Request Log": [
		"api_key request_time",
	],
	"Daily Campaign Metric": [
		"date platform",
		"link_campaign date",
		"external_campaign_id date",
	],
	"Cost Import Row": [
		"cost_import name",
		"creation name",
	],
	"Rollup Day": [
		"date",
	],
	"Daily Click Rollup": [
		"date",
		"grain date",
		"tracked_link date",
		"campaign date",
	],
	"Daily Rollup": [
		"date grain",
		"platform date",
		"campaign date",
		"attribution_model date",
		"grain attribution_model date",
		"grain attribution_model campaign date",
	],
}
