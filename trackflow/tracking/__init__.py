"""Visits: who came, from where, through which channel, and which hits belong together."""
