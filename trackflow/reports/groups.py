"""How reports tell groups apart, by campaign, source or medium. Pure."""

# Groups that are shown by name; the smaller ones are put together, under OTHERS.
MOST_GROUPS = 50
OTHERS = None


def folded(name: str) -> str:
	"""A group's name as the database compares it: names that differ in case alone are one group."""
	return name.strip().casefold()
