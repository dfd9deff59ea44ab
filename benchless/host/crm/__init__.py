"""A minimal stand-in for Frappe CRM: its documents, field names and lead to deal conversion, nothing of its screens.

Written anew for benchless, so that what TrackFlow does with leads and deals can be tried and tested without CRM.
"""

__version__ = "1.56.4"
