"""A device model as a Verilog-A module: the form of exchange with HSPICE, Spectre and others.

The module has the pins of the subcircuit (:mod:`.devices`): ``te``, ``be`` and the state ``x``,
1 V for x = 1, with the same scale and the same stops. In a static analysis it rests at ``x0``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...devices.contract import Device, Field, device_of
from ...devices.parameters import check_params
from ..names import name, number
from .cards import label_of, wrapped
from .devices import STOP
from .dialects import Dialect
from .expressions import Language, write
from .physics import Body, Helper, physics_of
from .words import VERILOG_AMS, parameter_names

__all__ = ["verilog_a"]

_SCALE = "1.0e-9"
# Compilers that tell models from instances then let every cell have parameters of its own.
_OWN = '(* type="instance" *)'
_VERILOG = Dialect("Verilog-A", renamed={"log": "ln", "log10": "log"})


def verilog_a(params: Any, *, label: str | None = None) -> str:
    """Return the Verilog-A module of a device model.

    Parameters
    ----------
    params : parameter tuple
        The nominal cell; its numbers are the module's defaults.
    label : str, optional
        Name of the module; that of the model if left out.

    Raises
    ------
    NetlistError
        If the model has no form in a circuit.
    DeviceError
        If the parameters describe no cell of the model.
    """
    device = device_of(type(params))
    check_params(device, params)
    module = label_of(label or device.name, "device")
    if module in VERILOG_AMS:
        module += "_m"
    names = {
        f: f"{n}_p" if n in VERILOG_AMS else n for f, n in parameter_names(params._fields).items()
    }
    physics = physics_of(device)
    helpers = {h.name: f"{module}_{h.name}" for h in physics.helpers}
    lets = [*physics.current.lets, *physics.rate.lets]
    variables = [f"q_{v}" for v in (*(let.name for let in lets), "current", "rate")]
    lines = [
        *_heading(device, module),
        *_parameters(device, params, names),
        *(line for h in physics.helpers for line in _function(h, helpers)),
        wrapped(["  real vm, xs,", *(f"{v}," for v in variables), "q_move;"], "    "),
        "  analog begin",
        "    vm = V(te, be);",
        "    xs = min(max(V(x), 0.0), 1.0);",
        *_assigned(physics.current, "current", names, helpers),
        *_assigned(physics.rate, "rate", names, helpers),
        *_equations(),
        "  end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _heading(device: Device, module: str) -> Iterator[str]:
    kind = "equation of motion" if device.dynamical else "pulse response, as a rate"
    source = "".join(c if " " <= c <= "~" else " " for c in device.reference)
    yield f"// {name(device.name)}: {kind}"
    yield f"// source: {source[:200]}"
    yield '`include "disciplines.vams"'
    yield ""
    yield f"module {module}(te, be, x);"
    yield "  inout te, be, x;"
    yield "  electrical te, be, x;"


def _parameters(device: Device, params: Any, names: Mapping[str, str]) -> Iterator[str]:
    fields: dict[str, Field] = device.fields()
    for field, value in params._asdict().items():
        about = f"{fields[field].meaning} [{fields[field].unit}]"
        note = "".join(c if " " <= c <= "~" else " " for c in about)[:80]
        yield f"  {_OWN} parameter real {names[field]} = {number(value, field)};  // {note}"
    yield f"  {_OWN} parameter real x0 = 0.5 from [0.0:1.0];  // state at the start"


def _function(helper: Helper, helpers: Mapping[str, str]) -> Iterator[str]:
    """Yield a helper as an analog function."""
    own = helpers[helper.name]
    yield f"  analog function real {own};"
    for argument in helper.body.arguments:
        yield f"    input a_{argument};"
        yield f"    real a_{argument};"
    if helper.body.lets:
        yield f"    real {', '.join(f'q_{let.name}' for let in helper.body.lets)};"
    yield "    begin"
    texts = {a: f"a_{a}" for a in helper.body.arguments}
    for let in helper.body.lets:
        yield f"      q_{let.name} = {write(let.value, Language(_VERILOG, texts, {}, helpers))};"
        texts[let.name] = f"q_{let.name}"
    yield f"      {own} = {write(helper.body.result, Language(_VERILOG, texts, {}, helpers))};"
    yield "    end"
    yield "  endfunction"


def _assigned(
    body: Body, what: str, names: Mapping[str, str], helpers: Mapping[str, str]
) -> Iterator[str]:
    """Yield the assignments of a function of voltage and state."""
    texts: dict[str, str] = dict(zip(body.arguments, ("vm", "xs"), strict=True))
    for let in body.lets:
        language = Language(_VERILOG, texts, names, helpers)
        yield f"    q_{let.name} = {write(let.value, language)};"
        texts[let.name] = f"q_{let.name}"
    result = write(body.result, Language(_VERILOG, texts, names, helpers))
    yield f"    q_{what} = {result};"


def _equations() -> Iterator[str]:
    up = f"min(max(({1.0 + STOP!r} - V(x)) / {STOP!r}, 0.0), 1.0)"
    down = f"min(max((V(x) + {STOP!r}) / {STOP!r}, 0.0), 1.0)"
    yield f"    q_move = max(q_rate, 0.0) * {up} + min(q_rate, 0.0) * {down};"
    yield "    I(te, be) <+ q_current;"
    yield f"    I(x) <+ ddt({_SCALE} * (V(x) + 0.1));"
    yield '    if (analysis("static"))'
    yield "      I(x) <+ V(x) - x0;"
    yield "    else"
    yield f"      I(x) <+ -{_SCALE} * q_move;"
