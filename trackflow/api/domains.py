"""What people need of the domains that they may read: the tags for a website's pages, and why nothing arrives from them."""

from typing import Any

import frappe

from trackflow.config import get_config
from trackflow.health import website
from trackflow.privacy import reads
from trackflow.tracking import script
from trackflow.validation import readable


@frappe.whitelist(methods=["GET"])
def get_script_tag(domain: str) -> dict[str, Any]:
	"""The HTML that each page of a website embeds once (COL-5): the script and, with its texts, the consent banner where consent is
	asked for (`has_banner`). `origin` is where both come from and events go, which a strict content security policy has to
	allow; `enabled` is whether the site takes what they send."""
	name = readable("Domain Configuration", domain).name
	config, origin = get_config(), frappe.utils.get_url().rstrip("/")
	own = config.domains[name]
	tags = script.website_tags(own, config, origin)
	return {
		"tag": "\n".join(tags),
		"has_banner": len(tags) > 1,
		"origin": origin,
		"enabled": config.enabled and own.enabled,
	}


@frappe.whitelist(methods=["GET"])
def check_website(domain: str) -> dict[str, Any]:
	"""What this site knows of a website's last hour, for who may read the settings: whether its script was asked for, what was refused
	and why, whether events are stored, and the newest of them. Nothing is fetched from the website."""
	frappe.has_permission("TrackFlow Settings", "read", throw=True)
	name = readable("Domain Configuration", domain).name
	reads.note("Visitor Event")
	return website.check(name)
