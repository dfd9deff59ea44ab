"""Tracked links: short codes, destinations, and what is made from them."""
