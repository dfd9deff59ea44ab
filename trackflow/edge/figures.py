"""What an edge counts, and how it tells: for Prometheus as text, for a load balancer as health.

The processes of one edge share the figures in memory, a row each, so that any of them answers for all.
"""

import time
from collections.abc import Iterable
from multiprocessing.sharedctypes import RawArray

from trackflow.edge.site import Site
from trackflow.stream import writer

CLASSES = range(1, 6)
# Name, kind, help. A row holds the answers by class of their status, and then these.
FIGURES = (
	("clicks_total", "counter", "Clicks taken to be recorded."),
	("clicks_spooled_total", "counter", "Records that went to the spool, since Redis did not take them."),
	(
		"clicks_lost_total",
		"counter",
		"Records that neither Redis nor the spool took, or for which there was no room.",
	),
	("clicks_waiting", "gauge", "Records that are neither on the stream nor in the spool yet."),
	("misses_total", "counter", "Links that were not in memory and had to be read."),
	("read_failures_total", "counter", "Links that could not be read in time."),
	("links", "gauge", "Links in memory."),
	("connections", "gauge", "Open connections."),
	("sites", "gauge", "Sites that are served."),
	("settings_age_seconds", "gauge", "Age of the oldest site's settings."),
	("hears_changes", "gauge", "1 where changes of all sites are heard."),
)
_WIDTH = len(CLASSES) + len(FIGURES)


def shared(processes: int) -> "RawArray":
	"""Room for the figures of so many processes; to be made before they are forked."""
	return RawArray("d", processes * _WIDTH)


class Figures:
	"""The figures of one process among those of all."""

	def __init__(self, room: "RawArray", number: int) -> None:
		self._room = room
		self._start = number * _WIDTH
		# By class of the status; what the hot path counts.
		self.answers = [0] * 10

	def gather(self, sites: Iterable[Site], connections: int) -> None:
		"""Put this process's figures where the others can read them."""
		sites = list(sites)
		now = time.time()
		values = (
			*(self.answers[one] for one in CLASSES),
			sum(site.recorder.taken for site in sites),
			writer.spooled(),
			writer.losses() + sum(site.recorder.lost for site in sites),
			sum(site.recorder.waiting for site in sites),
			sum(site.misses for site in sites),
			sum(site.failures for site in sites),
			sum(site.cached for site in sites),
			connections,
			len(sites),
			max((now - site.snapshot.read_at for site in sites), default=0.0),
			float(all(site.hears_changes for site in sites)),
		)
		self._room[self._start : self._start + _WIDTH] = values

	def as_metrics(self) -> str:
		"""All processes' figures in Prometheus's text format."""
		rows = [list(self._room[start : start + _WIDTH]) for start in range(0, len(self._room), _WIDTH)]
		lines = ["# HELP trackflow_edge_answers_total Answers by class of their status."]
		lines.append("# TYPE trackflow_edge_answers_total counter")
		for worker, row in enumerate(rows):
			for index, one in enumerate(CLASSES):
				labels = f'{{worker="{worker}",status="{one}xx"}}'
				lines.append(f"trackflow_edge_answers_total{labels} {row[index]:.0f}")
		for index, (name, kind, text) in enumerate(FIGURES, start=len(CLASSES)):
			lines += [f"# HELP trackflow_edge_{name} {text}", f"# TYPE trackflow_edge_{name} {kind}"]
			lines += [
				f'trackflow_edge_{name}{{worker="{worker}"}} {row[index]:.12g}'
				for worker, row in enumerate(rows)
			]
		return "\n".join(lines) + "\n"


def health(sites: Iterable[Site], is_stopping: bool, is_failing: bool) -> dict[str, object]:
	"""Whether visitors should be sent here. Without Redis they still should: links are known, clicks are spooled."""
	sites = list(sites)
	now = time.time()
	has_room = not any(site.recorder.is_full for site in sites)
	return {
		"ok": not is_stopping and not is_failing and has_room,
		"redis": all(site.hears_changes and not site.recorder.is_redis_away for site in sites),
		"waiting": sum(site.recorder.waiting for site in sites),
		"settings_age_seconds": round(max((now - site.snapshot.read_at for site in sites), default=0.0), 1),
		"sites": len(sites),
	}
