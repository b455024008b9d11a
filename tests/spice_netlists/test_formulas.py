"""Model functions as netlist text: what is read, what is refused, what arithmetic becomes."""

from __future__ import annotations

import ast
import math
from math import expm1, log, log1p, sin, sqrt
from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest

from ohmlearn.devices.contract import Device
from ohmlearn.devices.functions import limexp, limsinh, smooth_step, softplus
from ohmlearn.devices.registry import devices
from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts.devices import subcircuit
from ohmlearn.spice_netlists.parts.dialects import DIALECTS
from ohmlearn.spice_netlists.parts.expressions import Language, write
from ohmlearn.spice_netlists.parts.physics import physics_of
from ohmlearn.spice_netlists.parts.unfolding import in_full
from ohmlearn.spice_netlists.parts.words import parameter_names

HALF = 0.5


class Trial(NamedTuple):
    """Parameters of a model made for these tests."""

    a: Annotated[float, "1", "a number"] = 2.0
    n: Annotated[float, "1", "a whole number"] = 3.0
    time: Annotated[float, "1", "a word that is taken"] = 4.0
    V: Annotated[float, "1", "upper case"] = 5.0
    v_set: Annotated[float, "V", "SET"] = 1.0
    t_set: Annotated[float, "s", "SET"] = 1.0
    v_reset: Annotated[float, "V", "RESET"] = -1.0
    t_reset: Annotated[float, "s", "RESET"] = 1.0


def plain(p: Any, v: float, x: float) -> float:
    return p.a * v


def device(current: Any) -> Device:
    return Device("Trial", Trial, current, rate=plain)


def powers(p: Any, v: float, x: float) -> float:
    cube = (v - x) ** 3.0
    square = (v - x) ** 2.0
    whole = (v - x) ** p.n
    root = max(v - x, 0.0) ** 0.5
    return cube + 10.0 * square + 100.0 * whole + 1000.0 * root + 0.1 * math.pow(x - v, 1.0)


def logic(p: Any, v: float, x: float) -> float:
    both = 1.0 if 0.0 <= v < x and v != 0.0 else 0.0
    either = 10.0 if v < -0.5 or v > 0.5 or x == 2.0 else 0.0
    return both + either + (100.0 if not (v > 0.0 and x > 0.0) else 0.0)


