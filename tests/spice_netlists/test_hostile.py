"""Hostile names and values through every writer: the deck keeps its structure, or is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ohmlearn.crossbar.wires import Wires
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.registry import devices
from ohmlearn.errors import OhmlearnError
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts import (
    DIALECTS,
    CellPulse,
    FrozenCells,
    Lines,
    MemristorCells,
    UserNmos,
    cell_1r,
    cell_1t1r,
    instance,
    label_of,
    library,
    nmos_model,
    pair,
    programming_sources,
    subcircuit,
    tile,
    verilog_a,
)

NASTY = [
    "", "0", "\n.control\nshell rm -rf /\n.endc\n", "a\r\n.include /etc/passwd", ".end", "+ more",
    "* comment", "$ x", "; quit", "'; shell id", '"quoted"', "`id`", "$(id)", "{1/0}", "x1 a b c",
    "a b", "ä µ Ω", "\x00\x1b[2J", "node[3]", "h<3>", "l1.h_3", "a" * 300, "TIME", "set", "1e3",
    "\u2028.control", "v(x)=1 i=", "np.float64(1)", "\\\n.op", "%n%s", ".ends\n.subckt t a", "_",
]  # fmt: skip
NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, 1e-6, 1e-12, 1e-30, 5e-324, 1e-300, 1e300, 1.7976931348623157e308,
    float("nan"), float("inf"), float("-inf"), 1e6, 2.0 / 3.0,
]  # fmt: skip
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
numbers = st.one_of(st.sampled_from(NUMBERS), st.floats(), st.floats(1e-9, 1.0))
HEADS = frozenset([".subckt", ".ends", ".func", ".ic", ".model"])
MODELS = [d.params() for d in devices().values()]


class Hostile:
    """Names and numbers of one example, drawn one after the other."""

    def __init__(self, names: list[str], values: list[float], seed: int) -> None:
        self.names, self.values, self.seed = names, values, seed
        self.asked = 0

    def name(self) -> str:
        self.asked += 1
        return self.names[self.asked % len(self.names)]

    def value(self) -> float:
        self.asked += 1
        return self.values[self.asked % len(self.values)]

    def params(self) -> Any:
        """Return parameters of which one is hostile."""
        p = MODELS[self.seed % len(MODELS)]
        field = p._fields[self.seed % len(p._fields)]
        return p._replace(**{field: self.value()})


def a_device(h: Hostile, own: str) -> str:
    p = h.params()
    call = instance(own, (own + h.name(), "0", f"{own}s"), own, p, x0=h.value())
    return subcircuit(p, label=own) + f"v{own_name(own)} {own_name(own + h.name())} 0 0.1\n" + call


def a_cell(h: Hostile, own: str) -> str:
    p = h.params()
    access = ACCESS._replace(w=h.value())
    nodes = (f"{own}b{h.name()}", f"{own}g", "0", f"{own}s")
    call = instance(own, nodes, own, x0=h.value() if h.seed % 2 else 0.5)
    source = "".join(f"v{own_name(n)} {own_name(n)} 0 1.0\n" for n in nodes[:2])
    return cell_1t1r(p, access, label=own) + source + call


def a_pair(h: Hostile, own: str) -> str:
    p = MODELS[h.seed % len(MODELS)]._replace(v_set=h.value())
    cell = f"{own}c"
    text = cell_1r(p, label=cell) + pair(p, cell, gate=False, label=own)
    pins = " ".join(own_name(own + k) for k in ("b", "p", "m", "xp", "xm"))
    sources = "".join(f"v{own_name(own + k)} {own_name(own + k)} 0 0.1\n" for k in "bpm")
    return f"{text}{sources}x{own_name(own)} {pins} {label_of(own)}\n"


def a_tile(h: Hostile, own: str) -> str:
    shape = (2, 3)
    values = np.array([h.value() for _ in range(6)]).reshape(shape)
    rows = [f"{own}r{k}{h.name()}" for k in range(2)]
    if h.seed % 3:
        cells: Any = FrozenCells(values)
    else:
        cells = MemristorCells(MODELS[h.seed % len(MODELS)], values, ACCESS)
    wires = Wires(1.0, h.value() if h.seed % 5 == 0 else 2.0)
    gates = [f"{own}g{k}" for k in range(2)]
    t = tile(cells, wires, label=own, rows=rows, columns=["0"] * 3, gates=gates,
             flat=bool(h.seed % 2))  # fmt: skip
    driven = (*t.nodes.row, *t.nodes.gate)
    return t.netlist + "".join(f"v{n} {n} 0 0.1\n" for n in driven)


def some_pulses(h: Hostile, own: str) -> str:
    pulses = [CellPulse(h.value(), 0, 0, 1, h.value(), h.value(), h.value())]
    if h.seed % 2:
        pulses = [CellPulse(1e-6, 0, 1, -1, h.value(), 1e-6, 2.0)]
    nodes = [f"{own}{k}{h.name()}" for k in range(4)]
    lines = Lines(nodes[:1], nodes[1:3], nodes[3:])
    text = programming_sources(pulses, lines, label=own)
    return text + "".join(f"r{own_name(n)} {own_name(n)} 0 1000.0\n" for n in nodes)


def a_transistor(h: Hostile, own: str) -> str:
    m = ACCESS._replace(vto=h.value())
    name = own_name(own)
    card = f"m{name} {name}d {name}d 0 0 {name} w=1e-6 l=1e-6"
    return f"{nmos_model(m, own)}\n{card}\nv{name} {name}d 0 0.5\n"


WRITERS: list[Callable[[Hostile, str], str]] = [
    a_device, a_cell, a_pair, a_tile, some_pulses, a_transistor,
]  # fmt: skip


def own_name(text: str) -> str:
    """Return the name that a writer gives a node or a card."""
    from ohmlearn.spice_netlists.names import name

    return name(text)


def cards(text: str) -> list[str]:
    """Return the logical lines of a netlist."""
    assert text.isascii()
    assert not re.search(r"[^\n -~]", text)
    joined = re.sub(r"\n\+ ", " ", text)
    return [line for line in joined.split("\n") if line]


def kinds(text: str) -> Counter[str]:
    """Return how many lines there are of each kind, comments left out."""
    found: Counter[str] = Counter()
    for line in cards(text):
        head = line.split()[0]
        if head.startswith("*"):
            continue
        if head.startswith("."):
            assert head in HEADS, line
        else:
            assert re.fullmatch(r"[rcvxbm][a-z0-9_]*", head), line
        assert not re.search(r"[;$`\"\\]", line), line
        found[head if head.startswith(".") else head[0]] += 1
    return found


@pytest.mark.spice
def test_200_examples_keep_the_decks_structure_and_simulate_or_are_refused(ngspice: str):
    accepted: list[str] = []
    refused: list[str] = []

    @settings(
        max_examples=200, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        st.lists(texts, min_size=1, max_size=5), st.lists(numbers, min_size=1, max_size=8),
        st.integers(0, 10**6), st.sampled_from(WRITERS),
    )  # fmt: skip
    def example(names: list[str], values: list[float], seed: int, writer: Any) -> None:
        number = len(accepted) + len(refused)
        try:
            text = writer(Hostile(names, values, seed), f"t{number} {names[0]}")
        except OhmlearnError as error:
            refused.append(str(error))
            return
        plain = kinds(writer(Hostile(["n"], values, seed), f"t{number} n"))
        assert kinds(text) == plain
        assert kinds(writer(Hostile(names, values, seed), names[0])) == plain
        accepted.append(text)

    example()
    assert len(accepted) > 60
    assert len(refused) > 20
    assert all(len(sentence) > 20 and "\n" not in sentence for sentence in refused)
    starts = range(0, len(accepted), 50)
    unsolved = sum(given_up(accepted[start : start + 50]) for start in starts)
    assert unsolved < 0.15 * len(accepted)


def given_up(texts: list[str]) -> int:
    """Simulate; return how many of the *texts* ngspice reads, but has no solution for.

    A time constant of 1e-300 s, say, is a number like any other, and too much for its solver.
    """
    deck = ["* hostile", *texts, ".op", ".tran 1e-7 1e-6", ".end", ""]
    try:
        assert len(run_batch("\n".join(deck), timeout=60)) == 2
    except OhmlearnError as error:
        if len(texts) > 1:
            half = len(texts) // 2
            return given_up(texts[:half]) + given_up(texts[half:])
        unsolved = re.search("[Tt]imestep too small|did not converge|[Ss]ingular", str(error))
        if not unsolved:
            raise
        return 1
    return 0


@given(texts, st.sampled_from(sorted(DIALECTS)), st.integers(0, len(MODELS) - 1))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_names_in_other_languages(label: str, dialect: str, which: int):
    p = MODELS[which]
    allowed = HEADS | {".param", "bi", "bx", "gbi", "gbx", "cx", "rx", "vx", "subckt", "ends"}
    allowed |= {"parameters", "simulator", "*"}
    lines = cards(subcircuit(p, dialect, label=label))
    assert {line.split()[0] for line in lines} <= allowed
    module = verilog_a(p, label=label)
    assert module.isascii()
    assert len(re.findall(r"^module [a-z][a-z0-9_]*\(te, be, x\);$", module, re.MULTILINE)) == 1
    assert module.count("`") == 1  # the one include


@given(texts, texts, texts)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_files_and_models_of_the_user_are_named_plainly_or_refused(file, model, section):
    nmos = UserNmos(model, Path(file.replace("\x00", "")), 1e-6, 1e-6, section=section)
    for write in (library, lambda n: cell_1t1r(MODELS[0], n, with_device=False)):
        try:
            text = write(nmos)
        except OhmlearnError:
            continue
        heads = {line.split()[0] for line in cards(text)}
        assert heads <= {".subckt", ".ends", ".lib", ".include", "mt", "xm", "*"}
