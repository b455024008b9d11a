"""What a read of an array with wires gives and takes, for linear and nonlinear cells alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ConfigError
from .balance import State, proper
from .ladders import Lines
from .resistances import Wires

__all__ = [
    "ArraySolution",
    "Outcome",
    "begin",
    "check_cells",
    "check_drives",
    "check_limits",
    "finished",
    "lines_of",
    "rounding",
    "scale_of",
    "worst_of",
]

_TINY = float(np.finfo(np.float64).tiny)


class ArraySolution(NamedTuple):
    """Voltages and currents of an array; a batch of drives adds a leading axis to every array.

    Attributes
    ----------
    output : (columns,)
        Currents out of the bit lines at their terminals [A].
    supply : (rows,)
        Currents into the word lines at their terminals [A].
    device_current : (rows, columns)
        Currents through the cells, from word line to bit line [A].
    word_drop : (rows, columns)
        Voltage lost along the word line between terminal and cell [V].
    bit_rise : (rows, columns)
        Voltage of the bit line at the cell above that of its terminal [V].
    v_word, v_bit : (rows,), (columns,)
        Terminal voltages [V].
    residual : float
        Largest current left over at a node, relative to the largest terminal current.
    iterations : int
        Iterations taken; 0 where the start was good enough.
    converged : bool
        Whether the residual is below the tolerance, or as small as rounding allows.
    message : str
        What happened; what to try if it did not converge.
    excess : (rows, columns) or None
        Currents through the cells beyond those the wires carry [A], float32, where they are known:
        a solution that starts from this one makes up for them.
    """

    output: NDArray
    supply: NDArray
    device_current: NDArray
    word_drop: NDArray
    bit_rise: NDArray
    v_word: NDArray
    v_bit: NDArray
    residual: float
    iterations: int
    converged: bool
    message: str
    excess: NDArray | None = None

    @property
    def word_voltage(self) -> NDArray:
        """Voltages of the word lines at the cells [V], shape (rows, columns)."""
        return self.v_word[..., :, np.newaxis] - self.word_drop

    @property
    def bit_voltage(self) -> NDArray:
        """Voltages of the bit lines at the cells [V], shape (rows, columns)."""
        return self.v_bit[..., np.newaxis, :] + self.bit_rise

    @property
    def word_line_current(self) -> NDArray:
        """Currents towards each cell in the segment on its driver's side [A], (rows, columns)."""
        return np.cumsum(self.device_current[..., ::-1], axis=-1)[..., ::-1]

    @property
    def bit_line_current(self) -> NDArray:
        """Currents from each cell into the segment on its sensor's side [A], (rows, columns)."""
        return np.cumsum(self.device_current, axis=-2)


def scale_of(supply: NDArray, output: NDArray) -> float:
    """Return the largest terminal current [A]."""
    return max(float(np.abs(supply).max()), float(np.abs(output).max()), _TINY)


def lines_of(wires: Wires) -> Lines:
    """Return the resistances as the kernels take them."""
    return Lines(
        float(wires.r_word), float(wires.r_word + wires.r_driver),
        float(wires.r_bit), float(wires.r_bit + wires.r_sense),
    )  # fmt: skip


def check_cells(g: ArrayLike) -> NDArray:
    """Return conductances as a C-contiguous float64 array, or say what is wrong with them."""
    g = np.ascontiguousarray(g, np.float64)
    if g.ndim != 2 or g.size == 0:
        raise ConfigError(
            f"conductances of shape {g.shape}; allowed is (rows, columns), at least 1 x 1."
        )
    if not (proper(g) or (g.min() >= 0 and g.max() < np.inf)):
        bad = tuple(int(n) for n in np.argwhere(~((g >= 0) & (g < np.inf)))[0])
        raise ConfigError(
            f"conductance of cell {bad} is {g[bad]} S; allowed is 0 (open) or more, and finite."
        )
    return g


def _check_drive(v: ArrayLike | None, lines: int, name: str) -> NDArray:
    if v is None:
        return np.zeros(lines)
    v = np.asarray(v, np.float64)
    if v.ndim not in (1, 2) or v.shape[-1] != lines or v.size == 0:
        raise ConfigError(
            f"{name} of shape {v.shape} for {lines} lines; allowed is ({lines},) or "
            f"(batch, {lines})."
        )
    if not np.vdot(v, v) < np.inf and not np.isfinite(v).all():
        bad = tuple(int(n) for n in np.argwhere(~np.isfinite(v))[0])
        raise ConfigError(f"{name}{list(bad)} is {v[bad]} V; allowed are finite numbers.")
    return v


