"""The circuit breaker's states: when a CRM may be asked, and what its answers change (SYN-1). Pure.

Closed: it may. Open, after five failures in a row: it may not, for a minute. Half-open, from then on: one request at a time may,
of all workers; two successes close it, a failure opens it again.
"""

from typing import NamedTuple

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"

FAILURES = 5
SUCCESSES = 2
OPEN_SECONDS = 60.0
# A request that tries whether it works again is over by then, or its worker is.
PROBE_SECONDS = 10.0


class Circuit(NamedTuple):
	"""`failures` in a row while closed, `successes` while half-open; `since` when it opened, `probe` until when somebody tries
	(seconds since 1970)."""

	state: str = CLOSED
	failures: int = 0
	successes: int = 0
	since: float = 0.0
	probe: float = 0.0


def asked(circuit: Circuit, now: float) -> tuple[bool, Circuit]:
	"""Whether a request may be made now, and the circuit with it under way."""
	if circuit.state == CLOSED:
		return True, circuit
	if circuit.state == OPEN:
		if now < circuit.since + OPEN_SECONDS:
			return False, circuit
		circuit = Circuit(HALF_OPEN, since=circuit.since)
	if now < circuit.probe:
		return False, circuit
	return True, circuit._replace(probe=now + PROBE_SECONDS)


def succeeded(circuit: Circuit) -> Circuit:
	"""After an answer. One that comes while the circuit is open was asked for before, and says nothing of now."""
	if circuit.state == CLOSED:
		return Circuit()
	if circuit.state == OPEN:
		return circuit
	successes = circuit.successes + 1
	return Circuit() if successes >= SUCCESSES else circuit._replace(successes=successes, probe=0.0)


def failed(circuit: Circuit, now: float) -> Circuit:
	"""After a request without an answer, or with one that says that the other side is broken."""
	if circuit.state == OPEN:
		return circuit
	failures = circuit.failures + 1
	if circuit.state == HALF_OPEN or failures >= FAILURES:
		return Circuit(OPEN, since=now)
	return circuit._replace(failures=failures)


def undecided(circuit: Circuit) -> Circuit:
	"""After an answer that says neither, such as "later": whoever is next may try."""
	return circuit._replace(probe=0.0)


def opens_at(circuit: Circuit) -> float:
	"""When it may be asked again; 0 for now."""
	return circuit.since + OPEN_SECONDS if circuit.state == OPEN else circuit.probe
