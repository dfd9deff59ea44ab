"""How seldom Python looks for cycles while much is worked off (PRF-3, PRF-5)."""

import gc
import unittest

from trackflow.garbage import UNLOOKED_OBJECTS, seldom_collected


class TestSeldomCollected(unittest.TestCase):
	"""What is set for the while of the work is as it was afterwards, whatever happens."""

	def test_during_and_after(self) -> None:
		former = gc.get_threshold()
		with self.assertRaises(KeyError), seldom_collected():
			self.assertEqual(gc.get_threshold(), (UNLOOKED_OBJECTS, *former[1:]))
			with seldom_collected():
				self.assertEqual(gc.get_threshold()[0], UNLOOKED_OBJECTS)
			self.assertEqual(gc.get_threshold()[0], UNLOOKED_OBJECTS)
			raise KeyError
		self.assertEqual(gc.get_threshold(), former)

	def test_off_stays_off(self) -> None:
		former = gc.get_threshold()
		self.addCleanup(gc.set_threshold, *former)
		gc.set_threshold(0, *former[1:])
		with seldom_collected():
			self.assertEqual(gc.get_threshold()[0], 0)

	def test_cycles_are_found_all_the_same(self) -> None:
		"""Memory stays bounded: after so many objects Python looks."""
		seen: list[str] = []

		def watch(phase: str, _info: dict[str, int]) -> None:
			seen.append(phase)

		gc.callbacks.append(watch)
		self.addCleanup(gc.callbacks.remove, watch)
		with seldom_collected():
			kept = [[] for _number in range(2 * UNLOOKED_OBJECTS)]
		self.assertIn("start", seen)
		self.assertEqual(len(kept), 2 * UNLOOKED_OBJECTS)
