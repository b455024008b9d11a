"""Every device model as Verilog-A: compiled, and run in VACASK, against the kernels.

OpenVAF-reloaded compiles the module of each model once; presets are the same compiled module with
parameters of their own. VACASK is another simulator than ngspice, with its own integration.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from numpy.typing import NDArray

from ohmlearn.devices import contract
from ohmlearn.devices.contract import device_of
from ohmlearn.devices.registry import devices, presets
from ohmlearn.spice_netlists.names import number
from ohmlearn.spice_netlists.ngspice import read_raw
from ohmlearn.spice_netlists.parts import verilog_a

FULL_SCALE = 1e-4
CELLS = {n: d.params() for n, d in devices().items()} | {
    n: preset.params for n, (_, preset) in presets().items()
}
# Models whose motion does not run away: their pulses may be made long enough to hit both bounds.
TAME = ("ConstantStep", "ExpStep", "NeuroSim", "PhaseChange", "PowStep", "SoftBounds")
# The rate of a pulse-response model jumps at the write threshold, where only the control of the
# step keeps the error small. A threshold that moves with the state leaves Newton's method no
# solution at steps that small, so that dynamical models are integrated a little less tightly.
JUMPS = "reltol=1e-7 vntol=1e-9 tran_lteratio=1.5"
MOVES = "reltol=1e-6 vntol=1e-9"


class Module(NamedTuple):
    """A compiled module: the file, its name, and the names of its parameters in order."""

    file: Path
    name: str
    parameters: list[str]


@pytest.fixture(scope="module")
def compiled(openvaf: str, tmp_path_factory) -> Callable[[Any], Module]:
    """Return what compiles the module of a model, once."""
    folder, known = tmp_path_factory.mktemp("osdi"), {}

    def module_of(p: Any) -> Module:
        device = device_of(type(p))
        if device.name not in known:
            text = verilog_a(device.params())
            (folder / f"{device.name}.va").write_text(text)
            out = folder / f"{device.name}.osdi"
            command = [openvaf, f"{device.name}.va", "-o", out]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
            )
            assert done.returncode == 0, done.stdout + done.stderr
            name = re.findall(r"^module (\w+)", text, re.MULTILINE)[0]
            known[device.name] = Module(out, name, re.findall(r"parameter real (\w+) =", text))
        return known[device.name]

    return module_of


def run(vacask: str, module: Module, cards: list[str], control: list[str], folder: Path):
    """Run cells of one module, and return the only analysis."""
    deck = [
        "cells under pulses",
        "ground 0",
        f'load "{module.file}"',
        "model vsource vsource",
        f"model cell {module.name}",
        *cards,
        "control",
        "  abort always",
        '  options rawfile="binary"',
        *(f"  {line}" for line in control),
        "endc",
    ]
    (folder / "tb.sim").write_text("\n".join(deck) + "\n")
    done = subprocess.run(
        [vacask, "tb.sim"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (plot,) = read_raw(folder / "a.raw")
    return plot


def own(p: Any, module: Module) -> str:
    """Return the parameters of a cell."""
    values = zip(module.parameters, p, strict=False)  # the last one is the state at the start
    return " ".join(f"{name}={number(value)}" for name, value in values)


def simulated(
    vacask: str, module: Module, p: Any, pulses: Any, folder: Path
) -> tuple[NDArray, NDArray, NDArray]:
    """Return time, state and current of one cell in VACASK."""
    corners = zip(pulses.t, pulses.v, strict=True)
    wave = ", ".join(f"{number(t)}, {number(v)}" for t, v in corners)
    step, end = number(pulses.width / 2000), number(pulses.t[-1])
    cards = [
        f'vp (a 0) vsource dc=0 type="pwl" wave=[{wave}]',
        f"x1 (a 0 x) cell x0=0.5 {own(p, module)}",
    ]
    tight = MOVES if device_of(type(p)).dynamical else JUMPS
    control = [f"options {tight}", f"analysis a tran step={step} stop={end} maxstep={step}"]
    plot = run(vacask, module, cards, control, folder)
    return plot["time"], plot["x"], -plot["vp:flow(br)"]


@pytest.mark.parametrize("name", CELLS)
def test_state_and_current_follow_set_and_reset_pulses(
    name: str, vacask: str, compiled, tmp_path: Path, pulse_train, from_kernels
):
    p = CELLS[name]
    pulses = pulse_train(p, 1)
    found = simulated(vacask, compiled(p), p, pulses, tmp_path)
    state, current, moved = from_kernels(p, pulses, 0.5, found)
    assert state < FULL_SCALE
    assert current < FULL_SCALE
    assert state < 0.02 * moved  # a cell that stood still would not pass


@pytest.mark.parametrize("name", TAME)
def test_long_pulses_drive_the_state_to_its_bounds_and_back(
    name: str, vacask: str, compiled, tmp_path: Path, pulse_train, from_kernels
):
    p = CELLS[name]
    slow = min(contract.potentiation(p, 0.5), contract.depression(p, 0.5))
    pulses = pulse_train(p, 1, stretch=2.0 / slow)
    found = simulated(vacask, compiled(p), p, pulses, tmp_path)
    state, current, moved = from_kernels(p, pulses, 0.5, found)
    assert moved > 0.4
    assert state < FULL_SCALE
    assert current < FULL_SCALE


@pytest.mark.parametrize("name", devices())
def test_an_operating_point_shows_the_programmed_state_under_any_bias(
    name: str, vacask: str, compiled, tmp_path: Path
):
    p = CELLS[name]
    module, bias, states = compiled(p), 0.9 * p.v_set, (0.0, 0.3, 1.0)
    cards = []
    for k, x0 in enumerate(states):
        cards += [f"v{k} (a{k} 0) vsource dc={number(bias)}", f"x{k} (a{k} 0 x{k}) cell x0={x0}"]
    control = ["options reltol=1e-9 vntol=1e-12 abstol=1e-15", "analysis a op"]
    plot = run(vacask, module, cards, control, tmp_path)
    for k, x0 in enumerate(states):
        assert plot[f"x{k}"][0] == pytest.approx(x0, abs=1e-9)
        flow = contract.current(p, bias, x0)
        assert -plot[f"v{k}:flow(br)"][0] == pytest.approx(flow, rel=1e-8, abs=1e-15)


def test_a_start_outside_the_window_is_refused(vacask: str, compiled, tmp_path: Path):
    p = CELLS["SoftBounds"]
    cards = ["v1 (a 0) vsource dc=0.1", "x1 (a 0 x) cell x0=1.5"]
    with pytest.raises(AssertionError, match="x0"):
        run(vacask, compiled(p), cards, ["analysis a op"], tmp_path)
