"""The arithmetic of a report, against sums done by hand, and the published budget."""

import json
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.crossbar.wires.resistances import NODES as WIRES
from ohmlearn.errors import ConfigError, RecordError
from ohmlearn.experiment import load_experiment, parse_experiment
from ohmlearn.record import read_record
from ohmlearn.reporting.assumed import assumed
from ohmlearn.reporting.budget import ELEMENTS, by_element, by_phase, energy
from ohmlearn.reporting.constants import CONSTANTS, NODES, OUR_CHOICE, SOURCES, numbers
from ohmlearn.reporting.content import count_of_cells
from ohmlearn.reporting.endurance import YEAR
from ohmlearn.reporting.plain import as_json, as_mapping
from ohmlearn.reporting.reads import Array, total_load
from ohmlearn.reporting.report import Report, headline, make_report, report_on
from ohmlearn.reporting.scopes import scopes
from ohmlearn.reporting.timeline import timeline
from ohmlearn.reporting.words import quantity
from ohmlearn.settings.hardware import CONSTANTS as KEYS

BUDGET = Path(__file__).resolve().parents[2] / "examples" / "energy_budget.toml"

V, T = 0.2, 1e-7
NO_WRITES = dict.fromkeys(
    ("set_pulses", "reset_pulses", "set_energy", "reset_energy", "transistor_energy",
     "set_slots", "reset_slots"), 0,
)  # fmt: skip


def report_of(folder: Path, *overrides: str) -> Report:
    return report_on(read_record(folder), overrides)


def budget(*overrides: str) -> Report:
    return make_report(assumed(load_experiment(BUDGET, overrides), str(BUDGET)))


def signals(*layers: list[float]) -> dict[str, np.ndarray]:
    return {f"activity_{k}": np.array(layer) for k, layer in enumerate(layers)}


def close(value: float):
    return pytest.approx(value, rel=1e-12, abs=0)


# ---- by hand


def test_one_cell_one_pulse(hand_record):
    # A SET pulse of 2 V and 100 ns moves a cell from 10 to 12 uS: v (i + i') / 2 t = 4.4 pJ.
    spent = 2.0 * (2.0 * 10e-6 + 2.0 * 12e-6) / 2 * 100e-9
    folder = hand_record(
        {"g_plus_1": np.array([[12e-6], [0.0]]), "writes_1": np.array([[[1]], [[0]]], np.uint32)},
        [{**NO_WRITES, "set_pulses": 1, "set_energy": spent, "set_slots": 1}],
        ("network.layers=[1, 1]", "crossbar.encoding='single'", "hardware.t_select=5e-9"),
    )
    report = report_of(folder)
    assert spent == close(4.4e-12)
    assert energy(report.sample) == close(4.4e-12)
    (pulse,) = (phase for phase in report.sample if phase.name == "SET")
    assert pulse.energy["cells"] == close(4.4e-12)
    assert (pulse.times, pulse.duration) == (1, close(105e-9))
    assert report.wear is not None
    assert report.wear.worst == 1


def test_one_pair_one_read(hand_record):
    # Signal 0.5 on a pair of 30 and 10 uS, the bias line at 1 on one of 20 and 40 uS.
    folder = hand_record(
        {
            "g_plus_1": np.array([[30e-6], [20e-6]]),
            "g_minus_1": np.array([[10e-6], [40e-6]]),
            **signals([0.25], [0.0]),
        },
        overrides=("network.layers=[1, 1]",),
    )
    expected = V**2 * (0.25 * 40e-6 + 60e-6) * T
    assert energy(report_of(folder).inference) == close(expected)
    assert by_element(report_of(folder).inference)["cells"] == close(2.8e-13)


def test_two_by_two_array_read_in_both_directions(hand_record):
    g = np.array([[10e-6, 20e-6], [30e-6, 40e-6], [50e-6, 60e-6]])  # of the bias line last
    first = np.zeros((2, 2))
    folder = hand_record(
        {"g_plus_1": first, "g_plus_2": g, **signals([0.0], [0.25, 0.5], [0.125, 1.0])},
        overrides=("network.layers=[1, 2, 2]", "learning.eta=0.1", "crossbar.encoding='single'"),
    )
    ahead = 0.25 * 30e-6 + 0.5 * 70e-6 + 110e-6
    back = 0.125 * 40e-6 + 1.0 * 60e-6
    report = report_of(folder)
    assert energy(report.inference) == close(V**2 * (ahead + back) * T)
    # Free phase and one nudged slot.
    assert energy(report.sample) == close(2 * V**2 * (ahead + back) * T)


