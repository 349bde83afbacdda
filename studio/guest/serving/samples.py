"""Rows like the logged example, on which two ways to the same prediction are compared."""

from typing import Any

_EXAMPLES = 16
_MADE = 12


def around(example: Any) -> Any:
    """The example's first rows and others near them, of the same type, always the same ones; a table's own rows only.
    None if there is nothing to compare."""
    import numpy

    if hasattr(example, "iloc"):
        return example[:_EXAMPLES]
    if example.dtype.kind not in "iuf" or not example.size:
        return example[:_EXAMPLES]
    given = example[:_EXAMPLES]
    random = numpy.random.default_rng(0)
    picked = given[random.integers(len(given), size=_MADE)]
    shape = picked.shape
    finite = numpy.where(numpy.isfinite(picked), picked, 0).astype("float64")
    if example.dtype.kind == "f":
        # Steps of several sizes, so that a tree takes other branches and a sum rounds otherwise.
        size = numpy.abs(finite) + numpy.where(finite == 0, 1.0, 0.0)
        power = random.integers(-2, 2, size=(shape[0], *[1] * (len(shape) - 1)))
        made = finite + random.normal(size=shape) * size * 10.0**power
    else:
        low, high = int(given.min()), int(given.max())
        made = random.integers(low, high, size=shape, endpoint=True)
    return numpy.concatenate([given, made.astype(example.dtype)])


def same_bits(one: Any, other: Any) -> bool:
    """Whether two predictions are the same to the last bit: type, shape and content."""
    if hasattr(one, "arrays") and hasattr(other, "arrays"):
        return list(one.arrays) == list(other.arrays) and all(
            same_bits(one.arrays[name], other.arrays[name]) for name in one.arrays
        )
    if getattr(one, "dtype", 0) != getattr(other, "dtype", 1) or one.shape != other.shape:
        return False
    if one.dtype.kind in "OUS":
        return bool((one == other).all())
    return bool(one.tobytes() == other.tobytes())
