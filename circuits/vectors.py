"""Vectors as values inside kernels: a few registers' worth of numbers, element by element.

A loop over a matrix product is as fast as the processor only if sums stay in registers while the
index that is summed over runs, and that is the outer index of a loop that vectorises. LLVM
vectorises inner loops only; here a kernel says itself what is a vector. Vectors of any length are
cut into registers by LLVM, or become plain numbers on a processor without vectors.

Products and sums fuse as in :func:`~ohmlearn.jit.loop`, and nothing reorders.
"""

from __future__ import annotations

import operator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core.typing.templates import AbstractTemplate, Signature, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = ["REGISTER", "REGISTERS", "TOTALS", "Vector", "load", "put", "spread", "totals"]

_features = llvm.get_host_cpu_features()
REGISTER = 64 if _features.get("avx512f") else 32 if _features.get("avx") else 16
"""Bytes of a vector register of this processor."""
REGISTERS = 32 if _features.get("avx512f") else 16
"""How many of them there are."""
TOTALS = 16
"""Numbers in the vector that :func:`totals` returns; no register holds more."""

_typed: Any = infer_global
_intrinsic: Any = intrinsic  # takes the first parameter away, which no checker knows
_FLAGS = ("contract",)
_INDEX = ir.IntType(32)


class Vector(types.Type):
    """The type of *lanes* numbers of type *dtype*."""

    def __init__(self, dtype: Any, lanes: int) -> None:
        self.dtype = dtype
        self.lanes = lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, vector.lanes))


def _vector(array, registers):
    return Vector(array.dtype, registers.literal_value * REGISTER * 8 // array.dtype.bitwidth)


def _address(context, builder, array_type, array, at, vector):
    data = context.make_array(array_type)(context, builder, array).data
    place = builder.gep(data, [at], inbounds=True)
    return builder.bitcast(place, context.get_value_type(vector).as_pointer())


@_intrinsic(prefer_literal=True)
def load(typing_context, array, at, registers):
    """Return the numbers of the flat *array* from *at* on that fill *registers*, a constant."""
    vector = _vector(array, registers)

    def codegen(context, builder, signature, arguments):
        place = _address(context, builder, array, arguments[0], arguments[1], vector)
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return vector(array, types.intp, registers), codegen


@_intrinsic(prefer_literal=True)
def spread(typing_context, array, at, registers):
    """Return as many copies of number *at* of the flat *array* as fill *registers*."""
    vector = _vector(array, registers)

    def codegen(context, builder, signature, arguments):
        data = context.make_array(array)(context, builder, arguments[0]).data
        number = builder.load(builder.gep(data, [arguments[1]], inbounds=True))
        return _splat(builder, number, vector)

    return vector(array, types.intp, registers), codegen


@_intrinsic
def put(typing_context, vector, array, at):
    """Write *vector* to the flat *array* from *at* on."""

    def codegen(context, builder, signature, arguments):
        value, into, start = arguments
        place = _address(context, builder, array, into, start, vector)
        builder.store(value, place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(vector, array, types.intp), codegen


def _picked(builder, a, b, places):
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INDEX, len(places)), places))


def _halved(builder, values, width):
    """Add the halves of all groups of *width* numbers, and put two vectors' sums in one."""
    low = [i for i in range(2 * values[0].type.count) if i % width < width // 2]
    high = [i + width // 2 for i in low]
    return [
        builder.fadd(_picked(builder, a, b, low), _picked(builder, a, b, high))
        for a, b in zip(values[::2], values[1::2], strict=True)
    ]


@_intrinsic
def totals(typing_context, vectors):
    """Return the sums of each of up to sixteen *vectors* in one of sixteen numbers.

    The last sum fills the rest. Halves are added to halves; done for all at once, a shuffle and
    an addition serve several sums.
    """
    vector = vectors.dtype

    def codegen(context, builder, signature, arguments):
        values = [builder.extract_value(arguments[0], i) for i in range(vectors.count)]
        values += values[-1:] * (TOTALS - len(values))
        width = vector.lanes
        while width > 1:
            values = _halved(builder, values, width)
            width //= 2
        while len(values) > 1:
            both = list(range(2 * values[0].type.count))
            pairs = zip(values[::2], values[1::2], strict=True)
            values = [_picked(builder, a, b, both) for a, b in pairs]
        return values[0]

    return Vector(vector.dtype, TOTALS)(vectors), codegen


def _splat(builder, number, vector):
    kind = ir.VectorType(number.type, vector.lanes)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), number, _INDEX(0))
    return _picked(builder, one, one, [0] * vector.lanes)


def _less(builder, a, b):
    """Return b where it is less than a, else a, NaN of a included."""
    return builder.select(builder.fcmp_ordered("<", b, a), b, a)


def _greater(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", b, a), b, a)


_OPERATIONS = {
    operator.add: lambda builder, a, b: builder.fadd(a, b, flags=_FLAGS),
    operator.sub: lambda builder, a, b: builder.fsub(a, b, flags=_FLAGS),
    operator.mul: lambda builder, a, b: builder.fmul(a, b, flags=_FLAGS),
    operator.truediv: lambda builder, a, b: builder.fdiv(a, b, flags=_FLAGS),
    min: _less,
    max: _greater,
}


class _Elementwise(AbstractTemplate):
    def generic(self, arguments, keywords):
        vectors = [a for a in arguments if isinstance(a, Vector)]
        if len(arguments) != 2 or not vectors:
            return None
        vector = vectors[0]
        others = [a for a in arguments if a != vector]
        if others and others != [vector.dtype]:
            return None
        return Signature(vector, arguments, None)


def _lowering(operation):
    def lower(context, builder, signature, arguments):
        vector = signature.return_type
        values = [
            value if kind == vector else _splat(builder, value, vector)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        return operation(builder, *values)

    return lower


for _function, _operation in _OPERATIONS.items():
    _typed(_function)(_Elementwise)
    for _pair in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(_function, *_pair)(_lowering(_operation))
