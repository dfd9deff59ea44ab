"""What the app is called inside Frappe."""

APP = "trackflow"
MODULE = "TrackFlow"
