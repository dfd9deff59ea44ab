"""The platforms, by name. Pure."""

from trackflow.offline.google import GOOGLE
from trackflow.offline.linkedin import LINKEDIN
from trackflow.offline.meta import META
from trackflow.offline.shapes import Platform

PLATFORMS = {platform.name: platform for platform in (GOOGLE, META, LINKEDIN)}
_SHORT = {"google": GOOGLE, "googleads": GOOGLE, "meta": META, "facebook": META, "linkedin": LINKEDIN}


def named(text: str) -> Platform | None:
	"""The platform of this name, however it is spelt: google, Google Ads, google-ads."""
	return _SHORT.get("".join(filter(str.isalnum, text.lower())))
