"""What the lines of a leaky network draw from whatever drives them.

On ideal lines a line at voltage u draws g u^2, g being the sum of its cells. With wires word lines
share bit lines that are not at 0 V, so the currents of lines depend on one another: powers are
quadratic forms of all voltages (:mod:`ohmlearn.crossbar.wires.power`).

Input lines stay at their voltages during a phase, so the powers of the first array are constants;
all others are integrated along the waveform.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...crossbar.wires.power import PowerForms, drive_power, power_forms
from ..simulator import Phase
from .network import LeakyNetwork
from .tiles import Tiling, bit_drives, tile_cells

__all__ = ["InputPowers", "Loads", "input_powers", "loads_of"]

SUPPLY, FORWARD, BACKWARD, WIRES = range(4)
"""Order of :attr:`Loads.forms`."""


class Loads(NamedTuple):
    """What the lines of layers 1 to N and the bias lines of arrays 2 to N draw.

    Attributes
    ----------
    bias : float
        Conductance on all these bias lines together [S], on ideal lines.
    forward, backward : (units,)
        Conductance on the lines a node drives towards the output and towards the input [S], on
        ideal lines.
    forms : (4, units + 1, units + 1)
        With wires, the quadratic forms of supply, cells read forward, cells read backward and
        wires [S], for the voltages of all lines and of the bias lines; else of size 0.
    """

    bias: float
    forward: NDArray
    backward: NDArray
    forms: NDArray


class InputPowers(NamedTuple):
    """Powers (batch,) [W] of the first array: of input and bias lines, to cells and wires."""

    inputs: NDArray
    bias: NDArray
    cells: NDArray
    wires: NDArray


def loads_of(network: LeakyNetwork) -> Loads:
    """Return what the lines of *network* draw."""
    sizes = network.sizes[1:]
    units = sum(sizes)
    if network.tiling is not None:
        return Loads(0.0, np.zeros(units), np.zeros(units), _forms(network, network.tiling))
    rows = [(a + b).sum(axis=1) for a, b in zip(network.plus, network.minus, strict=True)]
    behind = [
        (a + b).sum(axis=0)
        for a, b in (network.behind(layer) for layer in range(2, network.depth + 1))
    ]
    forward = np.concatenate([*(row[:-1] for row in rows[1:]), np.zeros(sizes[-1])])
    backward = np.concatenate([np.zeros(sizes[0]), *behind])
    return Loads(float(sum(row[-1] for row in rows[1:])), forward, backward, np.zeros((4, 0, 0)))


def input_powers(network: LeakyNetwork, phase: Phase) -> InputPowers:
    """Return the powers of the first array in *phase*."""
    plus, minus = network.plus[0], network.minus[0]
    x = np.asarray(phase.inputs, np.float64)
    v = np.column_stack([x, np.full(len(x), network.v_ref)])
    power, wires = np.zeros_like(v), np.zeros(len(v))
    tiling = network.tiling
    if tiling is None or not tiling.paired:
        power += v * v * (minus if tiling else plus + minus).sum(axis=1)
    cells = power.sum(axis=1)
    if tiling is not None:
        for place in tiling.places(plus.shape):
            g = tile_cells(tiling, place, plus, minus)
            found = drive_power(g, tiling.wires, v[:, place.rows])
            power[:, place.rows] += found.word
            cells += found.cells
            wires += found.wires
    return InputPowers(power[:, :-1].sum(axis=1), power[:, -1], cells, wires)


def _forms(network: LeakyNetwork, tiling: Tiling) -> NDArray:
    """Return the forms of all arrays but the first."""
    sizes = network.sizes
    starts = np.concatenate([[0], np.cumsum(sizes[1:])])
    units = int(starts[-1])
    forms = np.zeros((4, units + 1, units + 1))
    for layer in range(2, network.depth + 1):
        rows = np.append(np.arange(starts[layer - 2], starts[layer - 1]), units)
        columns = np.arange(starts[layer - 1], starts[layer])
        ahead = network.plus[layer - 1], network.minus[layer - 1]
        # Read backward, a shared array has its bias row at ground.
        behind = ahead if network.symmetric else network.behind(layer)
        _add(forms, FORWARD, rows, _driven(tiling, *ahead, forward=True))
        _add(forms, BACKWARD, columns, _driven(tiling, *behind, forward=False))
        if not tiling.paired:
            _add(forms, FORWARD, rows, _ideal(ahead[1].sum(axis=1)))
            _add(forms, BACKWARD, columns, _ideal(network.behind(layer)[1].sum(axis=0)))
    return forms


def _ideal(loads: NDArray) -> PowerForms:
    """Return the forms of cells on ideal lines, with the conductance *loads* on each."""
    return PowerForms(np.diag(loads), np.diag(loads), np.zeros((loads.size, loads.size)))


def _add(forms: NDArray, cells: int, lines: NDArray, found: PowerForms) -> None:
    at = np.ix_(lines, lines)
    for which, form in zip((SUPPLY, cells, WIRES), found, strict=True):
        forms[which][at] += form


def _driven(tiling: Tiling, plus: NDArray, minus: NDArray, *, forward: bool) -> PowerForms:
    """Return the forms of the lines of one array's tiles that are driven in one direction."""
    n = plus.shape[0 if forward else 1]
    total = PowerForms(*(np.zeros((n, n)) for _ in range(3)))
    for place in tiling.places(plus.shape):
        g = tile_cells(tiling, place, plus, minus)
        if forward:
            lines, found = place.rows, power_forms(g, tiling.wires, np.eye(len(g)))
        else:
            lines, count = place.columns, place.columns.stop - place.columns.start
            found = power_forms(g, tiling.wires, None, bit_drives(tiling, count))
        for form, part in zip(total, found, strict=True):
            form[lines, lines] += part
    return total
