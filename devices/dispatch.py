"""The device functions for Numba: dispatched on the type of the parameter tuple.

An array kernel is written once for all models::

    @kernel
    def program(like, table, x):
        for c in range(x.size):
            x[c] += potentiation(cell(like, table, c), x[c])

and is compiled, with the physics inlined and the result cached on disk, for each model it meets.
``like`` is any parameter tuple of the model, which only gives the type; the numbers of cell ``c``
stand in row ``c`` of ``table``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from ..jit import STRICT, kernel
from . import contract, functions
from .contract import change_after, conductance, current, depression, potentiation, rate

__all__ = [
    "cell",
    "cell_of_columns",
    "conductance",
    "conductance_array",
    "current",
    "depression",
    "potentiation",
    "rate",
    "state_for_conductance",
]


def _for_precision(function: Callable[..., Any], *arguments: types.Type) -> Callable[..., Any]:
    """Return *function*, ready to compile for *arguments*.

    A float literal is a float64 to Numba and would promote a whole float32 expression, so unless
    an argument is float64 the literals become float32. Annotations go, since Numba demands that
    they equal those of the overload.
    """
    assert isinstance(function, FunctionType)
    code = function.__code__
    if types.float64 not in arguments:
        single = (np.float32(c) if isinstance(c, float) else c for c in code.co_consts)
        code = code.replace(co_consts=tuple(single))
    return FunctionType(code, function.__globals__, function.__name__)


def _precision(p: types.Type) -> types.Type:
    """Return the type of the fields of a parameter tuple."""
    return next(iter(getattr(p, "types", ())), types.float64)


def _model(p: types.Type) -> contract.Device | None:
    params = getattr(p, "instance_class", None)
    return None if params is None else contract.device_of(params)


@overload(current, jit_options=STRICT)
def _current(p, v, x):
    device = _model(p)
    return device and _for_precision(device.current, _precision(p))


@overload(conductance, jit_options=STRICT)
def _conductance(p, v, x):
    return lambda p, v, x: current(p, v, x) / v


@overload(rate, jit_options=STRICT)
def _rate(p, v, x):
    device = _model(p)
    return device and _for_precision(contract.rate_of(device), _precision(p))


@overload(potentiation, jit_options=STRICT)
def _potentiation(p, x):
    device = _model(p)
    return device and _for_precision(contract.potentiation_of(device), _precision(p))


@overload(depression, jit_options=STRICT)
def _depression(p, x):
    device = _model(p)
    return device and _for_precision(contract.depression_of(device), _precision(p))


@overload(change_after, jit_options=STRICT)
def _change_after(p, v, t, x):
    return _for_precision(change_after, _precision(p))


def _compile_helper(function: Callable[[float], float]) -> None:
    """Let compiled code call a function of :mod:`.functions`, all of one argument *u*."""

    @overload(function, jit_options=STRICT)
    def _helper(u):
        return _for_precision(function, u)


for _name in functions.__all__:
    _compile_helper(getattr(functions, _name))


def _is_row_access(like: Any, table: Any, c: Any) -> bool:
    return (
        isinstance(like, types.BaseTuple)
        and hasattr(like, "instance_class")
        and isinstance(table, types.Array)
        and (table.ndim, table.layout) == (2, "C")
        and isinstance(c, types.Integer)
    )


def _reading(side_by_side: bool) -> Any:
    """Return the intrinsic that reads a cell's parameters from a row, or column, of a table."""

    def read(typingctx: Any, like: Any, table: Any, c: Any) -> Any:
        if not _is_row_access(like, table, c):
            return None
        result = types.NamedUniTuple(table.dtype, len(like), like.instance_class)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(table)(context, builder, arguments[1])
            columns = cgutils.unpack_tuple(builder, array.shape, 2)[1]
            at = context.cast(builder, arguments[2], c, types.intp)
            values = []
            for field in range(len(like)):
                number = context.get_constant(types.intp, field)
                row, column = (number, at) if side_by_side else (at, number)
                place = builder.add(builder.mul(row, columns), column)
                values.append(builder.load(builder.gep(array.data, [place])))
            return context.make_tuple(builder, result, values)

        return result(like, table, c), generate

    return intrinsic(read)


cell: Any = _reading(side_by_side=False)
"""``cell(like, table, c)``: the parameters of cell *c*, row *c* of *table*, as the type of *like*.

Compiled code only. *table* is C-contiguous, float32 or float64, shape (n_cells, n_fields), and its
precision decides that of the tuple. The row is not bounds-checked.
"""

cell_of_columns: Any = _reading(side_by_side=True)
"""``cell_of_columns(like, columns, c)``: the same from column *c* of a table (n_fields, n_cells).

A loop over neighbouring cells then loads neighbouring numbers, and vectorises.
"""


@kernel
def conductance_array(like: Any, table: Any, v_read: Any, x: Any, out: Any) -> None:
    """Write the conductance [S] of every cell at *v_read* [V] into *out*; all shape (n_cells,)."""
    v = table.dtype.type(v_read)
    for c in range(x.size):
        out[c] = conductance(cell(like, table, c), v, x[c])


@kernel
def state_for_conductance(like: Any, table: Any, v_read: Any, g_target: Any, out: Any) -> None:
    """Write the state in [0, 1] at which each cell has *g_target* [S] into *out*.

    Bisection on the state, to the last bit of the table's precision; a target outside the cell's
    own window gives the nearest end. Arrays have shape (n_cells,).
    """
    v = table.dtype.type(v_read)
    for c in range(out.size):
        p = cell(like, table, c)
        low, high = table.dtype.type(0), table.dtype.type(1)
        if conductance(p, v, high) <= g_target[c]:
            out[c] = high
            continue
        middle = table.dtype.type(0.5)
        while low < middle < high:
            if conductance(p, v, middle) <= g_target[c]:
                low = middle
            else:
                high = middle
            middle = table.dtype.type(0.5) * (low + high)
        out[c] = low
