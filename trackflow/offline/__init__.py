"""Offline conversions: what Google Ads, Meta and LinkedIn are told of, as files in their formats (ATT-8)."""
