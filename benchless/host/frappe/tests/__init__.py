"""Frappe's test API, the part that the apps' tests use."""
