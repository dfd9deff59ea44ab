"""Powers of one half as whole numbers, exact to a relative 2^-45, the same on every machine.

Promises equal steps for equal ages: a half-life older is exactly half. Never uses floating point, whose last
digits differ between processors and would change stored weights on a rebuild.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

# What is more half-lives older than the youngest weighs nothing: it bounds the length of the numbers.
MOST_HALVINGS = 1024

# An exponent is read with 48 bits behind the point (of a half-life of 7 days: 2 nanoseconds). A table stands for the
# first 14, a series for the other 34. Products carry 56 bits, of which 52 go into the result.
_TABLE_BITS, _PRECISION = 14, 56
_ONE = 1 << _PRECISION
# Bits that the constants are computed with and lose at the end, so that their last kept one is right.
_SPARE = 16


def half_to_the(exponents: Sequence[int], unit: Fraction) -> list[int]:
	"""Return whole numbers in the proportions of 2^(-exponent / unit); there is one exponent at least, none negative.

	The largest power, of the smallest exponent, is never lost, however far apart the exponents are.
	"""
	if unit.denominator != 1:
		exponents = [exponent * unit.denominator for exponent in exponents]
	numerator = unit.numerator
	table, ln_2, one = _TABLE, _LN_2, _ONE
	halvings: list[int] = []
	mantissas: list[int] = []
	# One loop, no calls, literal shifts: names and calls would cost as much as the arithmetic.
	for exponent in exponents:
		bits = (exponent << 48) // numerator
		halvings.append(bits >> 48)
		if not bits:
			mantissas.append(1 << 52)
			continue
		# e^-x = 1 - x + x²/2: for x below 2^-14.5 what is left out is below 2^-46.
		x = (bits & 0x3FFFFFFFF) * ln_2 >> 32
		mantissas.append(table[bits >> 34 & 0x3FFF] * (one - x + (x * x >> 57)) >> 60)
	most = max(halvings)
	if most > MOST_HALVINGS:
		most = min(most, min(halvings) + MOST_HALVINGS)
		mantissas = [m if h <= most else 0 for h, m in zip(halvings, mantissas, strict=True)]
		halvings = [min(h, most) for h in halvings]
	return [m << most - h for h, m in zip(halvings, mantissas, strict=True)]


def _powers() -> tuple[int, ...]:
	"""Return 2^-f for every f of the table's bits, by repeated square roots of one half."""
	one = _ONE << _SPARE
	roots = [math.isqrt((one >> 1) * one)]
	while len(roots) < _TABLE_BITS:
		roots.append(math.isqrt(roots[-1] * one))
	powers = [one]
	for root in reversed(roots):
		powers += [power * root // one for power in powers]
	return tuple(power >> _SPARE for power in powers)


def _natural_logarithm_of_two(bits: int) -> int:
	"""Return ln 2 with `bits` bits, by the series of 2 artanh(1/3)."""
	term = (1 << bits + _SPARE + 1) // 3
	total, divisor = 0, 1
	while term:
		total += term // divisor
		term //= 9
		divisor += 2
	return total >> _SPARE


_TABLE = _powers()
_LN_2 = _natural_logarithm_of_two(40)
