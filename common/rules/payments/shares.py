"""Sharing whole minor units: rounded in one place, and no unit is ever lost or made."""

from __future__ import annotations

from collections.abc import Sequence


def rounded(numerator: int, denominator: int) -> int:
    """Return the fraction as a whole number, a half away from nought.

    Both are whole numbers, so that nothing is rounded before; the denominator is above nought.
    """
    assert denominator > 0, "a share is of something"
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def shared(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Return the total cut by weights: the parts add up to it, each off by less than one unit.

    What whole units leave over goes to the largest remainders, the earlier one first where they are
    equal. Without any weight all of it is the first part's.
    """
    assert weights, "somebody has to take it"
    assert all(weight >= 0 for weight in weights)
    whole = sum(weights)
    if not whole:
        return (total, *(0 for _ in weights[1:]))
    sign = -1 if total < 0 else 1
    exact = [abs(total) * weight for weight in weights]
    parts = [each // whole for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: -(exact[place] % whole))
    for place in by_remainder[: abs(total) - sum(parts)]:
        parts[place] += 1
    return tuple(sign * part for part in parts)
