"""Waste: spend that brought nothing, or less than it should have, with reasons."""
