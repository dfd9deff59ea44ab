"""What all workers know of the CRM, in the queue Redis: the circuit breaker, until when it wants to be left alone, what keeps the
sync from its work (SYN-1).

Not pybreaker: its excluded errors count as successes, so a "later" (429) would close the circuit; half-open it lets every worker
in, each of which resets the others' count of successes; and its states change in several steps. Here `circuit` decides, and a
change is one step of Redis. Without Redis nothing is sent: every function raises StreamUnavailable.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from frappe import _
from redis import Redis
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.runs import log
from trackflow.stream import connection
from trackflow.stream.connection import key
from trackflow.sync import circuit
from trackflow.sync.circuit import Circuit
from trackflow.sync.provider import CircuitOpen, Clock, Later

T = TypeVar("T")
Change = Callable[[Circuit], tuple[Any, Circuit]]

KEY = "crm-sync"
CIRCUIT, PAUSE, TROUBLE = "circuit", "pause", "trouble"


class Breaker:
	"""The circuit breaker that all workers share; `tell` hears of each change of its state."""

	def __init__(self, clock: Clock = time, tell: Callable[[Circuit], None] | None = None) -> None:
		self._clock, self._tell = clock, tell

	def ask(self) -> None:
		"""A request is about to be made. Raises CircuitOpen, or Later, where none may be."""
		now = self._clock.time()
		if (seconds := paused_until() - now) > 0:
			raise Later(
				_("The CRM asked to be left alone for {0} seconds more.").format(round(seconds)), seconds
			)
		if not self._change(partial(circuit.asked, now=now)):
			raise CircuitOpen(_("The CRM failed too often just now. It is asked again in a minute."))

	def succeeded(self) -> None:
		self._change(lambda one: (None, circuit.succeeded(one)))

	def failed(self) -> None:
		self._change(lambda one: (None, circuit.failed(one, self._clock.time())))

	def undecided(self) -> None:
		self._change(lambda one: (None, circuit.undecided(one)))

	def _change(self, change: Change) -> Any:
		with _redis() as redis:
			before = _read(redis)
			answer, after = change(before)
			if after != before:
				before, after, answer = redis.transaction(
					partial(_changed, change=change), key(KEY), value_from_callable=True
				)
		if after.state != before.state:
			log("crm_sync_circuit", state=after.state, is_error=after.state == circuit.OPEN)
			if self._tell:
				self._tell(after)
		return answer


def current() -> Circuit:
	"""The circuit as it is."""
	with _redis() as redis:
		return _read(redis)


def pause(until: float) -> None:
	"""The CRM wants to be left alone until then (seconds since 1970)."""
	_set(PAUSE, until)


def paused_until() -> float:
	with _redis() as redis:
		return float(redis.hget(key(KEY), PAUSE) or 0)


def note_trouble(text: str) -> None:
	"""What keeps the sync from its work, in words; "" for nothing."""
	if text != trouble():
		_set(TROUBLE, text)
		if text:
			log("crm_sync_trouble", is_error=True, text=text)


def trouble() -> str:
	with _redis() as redis:
		return (redis.hget(key(KEY), TROUBLE) or b"").decode()


def _set(name: str, value: str | float) -> None:
	with _redis() as redis:
		redis.hset(key(KEY), name, value)


def _changed(pipe: Any, change: Change) -> tuple[Circuit, Circuit, Any]:
	before = _read(pipe)
	answer, after = change(before)
	pipe.multi()
	pipe.hset(key(KEY), CIRCUIT, json.dumps(after))
	return before, after, answer


def _read(redis: Any) -> Circuit:
	stored = redis.hget(key(KEY), CIRCUIT)
	return Circuit(*json.loads(stored)) if stored else Circuit()


@contextmanager
def _redis() -> Iterator[Redis]:
	try:
		yield connection.connect()
	except RedisError as error:
		raise StreamUnavailable(str(error)) from error
