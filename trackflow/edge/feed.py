"""Listens for changes of one site and says what to drop. A thread of its own, which connects again for as long as it runs.

Redis keeps no notice for who is not listening: each time it listens anew, everything is to be dropped. A connection that
is silent is asked; one that does not answer is given up.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from redis.exceptions import RedisError

from trackflow import changes
from trackflow.changes import Change
from trackflow.exceptions import StreamUnavailable
from trackflow.frappe_thread import entered
from trackflow.stream import connection

log = logging.getLogger("trackflow.edge")

LOOK_SECONDS = 1.0
ASK_SECONDS = 3.0
SILENT_SECONDS = 8.0
RETRY_SECONDS = 1.0


class Feed:
	"""Calls, from its own thread: `connected` whenever it listens anew, `changed` for a notice, `lost` when it hears nothing."""

	def __init__(
		self,
		site: str,
		connected: Callable[[], None],
		changed: Callable[[Change], None],
		lost: Callable[[], None],
	) -> None:
		self.site = site
		self._connected, self._changed, self._lost = connected, changed, lost
		self._stopped = Event()
		self._thread = Thread(target=self._run, name=f"feed of {site}", daemon=True)

	def start(self) -> None:
		self._thread.start()

	def stop(self) -> None:
		self._stopped.set()

	def _run(self) -> None:
		while not self._stopped.is_set():
			try:
				with entered(self.site):
					connection.bound_waiting()
					self._listen()
			except (StreamUnavailable, RedisError, OSError) as error:
				log.warning("%s: changes cannot be heard: %s", self.site, error)
			except Exception:
				log.exception("%s: changes cannot be heard", self.site)
			self._lost()
			self._stopped.wait(RETRY_SECONDS)

	def _listen(self) -> None:
		pubsub = connection.connect().pubsub()
		try:
			pubsub.subscribe(connection.key(changes.CHANNEL))
			heard = asked = time.monotonic()
			while not self._stopped.is_set():
				message = pubsub.get_message(timeout=LOOK_SECONDS)
				now = time.monotonic()
				if message:
					heard = now
					self._take(message)
				elif now - heard > SILENT_SECONDS:
					raise TimeoutError("Redis has not answered")
				elif now - asked > ASK_SECONDS:
					asked = now
					pubsub.ping()
		finally:
			pubsub.close()

	def _take(self, message: dict[str, object]) -> None:
		if message["type"] == "subscribe":
			# Also said when the client library has connected again by itself.
			self._connected()
		elif message["type"] == "message":
			self._changed(changes.read(message["data"]))