def remainders(p: Any, v: float, x: float) -> float:
    y = 5.0 * v
    y += 0.125
    y -= v
    return y % p.a + 10.0 * (y // p.a) + 100.0 * math.floor(v) + 1000.0 * math.ceil(v)


def helpers(p: Any, v: float, x: float) -> float:
    small = expm1(1e-9 * v) * 1e9 + log1p(abs(v))
    return small + limexp(50.0 * v) * 1e-25 + limsinh(50.0 * v) * 1e-24 + softplus(v) + sqrt(x)


def others(p: Any, v: float, x: float) -> float:
    unused = sin(v)  # noqa: F841
    step: float = smooth_step(v) * HALF * math.pi
    step = step + math.atan(v) + math.asinh(v) - math.acosh(x + 1.5) / math.cosh(v)
    return min(step, max(v, x, -0.1)) + log(x + 1.0) - (+p.time) * p.V * -v


# A voltage is met to the last bit only at 0: where functions jump, ngspice may be on either side.
POINTS = [(v, x) for v in (-1.3, -0.6, -0.2, 0.0, 0.27, 0.4, 1.1, 1.7) for x in (0.0, 0.3, 1.0)]


@pytest.mark.spice
@pytest.mark.parametrize("function", [powers, logic, remainders, helpers, others])
@pytest.mark.parametrize("full", [False, True])
def test_ngspice_computes_what_python_computes(function: Any, full: bool, ngspice: str):
    if full:
        physics = physics_of(device(function))
        names = parameter_names(Trial._fields)
        language = Language(DIALECTS["ngspice"], {"v": "v(a)", "x": "v(b)"}, names, {})
        body = [f"bi a 0 i={write(in_full(physics.current, physics), language)}"]
        pairs = " ".join(f"{names[f]}={v}" for f, v in Trial()._asdict().items())
        text = "\n".join([f".subckt trial a b {pairs}", *body, ".ends"])
    else:
        text = text_of(function)
    deck = ["* points", text]
    for k, (v, x) in enumerate(POINTS):
        deck += [f"v{k} a{k} 0 {v}", f"w{k} b{k} 0 {x}".replace("w", "vw")]
        deck += [f"x{k} a{k} b{k} trial" if full else f"x{k} a{k} 0 s{k} trial x0={x}"]
    options = ".options gmin=1e-20 abstol=1e-18 reltol=1e-9"
    plot = run_batch("\n".join([*deck, options, ".op", ".end", ""]))[0]
    found = [-plot[f"i(v{k})"][0] for k in range(len(POINTS))]
    ours = [function(Trial(), v, x) for v, x in POINTS]
    np.testing.assert_allclose(found, ours, rtol=1e-8, atol=1e-8)


def text_of(function: Any) -> str:
    """Return the subcircuit of a model whose current is *function*."""
    import ohmlearn.spice_netlists.parts.devices as part

    writer = part._Text("trial", DIALECTS["ngspice"], parameter_names(Trial._fields))
    names = parameter_names(Trial._fields)
    defaults = {names[f]: str(v) for f, v in Trial()._asdict().items()}
    return "\n".join(writer.subcircuit(physics_of(device(function)), defaults))


def test_a_quantity_that_nothing_uses_is_left_out():
    lets = [let.name for let in physics_of(device(others)).current.lets]
    assert lets == ["current_step", "current_step_2"]


def loops(p: Any, v: float, x: float) -> float:
    for _ in range(3):
        v = v + x
    return v


def calls(p: Any, v: float, x: float) -> float:
    return plain(p, v, x)


def branches(p: Any, v: float, x: float) -> float:
    if v > 0.0:
        return v
    return -v


def strings(p: Any, v: float, x: float) -> float:
    return v * len("a")


def outside(p: Any, v: float, x: float) -> float:
    return v * math.gamma(x + 1.0)


def misspelt(p: Any, v: float, x: float) -> float:
    return v * p.b


def silent(p: Any, v: float, x: float) -> float:
    v = v + x  # type: ignore[return]


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (loops, r"Trial: current, line 2: For has no form in a circuit; allowed are assignments"),
        (calls, r"line 2: plain\(\) has no form"),
        (branches, r"line 2: If has no form"),
        (strings, r"line 2: len\(\) has no form|neither argument, parameter nor number"),
        (outside, r"line 2: gamma\(\) has no form"),
        (misspelt, r"line 2: there is no parameter 'b'"),
        (silent, r"does not return a value"),
    ],
)
def test_what_has_no_form_in_a_circuit_is_refused(function: Any, sentence: str):
    with pytest.raises(NetlistError, match=sentence):
        physics_of(device(function))


def test_a_function_without_text_is_refused():
    scope: dict[str, Any] = {}
    code = compile("def current(p, v, x):\n    return v\n", "<nowhere>", "exec")
    exec(code, scope)
    with pytest.raises(NetlistError, match="text of current cannot be read"):
        physics_of(device(scope["current"]))


def test_parameters_give_way_to_words_of_the_languages_and_to_each_other():
    names = parameter_names(["time", "V", "v_p", "G_on", "g_on", "m", "µ", "x0"])
    assert names["time"] == "time_p"
    assert names["V"] == "v_p"
    assert names["v_p"] != "v_p"
    assert len(set(names.values())) == len(names)
    assert all(n.isascii() and n == n.lower() for n in names.values())


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", devices())
def test_every_dialect_of_every_device_is_well_formed(dialect: str, name: str):
    text = subcircuit(devices()[name].params(), dialect)
    assert text.isascii()
    cards = [line for line in text.splitlines() if not line.startswith("*")]
    for line in cards:
        assert line.count("(") == line.count(")")
        assert line.count("{") == line.count("}")
        assert line.count("'") % 2 == 0
    heads = {line.split()[0] for line in cards}
    assert not heads & {".control", ".include", ".lib", ".end"}
    ours = ("if(" in text, "?" in text, "bsource" in text, "cur=" in text)
    choice = dialect in ("ltspice", "xyce")
    assert ours == (choice, not choice, dialect == "spectre", dialect == "hspice")
    assert ("not run by the authors" in text) == (dialect != "ngspice")
    assert "limit(" not in text
    assert "**" not in text.replace("**", "", 0) or dialect == ""


def test_a_dialect_that_is_none_is_refused():
    with pytest.raises(NetlistError, match=r"netlist dialect 'ngspise'; did you mean 'ngspice'\?"):
        subcircuit(devices()["VTEAM"].params(), "ngspise")


def test_expressions_keep_the_order_of_python():
    node = ast.parse("a - (b - c) / (d * e) - -f", mode="eval").body
    names = {k: k for k in "abcdef"}
    assert write(node, Language(DIALECTS["ngspice"], names, {}, {})) == "a-(b-c)/(d*e)-(-f)"
