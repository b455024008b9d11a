"""Numbers as a reader wants them: three digits, a prefix, and a unit."""

from __future__ import annotations

import math

__all__ = ["area", "count", "percent", "quantity", "span"]

_PREFIXES = ("a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P")
_PLAIN = ("1", "pulses", "F^2")
_SPANS = ((365.25 * 86400.0, "years"), (86400.0, "days"), (3600.0, "h"), (60.0, "min"))


def quantity(value: float, unit: str, *, given: bool = False) -> str:
    """Return *value* in *unit* with three digits and an SI prefix, as in ``3.20 µJ``.

    One that was *given* rather than worked out has no zeros at its end.
    """
    if unit in _PLAIN or not math.isfinite(value):
        return f"{count(value)}{'' if unit == '1' else f' {unit}'}"
    if unit == "m^2":
        return area(value)
    if value == 0:
        return f"0 {unit}"
    if abs(value) < 1e-18:  # below the smallest prefix
        return f"{count(value)} {unit}"
    power = math.floor(math.log10(abs(float(f"{value:.3g}"))) / 3 + 1e-9)
    power = min(max(power, -6), 5)
    digits = _digits(value / 1000.0**power) if given else _three(value / 1000.0**power)
    return f"{digits} {_PREFIXES[power + 6]}{unit}"


def area(value: float) -> str:
    """Return an area given in m^2 in mm^2 or um^2."""
    return f"{_digits(value * 1e6)} mm²" if value >= 1e-8 else f"{_digits(value * 1e12)} µm²"


def count(value: float) -> str:
    """Return a number of things; whole below a million, with an exponent beyond."""
    if not math.isfinite(value):
        return "-"
    if abs(value) >= 1e6 or 0 < abs(value) < 1e-3:
        mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else ("", "")
        if not mantissa:
            mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:,.0f}" if abs(value) >= 1000 else _digits(value)


def percent(share: float) -> str:
    """Return a fraction as a percentage; small ones are not rounded to nothing."""
    if share == 0:
        return "0 %"
    return f"{100 * share:.1f} %" if share >= 0.001 else "< 0.1 %"


def span(seconds: float) -> str:
    """Return a time; from minutes on in the units of people."""
    for length, name in _SPANS:
        if seconds >= length:
            number = count(seconds / length)
            return f"{number} {name.removesuffix('s') if number == '1' else name}"
    return quantity(seconds, "s")


def _three(value: float) -> str:
    """Return three significant digits without an exponent."""
    rounded = float(f"{value:.3g}")
    decimals = max(2 - math.floor(math.log10(abs(rounded))), 0) if rounded else 0
    return f"{rounded:,.{decimals}f}"


def _digits(value: float) -> str:
    """Return the same without zeros at the end."""
    text = _three(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