def test_every_tile_has_reference_cells_of_its_own(hand_record):
    # Three columns on tiles of two bit lines: two reference lines, of two signals and of one.
    g, reference = np.full((3, 3), 20e-6), np.array([30e-6, 40e-6, 50e-6])
    overrides = (
        "network.layers=[1, 2, 3]", "learning.eta=0.1", "crossbar.encoding='offset'",
        "crossbar.tile=[8, 2]",
    )  # fmt: skip
    arrays = {
        "g_plus_1": np.zeros((2, 2)), "g_reference_1": np.zeros(2),
        "g_plus_2": g, "g_reference_2": reference, **signals([0.0], [0.25, 1.0], [1.0, 1.0, 0.25]),
    }  # fmt: skip
    report = report_of(hand_record(arrays, overrides=overrides))
    ahead = (0.25 + 1 + 1) * 60e-6 + 2 * (0.25 * 30e-6 + 40e-6 + 50e-6)
    back = (1 + 1 + 0.25) * 40e-6 + (2**2 + 0.5**2) * 70e-6  # the bias line is not sensed
    assert energy(report.inference) == close(V**2 * (ahead + back) * T)
    found = as_mapping(report)
    assert (found["cells"], found["reference_cells"]) == (4 + 9, 2 + 6)
    assert [part.number for part in report.area[:2]] == [13, 8]
    assert count_of_cells(report) == "13 cells of weights and 8 reference cells"
    assert any("reference line" in said and "400 mV" in said for said in report.assumptions)
    # A linear stage takes its whole current from its supply: that of a sum must reach 2 V.
    driven = report_of(
        hand_record(arrays, overrides=(*overrides, "hardware.read_supply=0.3"), folder="driven")
    )
    own = (0.5 + 1 + 1) * 60e-6 + 2 * (0.5 * 30e-6 + 90e-6) + (1 + 1 + 0.5) * 40e-6
    sums = (2 + 0.5) * 70e-6
    drawn = 0.3 * V * own + 2 * V * V * sums
    assert by_element(driven.inference)["drivers"] == close((drawn - V**2 * (ahead + back)) * T)


def test_a_record_without_reference_cells_says_so(hand_record):
    folder = hand_record({"g_plus_1": np.ones((3, 2))}, overrides=("crossbar.encoding='offset'",))
    report = report_of(folder)
    assert any("no reference cells" in sentence for sentence in report.subject.missing)
    assert count_of_cells(report) == "6 cells"


def test_a_budget_has_the_reference_cells_of_its_tiles():
    found = as_mapping(budget("crossbar.encoding='offset'", "crossbar.tile=[128,32]"))
    plain = as_mapping(budget("crossbar.encoding='single'", "crossbar.tile=[128,32]"))
    assert found["cells"] == plain["cells"]
    assert plain["reference_cells"] == 0
    assert found["reference_cells"] == 1569 * 4 + 101  # 100 and 20 columns on 32 bit lines


def test_separate_backward_array_is_driven_by_the_layer_above(hand_record):
    forward, backward = np.array([[10e-6], [0.0]]), np.array([[70e-6]])
    folder = hand_record(
        {
            "g_plus_1": np.zeros((2, 1)),
            "g_plus_2": forward,
            "g_plus_3": backward,
            **signals([0.0], [0.5], [0.25]),
        },
        overrides=(
            "network.layers=[1, 1, 1]", "network.symmetric=false", "learning.rule='vf'",
            "crossbar.encoding='single'",
        ),
    )  # fmt: skip
    expected = V**2 * (0.5 * 10e-6 + 0.25 * 70e-6) * T
    assert energy(report_of(folder).inference) == close(expected)


