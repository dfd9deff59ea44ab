"""The 404 page shows who is logged in, so it is not cached."""

no_cache = 1
