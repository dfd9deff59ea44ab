"""What TrackFlow adds to the screens of Frappe CRM, without touching a file of it (CRM-6)."""
