"""Lets Python look for cycles among objects seldom, while much is worked off that makes hardly any."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects that may come in between: some batches' worth. By default Python looks dozens of times in each batch, now and then at
# all that is alive; of a drain that took a sixth of the processor time.
UNLOOKED_OBJECTS = 200_000


@contextmanager
def seldom_collected() -> Iterator[None]:
	"""What has no references is freed at once all the same. Where collections are off they stay off."""
	former = gc.get_threshold()
	if former[0]:
		gc.set_threshold(max(former[0], UNLOOKED_OBJECTS), *former[1:])
	try:
		yield
	finally:
		gc.set_threshold(*former)