def test_access_transistor_takes_its_share_of_the_same_current(hand_record):
    folder = hand_record(
        {"g_plus_1": np.array([[40e-6], [0.0]]), **signals([1.0], [0.0])},
        overrides=(
            "network.layers=[1, 1]", "crossbar.encoding='single'", "access.kp=1e-4",
            "access.w=1e-6", "access.l=1e-6", "access.vto=1.0", "access.v_gate=3.0",
        ),
    )  # fmt: skip
    shares = by_element(report_of(folder).inference)
    assert shares["access transistors"] == close(V**2 * 40e-6**2 / 200e-6 * T)
    assert shares["cells"] + shares["access transistors"] == close(V**2 * 40e-6 * T)


def test_wire_loss_of_a_two_by_two_tile():
    # Word line: first segment carries 3, second 2 (uA at 1 V); both bit lines add up downwards.
    array = Array(1, np.array([[[1.0], [2.0]], [[3.0], [4.0]]]), ("forward",), bias=False)
    ohms = {"r_word": 1.0, "r_bit": 10.0, "r_driver": 100.0, "r_sense": 1000.0}
    load = total_load([array], [np.ones(2), np.ones(2)], 1.0, ohms=ohms)
    words = (3**2 + 2**2) + (7**2 + 4**2)
    bits = (1**2 + 4**2) + (2**2 + 6**2)
    expected = words + 10 * bits + 100 * (3**2 + 7**2) + 1000 * (4**2 + 6**2)
    assert load.wires == close(expected)
    split = total_load([array], [np.ones(2), np.ones(2)], 1.0, ohms=ohms, tile=(1, 1))
    assert split.wires == close((1 + 10 + 100 + 1000) * (1 + 4 + 9 + 16))


def test_periphery_of_one_step(hand_record):
    # One line of 0.2 V and 50 uS from a supply of 0.5 V, one amplifier, one neuron, one ADC.
    folder = hand_record(
        {"g_plus_1": np.array([[50e-6], [0.0]]), **signals([1.0], [0.0])},
        overrides=(
            "network.layers=[1, 1]", "crossbar.encoding='single'", "hardware.read_supply=0.5",
            "hardware.amplifier_power=1e-6", "hardware.neuron_energy=2e-13",
            "hardware.adc_energy=3e-12", "hardware.dac_energy=1e-13", "hardware.t_convert=1e-8",
            "hardware.cell_capacitance=1e-15",
        ),
    )  # fmt: skip
    report = report_of(folder)
    shares = by_element(report.inference)
    assert shares["drivers"] == close((0.5 - 0.2) * 0.2 * 50e-6 * T)
    assert shares["amplifiers"] == close(1e-13)
    assert shares["neurons"] == close(2e-13)
    assert shares["ADC"] == close(3e-12)
    assert shares["DAC"] == close(1e-13)
    assert shares["wires"] == close(2 * 1e-15 * 0.2**2)  # the input's line and the bias line
    assert report.inference_latency.total == close(T + 1e-8)


def test_settled_power_takes_the_place_of_array_reads(hand_record):
    power = {"cells": 3e-6, "diodes": 1e-6}
    folder = hand_record({"g_plus_1": np.ones((3, 2))}, settled_power=power)
    shares = by_element(report_of(folder).inference)
    assert (shares["cells"], shares["diodes"]) == (close(3e-13), close(1e-13))
    assert "signals" not in " ".join(report_of(folder).subject.missing)


def test_drops_across_cells_give_the_power_of_a_resistive_network(hand_record):
    # 10 uS at 0.1 V and 40 uS at 0.3 V rms: 0.1 uW + 3.6 uW.
    folder = hand_record(
        {"g_plus_1": np.array([[10e-6], [40e-6]]), "drops_1": np.array([[0.01], [0.09]])},
        overrides=("network.layers=[1, 1]", "crossbar.encoding='single'"),
        settled_power={"diodes": 1e-6},
    )
    shares = by_element(report_of(folder).inference)
    assert (shares["cells"], shares["diodes"]) == (close(3.7e-13), close(1e-13))


def test_a_record_without_conductances_is_damaged(hand_record):
    with pytest.raises(RecordError, match="no conductances of array 1"):
        report_of(hand_record({}))


# ---- the published budget