def check_drives(
    v_word: ArrayLike | None, v_bit: ArrayLike | None, shape: tuple[int, int]
) -> tuple[NDArray, NDArray, bool]:
    """Return (batch, rows) and (batch, columns) terminal voltages, and if a batch was given."""
    v = _check_drive(v_word, shape[0], "v_word")
    u = _check_drive(v_bit, shape[1], "v_bit")
    if v.ndim == u.ndim == 1:
        return np.ascontiguousarray(v)[np.newaxis], np.ascontiguousarray(u)[np.newaxis], False
    batches = {len(a) for a in (v, u) if a.ndim == 2}
    if len(batches) > 1:
        raise ConfigError(
            f"v_word has {len(v)} drives and v_bit {len(u)}; allowed is the same number, or one "
            "drive for all."
        )
    batch = batches.pop() if batches else 0
    v, u = (np.ascontiguousarray(np.broadcast_to(a, (batch or 1, a.shape[-1]))) for a in (v, u))
    return v, u, batch > 0


class Outcome(NamedTuple):
    """How one solution, or the worst of a batch, came out."""

    iterations: int
    residual: float
    good: bool
    excess: NDArray | None = None


def worst_of(outcomes: list[Outcome], shape: tuple[int, int]) -> Outcome:
    """Return that of a batch of arrays of *shape*."""
    excess = None
    if any(o.excess is not None for o in outcomes):
        none = np.zeros(shape, np.float32)
        excess = np.stack([none if o.excess is None else o.excess for o in outcomes])
    return Outcome(
        max(o.iterations for o in outcomes),
        max(o.residual for o in outcomes),
        all(o.good for o in outcomes),
        excess,
    )


def check_limits(tolerance: float, iterations: int) -> None:
    """Refuse a tolerance or a number of iterations that no solver can keep."""
    if not (0.0 < tolerance < 1.0 and iterations >= 1):
        raise ConfigError(
            f"tolerance is {tolerance} and max_iterations {iterations}; allowed is a tolerance "
            "between 0 and 1 and at least one iteration."
        )


def begin(
    v: NDArray,
    u: NDArray,
    shape: tuple[int, int],
    start: ArraySolution | None,
    *,
    copied: bool = True,
) -> State:
    """Return room for the solutions, with the voltages of *start* in it or zero shifts.

    Without *copied* those of *start* are left to be written.
    """
    batch, (rows, columns) = len(v), shape
    full = batch, rows, columns
    if start is None:
        w, b = np.zeros(full), np.zeros(full)
    elif start.word_drop.shape[-2:] != shape or start.word_drop.size != batch * rows * columns:
        raise ConfigError(
            f"start holds voltages of shape {start.word_drop.shape} for {batch} drives of an "
            f"array of {rows} x {columns}; give a solution of the same array and as many drives."
        )
    elif copied:
        w, b = -start.word_drop.reshape(full), start.bit_rise.reshape(full).copy()
    else:
        w, b = np.empty(full), np.empty(full)
    return State(v, u, w, b, np.empty(full), np.empty((batch, rows)), np.empty((batch, columns)))


def rounding(g: NDArray, lines: Lines, one: State) -> float:
    """Return the current [A] that rounding of the voltages alone can leave at a node."""
    w, b = np.abs(one.w).max(), np.abs(one.b).max()
    flow = g.max() * (np.abs(one.v).max() + np.abs(one.u).max() + w + b)
    for r, t, size in ((lines.r_word, lines.t_word, w), (lines.r_bit, lines.t_bit, b)):
        flow += 2.0 * size / r if r > 0 else size / t if t > 0 else 0.0
    return 4.0 * float(np.finfo(np.float64).eps * flow)


def finished(
    one: State, outcome: Outcome, tolerance: float, g_max: float, lines: Lines
) -> ArraySolution:
    """Return the result, with a message that says what to try if it is not good."""
    np.negative(one.w, out=one.w)
    excess = None if outcome.excess is None else outcome.excess.reshape(one.current.shape)
    done = f"{outcome.iterations} iterations, residual {outcome.residual:.1e}"
    message = f"solved in {done}"
    if not outcome.good:
        stiff = g_max * max(lines.t_word, lines.t_bit)
        message = (
            f"not converged to {tolerance:.1e}: {done}. The largest cell conductance times wire "
            f"resistance is {stiff:.1e}; allow more max_iterations or a larger tolerance, or "
            "look for shorted cells."
        )
    return ArraySolution(
        one.output, one.supply, one.current, one.w, one.b, one.v, one.u,
        outcome.residual, outcome.iterations, outcome.good, message, excess,
    )  # fmt: skip
