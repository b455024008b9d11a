"""Transients written for other simulators, read by ngspice but for two forms it has not.

ngspice calls a source inside a subcircuit ``v.xnet.v1``, where the others say ``xnet.v1``; and it
wants equal signs in the limits of a measurement, which LTspice does not have. Both are put into
its own words here; all else is read as it stands, and must give what ngspice's own text gives.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.cosimulation.circuit import circuit_of
from ohmlearn.cosimulation.deck import deck_of
from ohmlearn.experiment import parse_experiment
from ohmlearn.spice_netlists.ngspice import Plot, read_raw
from ohmlearn.spice_netlists.ngspice.log import faults

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

MODES = {"ngspice": "", "hspice": "hs", "ltspice": "lt", "xyce": ""}
OTHERS = ("hspice", "ltspice", "xyce")
IF = ".func if(a, b, c) {(a) ? (b) : (c)}"
CONTROL = ".control\nset filetype=binary\nrun\nwrite out.raw\nquit\n.endc\n.end\n"

HOPFIELD = """
name = "net"
[data]
name = "iris"
[network]
layers = [4, 5, 3]
[device]
preset = "HfO2-1T1R-demo"
[crossbar]
tile = [5, 6]
[learning]
rule = "cep"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
"""
RESISTIVE = """
name = "net"
[data]
name = "xor"
[network]
kind = "resistive"
layers = [6, 10, 2]
[resistive]
input_offset = 0.5
rails = [0.0, 1.0]
output_gain = 4.0
nudge = "conductance"
clamp = "rails"
diode = "shockley"
diode_parameters = { i_s = 1e-9 }
gain = 4.0
unit = 1e-6
g_initial = [0.1, 8.0]
[learning]
rule = "ep"
beta = 0.1
eta = 1.0
free_steps = 1
nudged_steps = 1
[training]
epochs = 1
batch_size = 4
[run]
level = "ideal"
precision = "float64"
"""
NETWORKS = {
    "hopfield": HOPFIELD,
    "wires": HOPFIELD + "[wires]\nr_word = 2.0\nr_bit = 3.0\n",
    "resistive": RESISTIVE,
}


def in_own_words(text: str) -> str:
    text = re.sub(r"\bi\((x\w+)\.(\w)(\w*)\)", r"i(\2.\1.\2\3)", text)
    return re.sub(r"(?m)^(\.meas .*) from (\S+) to (\S+)$", r"\1 from=\2 to=\3", text)


def read(dialect: str, text: str, folder: Path) -> tuple[Plot, dict[str, float]]:
    """Have ngspice read *text* as *dialect*; return its waveforms and measurements."""
    folder.mkdir()
    title, _, rest = text.rstrip().removesuffix(".end").partition("\n")
    own = IF + "\n" if dialect in ("ltspice", "xyce") else ""
    (folder / "run.cir").write_text(f"{title}\n{own}{rest}\n{CONTROL}")
    mode = ["-D", f"ngbehavior={MODES[dialect]}"] if MODES[dialect] else []
    done = subprocess.run(
        ["ngspice", "-b", "-n", *mode, "run.cir"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert not list(faults(log)), log
    (plot,) = read_raw(folder / "out.raw")
    measured = re.findall(r"(?m)^(e_\w+)\s+=\s+(\S+)", log)
    return plot, {name: float(value) for name, value in measured}


@pytest.mark.parametrize("name", NETWORKS)
def test_waveforms_and_energies_are_those_of_ngspice_own_text(name: str, tmp_path: Path):
    circuit = circuit_of(parse_experiment(NETWORKS[name], f"{name}.toml"))
    own = deck_of(circuit, 0, ["step"], tight=True).flat()
    ours, energies = read("ngspice", own, tmp_path / "ngspice")
    nodes = [n for n in ours.names if n.startswith("v(") and not n.startswith("v(w_")]
    assert len(nodes) > 7
    assert len(energies) > 9
    for dialect in OTHERS:
        text = deck_of(circuit, 0, ["step"], tight=True, dialect=dialect).flat()
        theirs, found = read(dialect, in_own_words(text), tmp_path / dialect)
        # The text for Xyce leaves tolerances, and with them the steps, to the user.
        close, part = (2e-3, 0.02) if dialect == "xyce" else (1e-9, 1e-6)
        for node in nodes:
            wave = np.interp(ours["time"], theirs["time"], theirs[node])
            assert np.abs(wave - ours[node]).max() < close, (dialect, node)
        assert found.keys() == energies.keys(), dialect
        largest = max(map(abs, energies.values()))
        for each, value in energies.items():
            assert found[each] == pytest.approx(value, rel=part, abs=1e-6 * largest), dialect
