"""Module of the probe app."""
