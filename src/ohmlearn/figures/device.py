"""The figure of a device: pulse response, step against state, hysteresis loop, drift.

A further panel is a further entry of ``PANELS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..devices import (
    Device,
    Effects,
    conductance,
    current,
    depression,
    nominal_step,
    potentiation,
)
from ..devices.contract import change_after
from ..devices.effects.retention import retained
from .canvas import BLUE, GREEN, GREY, ORANGE, canvas, save_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PANELS", "Cell", "draw_device", "sweep"]

V_READ = 0.1
CELLS = 4  # noisy ones that are drawn
_MOST_PULSES = 2000
_WIDE = 50.0  # ratio of conductances from which on the axis is logarithmic
_MICRO = 1e6


class Cell(NamedTuple):
    """What is drawn: a model, its parameters and effects, and the title."""

    device: Device
    params: Any
    effects: Effects
    title: str


def draw_device(path: Path, cell: Cell) -> Path:
    """Draw every panel of *cell* into *path* (.png, .pdf or .svg) and return it.

    Raises
    ------
    ConfigError
        The name has another ending.
    RecordError
        The file cannot be written.
    """
    columns = 2 if len(PANELS) == 4 else len(PANELS)
    rows = -(-len(PANELS) // columns)
    figure = canvas(rows, columns, width=1.0 + 3.9 * columns, height=0.7 + 3.3 * rows)
    with style():
        for axes, draw in zip(figure.axes, PANELS, strict=True):
            draw(axes, cell)
        figure.suptitle(cell.title, x=0.01, ha="left")
    return save_figure(path, figure)


def _response(axes: Axes, cell: Cell) -> None:
    """Draw SET pulses from one end and RESET pulses back, without and with noise."""
    start = _working_end(cell.params)
    n = _pulses(cell.params, start)
    at = np.arange(2 * n + 1)
    if cell.effects != Effects():
        for k in range(CELLS):
            label = f"{CELLS} drawn cells, with noise" if k == 0 else None
            g = _MICRO * noisy_response(cell, n, k, start)
            axes.plot(at, g, color=GREY, lw=0.5, alpha=0.5, label=label)
    g = _MICRO * _mean_response(cell.params, n, start)
    axes.plot(at[: n + 1], g[: n + 1], color=BLUE, lw=2, label="SET")
    axes.plot(at[n:], g[n:], color=ORANGE, lw=2, label="RESET")
    begin = f", from x = {start:g}" if start > 0 else ""
    axes.set_xlabel(f"pulse ({n:,} SET, then {n:,} RESET{begin})")
    axes.set_ylabel("conductance (µS)")
    if g.min() > 0 and g.max() > _WIDE * g.min():
        axes.set_yscale("log")
        axes.set_ylim(top=3 * axes.get_ylim()[1])
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.set_ylim(top=axes.get_ylim()[1] + 0.15 * float(np.ptp(axes.get_ylim())))
    axes.legend(loc="upper left", ncols=3, fontsize="small", columnspacing=1.0)
    axes.set_title("Response to pulses")


def _working_end(p: Any) -> float:
    """Return the lowest state from which the SET pulse moves the cell to speak of.

    Of a filament that is far from closed the nominal pulse moves nothing.
    """
    states = np.linspace(0.0, 0.98, 50)
    steps = np.array([potentiation(p, x) for x in states.tolist()])
    enough = steps >= min(1e-3, 0.2 * float(steps.max()))
    return float(states[np.argmax(enough)])


def _pulses(p: Any, x: float) -> int:
    """Return how many pulses bring the mean cell from state *x* nearly to the other end."""
    low, high = (conductance(p, V_READ, s) for s in (x, 1.0))
    for n in range(1, _MOST_PULSES + 1):
        x = min(x + potentiation(p, x), 1.0)
        if conductance(p, V_READ, x) > low + 0.97 * (high - low):
            return n
    return _MOST_PULSES


def _mean_response(p: Any, n: int, x: float) -> np.ndarray:
    g = [conductance(p, V_READ, x)]
    for k in range(2 * n):
        x = _after(p, x, up=k < n)
        g.append(conductance(p, V_READ, x))
    return np.array(g)


def _after(p: Any, x: float, up: bool) -> float:
    step = potentiation(p, x) if up else -depression(p, x)
    return min(max(x + step, 0.0), 1.0)


def noisy_response(cell: Cell, n: int, seed: int, x: float = 0.0) -> np.ndarray:
    """Return readings [S] of one drawn cell, n SET and n RESET pulses from state *x*.

    Spread between cells, noise of pulses, write noise and read noise act; shape (2 n + 1,).
    """
    from ..devices.variability import draw_table, pulse_noise

    device, effects = cell.device, cell.effects
    row = draw_table(device, cell.params, effects, 1, seed, 0).table[0]
    p = device.params(*row.tolist())
    noise = pulse_noise(cell.params, effects)
    rng = np.random.default_rng(seed)
    g = [conductance(p, V_READ, x)]
    for k in range(2 * n):
        change = potentiation(p, x) if k < n else -depression(p, x)
        z = rng.standard_normal()
        x += change * (1 + noise.c2c_step * z) + noise.c2c_add * z
        x = min(max(x, 0.0), 1.0) if effects.window else x
        g.append(conductance(p, V_READ, x))
    readings = np.array(g)
    low, high = conductance(p, V_READ, 0.0), conductance(p, V_READ, 1.0)
    written = effects.write_noise * nominal_step(cell.params) * (high - low)
    readings = readings + written * rng.standard_normal(readings.size)
    return readings * (1 + effects.read_noise * rng.standard_normal(readings.size))


def _steps(axes: Axes, cell: Cell) -> None:
    """Draw the mean step of one pulse against the state it starts from."""
    p, x = cell.params, np.linspace(0.0, 1.0, 301)
    up = [100 * potentiation(p, s) for s in x.tolist()]
    down = [-100 * depression(p, s) for s in x.tolist()]
    axes.axhline(0, color=GREY, lw=0.8)
    axes.plot(x, up, color=BLUE, lw=2, label="SET")
    axes.plot(x, down, color=ORANGE, lw=2, label="RESET")
    axes.set_xlabel("state x (0: high resistance, 1: low)")
    axes.set_ylabel("change of state by a pulse (%)")
    axes.set_ylim(top=axes.get_ylim()[1] + 0.15 * float(np.ptp(axes.get_ylim())))
    axes.legend(loc="upper right", ncols=2, fontsize="small")
    axes.set_title("Step against state")


def _loop(axes: Axes, cell: Cell) -> None:
    """Draw current over voltage: the loop of a triangular sweep, where there is one."""
    from matplotlib.ticker import EngFormatter

    axes.axhline(0, color=GREY, lw=0.8)
    axes.axvline(0, color=GREY, lw=0.8)
    if cell.device.dynamical:
        _dynamic_loop(axes, cell.params)
    else:
        v = np.linspace(-1.0, 1.0, 101) * abs(cell.params.v_set)
        for x, colour in ((1.0, BLUE), (0.5, GREEN), (0.0, ORANGE)):
            i = [current(cell.params, u, x) for u in v.tolist()]
            axes.plot(v, i, color=colour, lw=1.6, label=f"x = {x:g}")
        axes.legend(loc="upper left", fontsize="small")
        axes.set_title("Current at fixed state; pulse model: no loop")
    axes.set_xlabel("voltage (V)")
    axes.set_ylabel("current")
    axes.yaxis.set_major_formatter(EngFormatter(unit="A", sep=" "))


def _dynamic_loop(axes: Axes, p: Any) -> None:
    period, v, i, _ = sweep(p)
    half = v.size // 2
    axes.plot(v[: half + 1], i[: half + 1], color=BLUE, lw=1.6, label="SET side first")
    axes.plot(v[half:], i[half:], color=ORANGE, lw=1.6, label="then RESET side")
    axes.legend(loc="upper left", fontsize="small")
    axes.set_title(f"Triangular sweep, period {_seconds(period)}")


def _seconds(t: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if t >= size:
            return f"{t / size:.3g} {unit}"
    return f"{t:.3g} s"


def sweep(p: Any, points: int = 401) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Return period [s], voltage [V], current [A] and state of a triangular sweep.

    0 to ``v_set``, through 0 to ``v_reset`` and back to 0, both at their nominal amplitude, from
    state 0.1. The period is the shortest, from ten pulse widths on and in steps of 10, in which
    the state crosses half of the window.
    """
    v = np.interp(
        np.linspace(0.0, 4.0, points),
        [0.0, 1.0, 2.0, 3.0, 4.0],
        [0.0, p.v_set, 0.0, p.v_reset, 0.0],
    )
    period = 10 * (p.t_set + p.t_reset)
    x = _swept(p, v, period)
    for _ in range(9):
        if np.ptp(x) > 0.5:
            break
        period *= 10
        x = _swept(p, v, period)
    i = np.array([current(p, u, s) for u, s in zip(v.tolist(), x.tolist(), strict=True)])
    return period, v, i, x


