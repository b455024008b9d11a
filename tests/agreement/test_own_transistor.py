"""Access transistors of the user's own library in the netlist of a learned sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.cosimulation.sample import CepSample, learn_test_sample, netlist_of
from ohmlearn.cosimulation.transistor import own_transistor, transistor_notes
from ohmlearn.errors import ConfigError, NetlistError
from ohmlearn.experiment import Experiment, load_experiment
from ohmlearn.spice_netlists.networks.sample_deck import SampleEnds, run_sample

PLAIN = (Path(__file__).parents[1] / "experiments" / "learned_sample.toml").read_text()
EXPERIMENT = PLAIN.replace(
    "[circuit]\n",
    """[circuit]
transistor_library = "cards/mine.lib"
transistor_model = "nch"
transistor_section = "same"
""",
)
# The first section is the transistor of [access], the second a weaker one in a subcircuit.
LIBRARY = """* transistors
.lib same
.model nch nmos level=1 vto=0.7 kp=1e-4 gamma=0.45 phi=0.7 lambda=0.02 is=1e-30
.endl same
.lib weak
.model inside nmos level=1 vto=1.2 kp=0.1e-4 gamma=0 phi=0.7 lambda=0 is=1e-30
.subckt nch_sub d g s b w=1e-6 l=1e-6
m1 d g s b inside w={w} l={l}
.ends nch_sub
.endl weak
"""
WEAK = (
    'circuit.transistor_section="weak"',
    'circuit.transistor_model="nch_sub"',
    "circuit.transistor_subckt=true",
)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "cards").mkdir()
    (folder / "cards" / "mine.lib").write_text(LIBRARY)
    (folder / "sample.toml").write_text(EXPERIMENT)
    (folder / "cards" / "whole.lib").write_text(LIBRARY.splitlines()[2] + "\n")
    whole = EXPERIMENT.replace("mine.lib", "whole.lib").replace('transistor_section = "same"', "")
    (folder / "whole.toml").write_text(whole)
    (folder / "plain.toml").write_text(PLAIN)
    return folder / "sample.toml"


@pytest.fixture(scope="module")
def sample(file: Path) -> CepSample:
    return learn_test_sample(load_experiment(file), None, 2)


def ends(experiment: Experiment, sample: CepSample) -> SampleEnds:
    return run_sample(netlist_of(experiment, sample))


@pytest.mark.spice
def test_the_same_transistor_in_a_library_gives_the_same(ngspice, file, sample):
    plain = load_experiment(file.with_name("plain.toml"))
    whole = load_experiment(file.with_name("whole.toml"))
    assert '.include "' in netlist_of(whole, sample).deck.flat()
    ours, theirs = ends(plain, sample), ends(whole, sample)
    np.testing.assert_allclose(theirs.voltages, ours.voltages, rtol=0, atol=1e-9)
    for a, b in zip(theirs.states, ours.states, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


@pytest.mark.spice
def test_another_transistor_in_a_subcircuit_makes_a_difference(ngspice, file, sample):
    found = ends(load_experiment(file, WEAK), sample)
    assert np.abs(found.voltages - sample.voltages).max() > 2e-3


def test_a_path_counts_from_the_experiment_file(file, sample, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    experiment = load_experiment(file)
    library = file.parent / "cards" / "mine.lib"
    assert experiment.circuit.transistor_library == str(library)
    deck = netlist_of(experiment, sample).deck
    named = [line for line in deck.flat().splitlines() if line.startswith((".lib", ".inc"))]
    assert named == [f'.lib "{library}" same']
    assert deck.flat().count("nch w=2e-05 l=6e-07") == 2 + 2 * 2 * 3  # arrays and readers
    assert "nmos level=1" not in deck.flat()
    other = load_experiment(file, ["circuit.transistor_library=other.lib"])
    assert other.circuit.transistor_library == str(tmp_path / "other.lib")


def test_training_does_not_hear_of_it(file):
    plain = load_experiment(file.with_name("plain.toml"))
    assert plain.digest() == load_experiment(file).digest()
    assert own_transistor(plain) is None
    assert transistor_notes(plain, cells=True) == ()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (['circuit.transistor_library="none.lib"'], "there is no such file"),
        (['circuit.transistor_library="a;b.lib"'], "allowed in its name"),
        (['circuit.transistor_library="a\\n.control"'], "allowed in its name"),
        (['circuit.transistor_model="nch w=1"'], "allowed are letters"),
        (['circuit.transistor_section="tt\\n.exec"'], "allowed are letters"),
    ],
)
def test_files_and_names_are_checked_before_they_reach_a_netlist(file, sample, overrides, said):
    with pytest.raises(NetlistError, match=said):
        netlist_of(load_experiment(file, overrides), sample)


def test_keys_that_belong_together_are_asked_for(file):
    plain = file.with_name("plain.toml")
    for key in ("transistor_model=nch", "transistor_section=tt", "transistor_subckt=true"):
        with pytest.raises(ConfigError, match="transistor_library is missing"):
            own_transistor(load_experiment(plain, [f"circuit.{key}"]))
    with pytest.raises(ConfigError, match="transistor_model is missing"):
        own_transistor(load_experiment(plain, ["circuit.transistor_library=a.lib"]))


def test_cells_without_a_transistor_need_none(file, tmp_path):
    text = EXPERIMENT.replace("[access]\nw = 20e-6\nv_gate = 5.0\n", "")
    (tmp_path / "bare.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"add \[access\]"):
        own_transistor(load_experiment(tmp_path / "bare.toml"))


def verb(*arguments: object):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.mark.spice
def test_the_verbs_say_what_the_kernels_cannot_know(ngspice, file, tmp_path):
    learned = verb("netlist", file, "--phase", "learn", "--sample", 2, "-o", tmp_path / "a")
    assert "kernels cannot read it" in learned.output
    assert "mine.lib" in (tmp_path / "a" / "devices.lib").read_text()
    resistors = verb("netlist", file, "--phase", "free", "-o", tmp_path / "b")
    assert "is not in this netlist" in resistors.output
    assert "mine.lib" not in "".join(p.read_text() for p in (tmp_path / "b").iterdir())
    done = verb("cosim", file, "--learn", "--sample", 2, "-o", tmp_path / "c", "--json")
    assert "kernels cannot read it" in done.stderr
    assert done.exit_code == 0, done.output
