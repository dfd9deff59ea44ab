"""The error page; its status and texts come from the exception."""

no_cache = 1
