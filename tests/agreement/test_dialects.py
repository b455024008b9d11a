"""Other dialects read by programs that are here: not those simulators, but their language.

ngspice reads HSPICE's and LTspice's in its compatibility modes, and Xyce's as its own; it knows no
``if()`` in sources, so that the tests define one for the two dialects that have it. Its results
must be those of ngspice's own text. Spectre's language is parsed by VACASK, which has no
behavioural source of that name to simulate. None of this is a run in the simulators themselves.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.devices import contract
from ohmlearn.devices.registry import devices
from ohmlearn.spice_netlists.ngspice import Plot, read_raw
from ohmlearn.spice_netlists.ngspice.log import faults
from ohmlearn.spice_netlists.parts import instance, subcircuit

MODES = {"ngspice": "", "hspice": "hs", "ltspice": "lt", "xyce": ""}
OTHERS = ("hspice", "ltspice", "xyce")
IF = ".func if(a, b, c) {(a) ? (b) : (c)}"
OPTIONS = ".options temp=27 reltol=1e-7 vntol=1e-9 abstol=1e-15 chgtol=1e-18"
CONTROL = ".control\nset filetype=binary\nrun\nwrite out.raw\nquit\n.endc\n.end\n"


def read(dialect: str, text: str, folder: Path) -> Plot:
    """Have ngspice read *text* as *dialect*, and return the one analysis in it."""
    title, _, rest = text.rstrip().removesuffix(".end").partition("\n")
    own = IF + "\n" if dialect in ("ltspice", "xyce") else ""
    (folder / "run.cir").write_text(f"{title}\n{own}{rest}\n{CONTROL}")
    mode = MODES[dialect]
    done = subprocess.run(
        ["ngspice", "-b", "-n", *(["-D", f"ngbehavior={mode}"] if mode else []), "run.cir"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert not list(faults(log)), log
    assert mode == "" or f"Compatibility modes selected: {mode}" in log
    (plot,) = read_raw(folder / "out.raw")
    return plot


@pytest.mark.spice
@pytest.mark.parametrize("dialect", OTHERS)
def test_operating_points_of_all_devices(dialect: str, ngspice: str, tmp_path: Path):
    cells = {f"d{k}": device.params() for k, device in enumerate(devices().values())}
    deck = ["* all devices"]
    for label, p in cells.items():
        deck += [subcircuit(p, dialect, label=label), f"v{label} {label} 0 {0.9 * p.v_set!r}"]
        deck += [instance(label, (label, "0", f"x{label}"), label, x0=0.3)]
    plot = read(dialect, "\n".join([*deck, OPTIONS, ".op"]), tmp_path)
    for label, p in cells.items():
        assert plot[f"v(x{label})"][0] == pytest.approx(0.3, abs=1e-9)
        wanted = contract.current(p, 0.9 * p.v_set, 0.3)
        assert -plot[f"i(v{label})"][0] == pytest.approx(wanted, rel=1e-8)


@pytest.mark.spice
@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize("name", devices())
def test_a_pulse_moves_a_device_as_in_ngspice_own_text(
    dialect: str, name: str, ngspice: str, tmp_path: Path
):
    p = devices()[name].params()
    edge, width = 0.02 * p.t_set, p.t_set
    corners = f"0 0 {edge!r} {p.v_set!r} {width!r} {p.v_set!r} {width + edge!r} 0"
    ends = {}
    for which in ("ngspice", dialect):
        cell = subcircuit(p, which, label="cell")
        call = instance("1", ("a", "0", "x"), "cell", x0=0.3)
        lines = ["* pulse", cell, f"vp a 0 pwl({corners})", call, OPTIONS, ".save v(x) i(vp)"]
        lines.append(f".tran {width / 50!r} {1.5 * width!r} 0 {width / 50!r}")
        ends[which] = read(which, "\n".join(lines), tmp_path)["v(x)"][-1]
    assert ends[dialect] == pytest.approx(ends["ngspice"], abs=1e-7)
    assert ends["ngspice"] - 0.3 > 1e-5


GATE = (Path(__file__).parents[1] / "experiments" / "gate.toml").read_text()
HOPFIELD = """
name = "net"
[data]
name = "iris"
[network]
layers = [4, 5, 3]
[device]
preset = "HfO2-1T1R-demo"
[learning]
rule = "cep"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
"""
SHOCKLEY = ("resistive.diode=shockley", "resistive.diode_parameters={ i_s = 1e-9 }")
NETWORKS = {
    "sigmoid": (HOPFIELD, ("network.activation=sigmoid",)),
    "hard-sigmoid": (HOPFIELD, ("network.activation=hard-sigmoid",)),
    "tanh": (HOPFIELD, ("network.activation=tanh",)),
    "shockley": (GATE, SHOCKLEY),
    "piecewise": (GATE, ()),
}


def network_bench(name: str, dialect: str, folder: Path) -> Plot:
    """Write a network by the verb, and run its nudged phase in the folder where it is."""
    folder.mkdir()
    text, changes = NETWORKS[name]
    (folder / "net.toml").write_text(text)
    words = ["netlist", folder / "net.toml", "--phase", "nudged", "--dialect", dialect]
    words += [word for change in changes for word in ("--set", change)]
    done = CliRunner().invoke(app, [*map(str, words), "-o", str(folder / "deck")])
    assert done.exit_code == 0, done.output
    return read(dialect, (folder / "deck" / "tb_nudged.sp").read_text(), folder / "deck")


@pytest.mark.spice
@pytest.mark.parametrize("name", NETWORKS)
def test_operating_points_of_whole_networks(name: str, ngspice: str, tmp_path: Path):
    ours = network_bench(name, "ngspice", tmp_path / "ngspice")
    nodes = [n for n in ours.names if n.startswith("v(")]
    assert len(nodes) > 7
    assert np.ptp(ours.columns(nodes)) > 0.01
    for dialect in OTHERS:
        theirs = network_bench(name, dialect, tmp_path / dialect)
        apart = np.abs(theirs.columns(nodes) - ours.columns(nodes)).max()
        # The text for Xyce leaves tolerances to the user.
        assert apart < (1e-6 if dialect == "xyce" else 1e-9), dialect


def spectre(vacask: str, text: str, folder: Path) -> str:
    """Have VACASK read a subcircuit in Spectre's language, and return what it says."""
    # Outside that language a line that begins with a star is a comment.
    (folder / "cell.scs").write_text(re.sub(r"^\*", "//", text, flags=re.MULTILINE))
    deck = ["spectre", "ground 0", 'include "cell.scs" lang=spectre', "model vsource vsource"]
    deck += ["v1 (a 0) vsource dc=0.5", "x1 (a 0 x) cell x0=0.3", "control", "  abort always"]
    deck += ["  analysis a op", "endc", ""]
    (folder / "tb.sim").write_text("\n".join(deck))
    done = subprocess.run(
        [vacask, "tb.sim"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", devices())
def test_the_language_of_spectre_is_parsed(name: str, vacask: str, tmp_path: Path):
    text = subcircuit(devices()[name].params(), "spectre", label="cell")
    told = spectre(vacask, text, tmp_path)
    assert "parse error" not in told
    assert "Master 'bsource' not found" in told
    assert "parse error" in spectre(vacask, text.replace("bsource i=", "bsource i=(", 1), tmp_path)
