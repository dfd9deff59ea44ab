"""What a web worker knows of links and settings, so that a click costs one round trip to Redis.

Good as long as the site is in the state in which it was read (`changes.state`): the click's own record compares them, in the
same step that writes it, and is not written where they differ or Redis is away. So nobody is answered by what has changed, but
for the minute at most after a change that could not be told.
"""

import time
from typing import NamedTuple

import frappe

from trackflow.policy import Config
from trackflow.recent import Recent
from trackflow.redirect.decision import Link

MOST_LINKS = 4096
# A change that could not be told is seen after this long.
FRESH_SECONDS = 60


class Memory(NamedTuple):
	"""A link and the settings, as they were in that state of the site."""

	link: Link
	config: Config
	state: str


_by_site: dict[str, Recent[Memory]] = {}


def recall(code: str) -> Memory | None:
	"""What is known of a normalised code."""
	remembered = _by_site.get(frappe.local.site)
	entry = remembered.get(code) if remembered else None
	return entry.value if entry and time.time() - entry.read_at < FRESH_SECONDS else None


def keep(code: str, link: Link | None, config: Config, state: str | None) -> None:
	"""Keep what was read after `state` was asked for (None: it could not be). Links that ask Redis for each visit, for a click
	limit or a password, are read for each visit too."""
	if link and state is not None and not (link.max_clicks or link.password):
		remembered = _by_site.setdefault(frappe.local.site, Recent(MOST_LINKS))
		remembered.put(code, Memory(link, config, state), time.time())
