"""Webhooks: what happens here, told to addresses of API keys (WHK-1)."""
