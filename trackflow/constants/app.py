"""What the app is called inside Frappe."""

APP = "trackflow"
MODULE = "TrackFlow"
# The desk's page of it, a standard record.
WORKSPACE = "TrackFlow"
