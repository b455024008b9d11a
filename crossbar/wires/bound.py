"""How far an effective map can be off after its cells have changed: a rigorous bound.

For any two states of the array, m' - m = sum over cells of dg d a', with d the drop across the
cell when word line a is driven with 1 V before the change, and a' that when bit line b is driven
after it (interreciprocity). The map keeps dg d a of the element's own cell. What is left out
passes through other cells, whose drops are small:

* no drop exceeds 1 V, and all node voltages lie between 0 and 1 V;
* bit lines, all word lines at 1 V, rise at most to ``kappa_bit``; likewise word lines;
* driving one word line raises bit lines by at most eta = rho / (1 - kappa_word kappa_bit), rho
  being the largest conductance of a cell times the resistance it sees into its bit line: one step
  directly, and the rest by way of the other word lines; likewise the other way round.

With D the sums of |dg| along row, column and array, and delta the largest single change, an
element is off by at most

    eta_word D_row + eta_bit D_column + eta_word eta_bit D
        + delta (R_word + R_bit) (D_column + eta_word D)

where the last term is the change of the kept product. The margins themselves move with the
conductances, by at most R D; the bound uses what they may have become.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .ladders import Lines

__all__ = ["Margins", "error_bound", "error_estimate", "margins"]


class Margins(NamedTuple):
    """What :func:`error_bound` needs to know of an array.

    Attributes
    ----------
    kappa_word, kappa_bit : float
        Largest voltage of a word line whose cells are all at 1 V, its terminal at 0 V; same of a
        bit line.
    rho_word, rho_bit : float
        Largest product of a cell's conductance and the resistance it sees into its line.
    r_word, r_bit : float
        Resistance of a whole line with its terminal [ohm].
    g_max : float
        Largest conductance [S].
    """

    kappa_word: float
    kappa_bit: float
    rho_word: float
    rho_bit: float
    r_word: float
    r_bit: float
    g_max: float


def _line_margins(g: NDArray, r: float, t: float) -> tuple[float, float]:
    """Return kappa and rho of lines along the first axis, their terminals behind its end."""
    away = np.empty_like(g)  # conductance seen from a node away from the terminal
    away[0] = g[0]
    for i in range(1, len(g)):
        away[i] = g[i] + away[i - 1] / (1.0 + r * away[i - 1])
    with np.errstate(divide="ignore"):
        towards = np.full(g.shape[1], np.divide(1.0, t))
        passed = 1.0 / (1.0 + t * away[-1])
        rho = g[-1] / (away[-1] + towards)
        for i in range(len(g) - 2, -1, -1):
            towards = 1.0 / (r + 1.0 / (towards + g[i + 1]))
            passed = passed / (1.0 + r * away[i])
            rho = np.maximum(rho, g[i] / (away[i] + towards))
    return 1.0 - float(passed.min()), float(rho.max())


def margins(g: NDArray, lines: Lines) -> Margins:
    """Return the margins of cells *g* (rows, columns) [S] on *lines*."""
    rows, columns = g.shape
    kappa_word, rho_word = _line_margins(g.T[::-1], lines.r_word, lines.t_word)
    kappa_bit, rho_bit = _line_margins(g, lines.r_bit, lines.t_bit)
    return Margins(
        kappa_word, kappa_bit, rho_word, rho_bit, lines.t_word + (columns - 1) * lines.r_word,
        lines.t_bit + (rows - 1) * lines.r_bit, float(g.max()),
    )  # fmt: skip


def _moved(
    kappa: float, rho: float, r: float, g_max: float, spent: float, single: float
) -> tuple[float, float]:
    """Return kappa and rho after changes of *spent* along a line, *single* at one cell."""
    grown = (g_max + single) * r
    return min(kappa + r * spent, 1.0), min(rho + r * single + grown * r * spent, grown)


class _Reach(NamedTuple):
    """Sums of changes [S], and how far each kind reaches."""

    row: float
    column: float
    total: float
    single: float
    word: float
    bit: float


def _reach(emap: Any, single: float | None) -> _Reach | None:
    row, column = float(emap.spent_row.max()), float(emap.spent_column.max())
    total = float(emap.spent_row.sum())
    single = min(row, column) if single is None else min(row, column, single)
    k = emap.margins
    kappa_word, rho_word = _moved(k.kappa_word, k.rho_word, k.r_word, k.g_max, row, single)
    kappa_bit, rho_bit = _moved(k.kappa_bit, k.rho_bit, k.r_bit, k.g_max, column, single)
    stay = 1.0 - kappa_word * kappa_bit
    if stay <= 0.0:
        return None
    word, bit = min(rho_word / stay, 1.0), min(rho_bit / stay, 1.0)
    return _Reach(row, column, total, single, word, bit)


def error_bound(emap: Any, single: float | None = None) -> float:
    """Return the largest possible error [S] of any element of a corrected effective map.

    Parameters
    ----------
    emap : EffectiveMap
    single
        Largest change of a single cell since the map was made [S]; None stands for the sum along
        its line, which is rigorous but large once most cells have changed.

    Returns
    -------
    float
        Zero for a fresh map, infinite where the changes are too large for the bound. Rounding of
        the map itself is not in it. A current is off by at most this times the sum of |v|.
    """
    reach = _reach(emap, single)
    if reach is None:
        return float("inf")
    row, column, total, single, word, bit = reach
    kept = single * (emap.margins.r_word + emap.margins.r_bit) * (column + word * total)
    return word * row + bit * column + word * bit * total + kept


def error_estimate(emap: Any, pulse: float) -> float:
    """Return a typical error [S] of an element, if changes are pulses of random sign.

    An estimate, not a bound: independent pulses of size *pulse* [S] add as the root of their
    number, while :func:`error_bound` lets all of them conspire.
    """
    reach = _reach(emap, pulse)
    if reach is None:
        return float("inf")
    row, column, total, _, word, bit = reach
    square = word**2 * row + bit**2 * column + (word * bit) ** 2 * total
    return float(np.sqrt(pulse * square))
