"""One time step of C dv/dt = currents: the Rosenbrock method Rodas5P.

Eight stages solve linear systems with one matrix, C / (gamma h) plus the network's own, so a step
is one elimination (:mod:`.elimination`) and eight substitutions; no nonlinear equation is
iterated. The method is of order 5 with an error estimate of order 4, L-stable and stiffly
accurate, which is what diodes ask for, and has a continuous output of order 4.

References
----------
G. Steinebach, "Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within
the Julia Differential Equations package", BIT Numerical Mathematics 63, 27 (2023),
doi 10.1007/s10543-023-00967-x: all coefficients, in the form that needs no product with the
matrix.
"""

from __future__ import annotations

import numpy as np

from ...jit import inner, kernel
from .elimination import eliminate, solve
from .kirchhoff import currents

__all__ = ["ORDER", "STAGES", "between", "step"]

STAGES = 8
ORDER = 5
_GAMMA = 0.21193756319429014
_SIXTH = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)


def _lower(*rows: tuple[float, ...]) -> np.ndarray:
    matrix = np.zeros((STAGES, STAGES))
    for i, row in enumerate(rows, 1):
        matrix[i, : len(row)] = row
    return matrix


_A = _lower(
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    _SIXTH,
    (*_SIXTH, 1.0),
    (*_SIXTH, 1.0, 1.0),
)
_C = _lower(
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (
        24.854864614690072,
        -3.0009227002832186,
        47.4931110020768,
        5.5814197821558125,
        -0.6610691825249471,
    ),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)
_DENSE = np.array(
    [
        [
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ],
        [
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ],
        [
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ],
    ]
)


@inner
def _combine(coefficients, stages, count, out):
    """Add the first *count* stages, each times its coefficient, to *out*."""
    for i in range(count):
        factor = coefficients[i]
        for j in range(out.size):
            out[j] += factor * stages[i, j]


@inner
def _add_product(a, b, factor, out):
    for j in range(out.size):
        out[j] += factor * a[j] * b[j]


@kernel
def step(flat, conductance, drive, v, f, slope, h, factors, stages, work, end, dense):
    """Advance *v* by *h* [s].

    Parameters
    ----------
    v, f, slope : (nodes,)
        Voltages, and what :func:`~.kirchhoff.currents` gives there. A node with infinite slope is
        held by an ideal diode and does not move.
    stages : (8, nodes)
        Work space.
    work : (3, nodes)
        Work space.
    end : (nodes,)
        Receives the voltages after the step.
    dense : (3, nodes)
        Receives what :func:`between` needs.

    Returns
    -------
    float
        Estimated error of the largest component [V]; infinite if the step cannot be taken.
    """
    point, sums, unused = work[0], work[1], work[2]
    unused[:] = slope
    _add_product(flat.capacitance, np.ones(v.size), 1.0 / (_GAMMA * h), unused)
    if eliminate(flat, unused, factors) != 0:
        return np.inf
    stages[0] = f
    solve(flat, factors, stages[0])
    for i in range(1, STAGES):
        point[:] = v
        _combine(_A[i], stages, i, point)
        currents(flat, conductance, drive, point, stages[i], unused)
        sums[:] = 0.0
        _combine(_C[i], stages, i, sums)
        _add_product(flat.capacitance, sums, 1.0 / h, stages[i])
        solve(flat, factors, stages[i])
    error = 0.0
    for j in range(v.size):
        end[j] = point[j] + stages[STAGES - 1, j]
        error = max(error, abs(stages[STAGES - 1, j])) if end[j] == end[j] else np.inf
    for k in range(3):
        dense[k] = 0.0
        _combine(_DENSE[k], stages, STAGES, dense[k])
    return error


@inner
def between(start, end, dense, part, out):
    """Write the voltages after *part* (0 to 1) of a step to *out*."""
    for j in range(out.size):
        bend = dense[0, j] + part * (dense[1, j] + part * dense[2, j])
        out[j] = start[j] + part * ((end[j] - start[j]) + (1.0 - part) * bend)