def test_worked_budget_is_reproduced():
    report = budget()
    phases = by_phase(report.sample)
    compute = phases["settle"] + phases["nudge"]
    assert compute == pytest.approx(4.8e-9, rel=0.05)
    assert phases["read-out"] == pytest.approx(0.9e-9, rel=0.05)
    assert phases["SET"] + phases["RESET"] == pytest.approx(3.2e-6, rel=0.05)
    assert energy(report.sample) == pytest.approx(3.2057e-6, rel=0.05)
    assert (phases["SET"] + phases["RESET"]) / compute > 500
    assert report.verdict.startswith("Writes dominate")
    assert "programming" in report.advice[0]


def test_what_would_halve_the_energy_halves_it():
    pulses = budget().subject.hardware.assume_pulses or 0.0
    total = energy(budget().sample)
    left = float(budget().advice[0].split(" fall to ")[-1].split(" falls to ")[-1].split(" %")[0])
    fewer = budget(f"hardware.assume_pulses={pulses * left / 100}")
    assert energy(fewer.sample) == pytest.approx(total / 2, rel=0.02)


# ---- sums, ranges, scopes


@pytest.mark.parametrize("rule", ["ep", "cep", "centred-ep"])
def test_timeline_adds_up_to_the_budget(rule):
    report = budget(f"learning.rule={rule}", "learning.nudged_steps=4", "hardware.t_idle=1e-6")
    steps = timeline(report.subject, report.sample)
    assert sum(s.duration for s in steps) == pytest.approx(report.sample_latency.total, rel=1e-9)
    powered = (p for p in report.sample if p.duration > 0)
    spent = sum(sum(phase.energy.values()) for phase in powered)
    assert sum(s.duration * s.power for s in steps) == pytest.approx(spent, rel=1e-9)


def test_scopes_are_multiples_of_a_sample():
    one, sample, epoch, whole = scopes(budget())
    assert (epoch.energy, whole.energy) == (
        close(60000 * sample.energy),
        close(6e5 * sample.energy),
    )
    assert sample.power == close(sample.energy / sample.duration)
    assert sample.low <= sample.energy <= sample.high
    assert one.energy < sample.energy


def test_every_constant_moves_the_report_within_its_range(hand_record):
    # Without overrides of the example, so that every constant has its range.
    text = BUDGET.read_text(encoding="utf-8").split("# This budget looks")[0]
    text = text.replace("t_step = 100e-9\nadc_energy = 2.6e-12\n", "verify_reads = 1\n")
    report = make_report(assumed(parse_experiment(text, "budget"), "budget"))
    moved = {s.name for s in report.sensitivities if s.high > s.low}
    geometry = {"t_select", "t_convert", "adc_area", "neuron_area", "endurance"}
    assert moved == report.numbers.keys() - geometry
    low, high = report.sample_range
    assert low < energy(report.sample) < high
    assert all(low <= s.low <= s.high <= high for s in report.sensitivities)


def test_mini_batches_share_switching_but_not_decisions():
    one = {p.name: p for p in budget("hardware.update_energy=1e-12").sample}
    four = {
        p.name: p for p in budget("hardware.update_energy=1e-12", "training.batch_size=4").sample
    }
    assert four["switch"].duration == close(one["switch"].duration / 4)
    assert four["decide"].energy["digital"] == close(one["decide"].energy["digital"])


def test_every_element_of_a_phase_is_a_class_of_the_report():
    for phase in (*budget().inference, *budget("hardware.verify_reads=1").sample):
        assert set(phase.energy) <= set(ELEMENTS), phase.name


def test_wear_is_that_of_the_worst_cell(hand_record):
    folder = hand_record(
        {"g_plus_1": np.full((3, 2), 1e-5), "writes_1": np.array([[3, 70], [0, 1], [2, 2]])},
        [{**NO_WRITES, "set_pulses": 78, "set_slots": 10}],
        ("crossbar.encoding='single'", "hardware.endurance=7e6"),
    )
    report = report_of(folder)
    assert report.wear is not None
    assert (report.wear.worst, report.wear.runs) == (70, close(1e5))
    assert report.wear.years == close(1e5 * report.sample_latency.total / YEAR)


def test_endurance_that_was_simulated_is_that_of_the_report(hand_record):
    row = {"name": "endurance", "on": True, "numbers": {"pulses": 5e4}, "meaning": ""}
    folder = hand_record({"g_plus_1": np.ones((3, 2))}, effects=[row])
    number = report_of(folder).numbers["endurance"]
    assert (number.value, number.origin) == (5e4, "experiment")


