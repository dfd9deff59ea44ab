"""The roles that TrackFlow brings (ROL-P); System Manager is Frappe's own."""

TRACKFLOW_MANAGER = "TrackFlow Manager"
CAMPAIGN_MANAGER = "Campaign Manager"

ROLES = (TRACKFLOW_MANAGER, CAMPAIGN_MANAGER)