def _swept(p: Any, v: np.ndarray, period: float) -> np.ndarray:
    x, states = 0.1, [0.1]
    for k in range(v.size - 1):
        x += change_after(p, float(0.5 * (v[k] + v[k + 1])), period / (v.size - 1), x)
        x = min(max(x, 0.0), 1.0)
        states.append(x)
    return np.array(states)


def _drift(axes: Axes, cell: Cell) -> None:
    """Draw what retention makes of some conductances: mean, and one standard deviation."""
    law = cell.effects.retention
    t = np.geomspace(1.0, 1e6, 121)
    top = conductance(cell.params, V_READ, 1.0)
    for x, colour in ((1.0, BLUE), (0.5, GREEN), (0.0, ORANGE)):
        g = np.full_like(t, conductance(cell.params, V_READ, x))
        if law is None:
            low = mean = high = g
        else:
            low, mean, high = (retained(law, g, t, np.full_like(t, z), top) for z in (-1, 0, 1))
        axes.fill_between(t, _MICRO * low, _MICRO * high, color=colour, alpha=0.2, lw=0)
        axes.plot(t, _MICRO * mean, color=colour, lw=1.6, label=f"x = {x:g}")
    axes.set_xscale("log")
    axes.set_xlabel("time since programming (s)")
    axes.set_ylabel("conductance (µS)")
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    axes.legend(loc="upper right", ncols=3, fontsize="small")
    axes.set_title(
        "No retention given: no drift" if law is None else "Drift; band: one standard deviation"
    )


PANELS: Sequence[Callable[[Axes, Cell], None]] = (_response, _steps, _loop, _drift)