def test_headline_numbers_agree_with_the_report():
    found, report = headline(budget()), budget()
    assert found["energy_per_training_sample"] == energy(report.sample)
    assert found["pulses_per_sample_per_cell"] == 1.0
    assert found["runs_to_wear_out"] == close(1e8 / 6e5)
    assert as_mapping(report)["headline"] == found


def test_json_has_no_word_that_json_does_not_know():
    mapping = json.loads(as_json(budget()), parse_constant=pytest.fail)
    assert mapping["scopes"]["training sample"]["energy"] == energy(budget().sample)


# ---- what is missing


def test_a_record_without_meters_says_what_is_left_out(hand_record):
    folder = hand_record({"g_plus_1": np.full((3, 2), 1e-5), "g_minus_1": np.full((3, 2), 1e-5)})
    report = report_of(folder)
    reads, writes, worst = report.subject.missing
    assert "reading the arrays is left out" in reads
    assert "writing is left out" in writes
    assert "wear-out" in worst
    assert {p.name for p in report.sample} == {"settle", "read-out", "nudge", "decide", "switch"}


def test_an_ideal_run_has_no_cells_to_report_on(hand_record):
    folder = hand_record({"w_1": np.ones((2, 2))}, overrides=("run.level='ideal'",))
    with pytest.raises(ConfigError, match="no cells"):
        report_of(folder)


def test_an_experiment_without_assumptions_names_them():
    with pytest.raises(ConfigError, match=r"hardware\.assume_conductance, .*assume_pulses"):
        assumed(load_experiment(None), "default.toml")


# ---- the section of the experiment


def test_hardware_is_kept_with_the_record_but_decides_no_result():
    plain, other = load_experiment(None), load_experiment(None, ["hardware.node=22"])
    assert other.digest() == plain.digest()
    assert other.differences(plain) == []
    again = parse_experiment(other.to_toml(), "again")
    assert again == other
    assert again.hardware is not None
    assert again.hardware.node == "22"


# ---- words


def test_a_number_below_every_prefix_has_an_exponent():
    assert quantity(3.35e-28, "J") == "3.35e-28 J"
    assert quantity(1e-18, "J") == "1.00 aJ"


# ---- constants


@pytest.mark.parametrize("node", sorted(NODES))
def test_constants_are_ordered_and_say_where_they_are_from(node):
    for name, number in numbers(node, 8, {}, 6).items():
        ends = sorted((number.low, number.high))
        assert ends[0] <= number.value <= ends[1], name
        if number.origin == "published":
            assert any(source in number.source for source in SOURCES), name
        else:
            assert number.source.startswith(OUR_CHOICE), name


def test_sources_of_the_constants_are_known():
    published = {c.source for c in CONSTANTS.values()} - {OUR_CHOICE}
    assert published <= SOURCES.keys()
    assert all("doi" in text or "https" in text or "Survey" in text for text in SOURCES.values())


def test_every_constant_can_be_replaced_and_is_then_the_experiments():
    assert set(KEYS) == {*CONSTANTS, "adc_energy"}
    found = numbers("65", 8, dict.fromkeys(KEYS, 0.5))
    for number in (found[name] for name in KEYS):
        assert (number.low, number.value, number.high, number.origin) == (
            0.5, 0.5, 0.5, "experiment",
        )  # fmt: skip


def test_numbers_at_the_node_of_their_source_are_those_of_the_source():
    at = {node: numbers(node, 8, {}) for node in ("130", "65", "32")}
    assert at["32"]["adc_energy"].value == close(1.67e-12)
    assert at["32"]["adc_energy"].low == close(0.235e-12)
    assert at["65"]["dac_energy"].low == close(0.0375e-12)
    assert at["130"]["neuron_energy"].value == close(1.45e-12)
    assert at["32"]["adc_area"].value == close(1200e-12)


def test_wire_widths_are_those_of_the_wire_resistances():
    assert {name: node.width for name, node in WIRES.items()} == NODES


def test_unknown_node_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean '65'"):
        budget("hardware.node='56'")
