"""Decks: the same input gives the same bytes, and nothing that is not in the deck gets in."""

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.deck import Deck
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts import DIALECTS
from ohmlearn.spice_netlists.parts.cards import wrapped

BODIES = {
    "params.inc": ".param r_load=1000.0",
    "dut.sp": ".subckt divider a b\nr1 a b {r_load}\nr2 b 0 {r_load}\n.ends",
    "tb_free.sp": ".include params.inc\n.include dut.sp\nv1 a 0 dc 1\nxd a b divider\n"
    ".options temp=27\n.op\n.save v(a)\n+ v(b)",
}


def deck(**changes) -> Deck:
    return Deck.build(BODIES, **({"title": "a divider", "nodes": {"nodes": ["b"]}} | changes))


def test_the_same_input_gives_the_same_bytes(tmp_path):
    first, second = deck(seed=3).write(tmp_path / "1"), deck(seed=3).write(tmp_path / "2")
    assert [path.name for path in first] == ["params.inc", "dut.sp", "tb_free.sp", "map.json"]
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_headers_say_where_a_file_comes_from():
    made = deck(seed=3, experiment="abc123")
    for name in BODIES:
        head = made.files[name].split("\n")[:6]
        assert head[0] == f"* {name}: a divider"
        assert "* dialect: ngspice" in head
        assert {"* seed: 3", "* experiment: abc123"} < set(head)
    assert made.map["nodes"] == ["b"]
    assert made.map["seed"] == 3


LABELS = {
    "hspice": "HSPICE",
    "spectre": "Spectre, SPICE mode",
    "ltspice": "LTspice",
    "xyce": "Xyce",
}


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "ngspice"])
def test_what_is_not_run_is_labelled(dialect):
    assert f"{LABELS[dialect]}, not run here" in deck(dialect=dialect).files["dut.sp"]


def test_an_unknown_dialect_is_refused():
    with pytest.raises(NetlistError, match="did you mean 'hspice'"):
        deck(dialect="hspise")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("../out.inc", "r1 a b 1"),
        ("Dut.sp", "r1 a b 1"),
        ("dut.txt", "r1 a b 1"),
        ("dut.sp", "r1 a b 1\n.control\nshell ls\n.endc"),
        ("dut.sp", "  .CONTROL"),
        ("dut.sp", ".include /etc/passwd"),
        ("dut.sp", ".inc '../x.inc'"),
        ("dut.sp", ".lib other.lib tt"),
        ("dut.sp", ".end"),
        ("dut.sp", "r1 a b 1 \u2028"),
        ("dut.sp", "r1 a b 1\r\nr2 a b 1"),
    ],
)
def test_what_does_not_belong_into_a_deck_is_refused(name, body):
    with pytest.raises(NetlistError, match="deck"):
        Deck.build({name: body}, title="t")


@given(title=st.text(max_size=300))
def test_a_title_stays_one_comment(title):
    text = deck(title=title).flat()
    assert text.startswith("* tb_free.sp:")
    assert len(text.splitlines()) == len(deck().flat().splitlines())


@given(words=st.lists(st.from_regex(r"[a-z0-9_]{1,40}", fullmatch=True), min_size=1, max_size=80))
def test_a_wrapped_line_holds_the_same_words(words):
    lines = wrapped(words).split("\n")
    assert all(len(line) <= 96 for line in lines)
    assert all(line.startswith("+ ") for line in lines[1:])
    assert " ".join([lines[0], *(line[2:] for line in lines[1:])]).split(" ") == words


def test_writing_again_replaces_and_clears_away(tmp_path):
    deck().write(tmp_path)
    (tmp_path / "mine.txt").write_text("keep")
    bodies = {name.replace("free", "nudged"): body for name, body in BODIES.items()}
    Deck.build(bodies, title="t").write(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"params.inc", "dut.sp", "tb_nudged.sp", "map.json", "mine.txt"}


def test_what_was_edited_by_hand_is_kept(tmp_path):
    deck().write(tmp_path)
    told: list[str] = []
    for number in ("1", "2"):
        (tmp_path / "params.inc").write_text(number)
        deck().write(tmp_path, warn=told.append)
    assert (tmp_path / "params.inc").read_text() == deck().files["params.inc"]
    assert (tmp_path / "params.inc.edited").read_text() == "1"
    assert (tmp_path / "params.inc.edited2").read_text() == "2"
    assert ["params.inc had been edited" in text for text in told] == [True, True]


def test_an_edited_file_that_the_new_netlist_lacks_is_kept_too(tmp_path):
    deck().write(tmp_path)
    (tmp_path / "tb_free.sp").write_text("mine")
    bodies = {name.replace("free", "nudged"): body for name, body in BODIES.items()}
    with pytest.warns(UserWarning, match="kept as tb_free.sp.edited"):
        Deck.build(bodies, title="t").write(tmp_path)
    assert (tmp_path / "tb_free.sp.edited").read_text() == "mine"
    assert not (tmp_path / "tb_free.sp").exists()


@pytest.mark.parametrize("name", ["dut.sp", "map.json"])
def test_files_of_others_are_not_overwritten(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(NetlistError, match="choose another folder"):
        deck().write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "{}"


def test_a_map_of_another_program_names_no_files_to_remove(tmp_path):
    (tmp_path / "map.json").write_text(json.dumps({"generator": "x", "files": ["dut.sp"]}))
    (tmp_path / "dut.sp").write_text("mine")
    with pytest.raises(NetlistError):
        deck().write(tmp_path)
    assert (tmp_path / "dut.sp").read_text() == "mine"


def test_a_disk_that_refuses_is_a_sentence(tmp_path):
    target = tmp_path / "file"
    target.write_text("")
    with pytest.raises(NetlistError, match="cannot be written"):
        deck().write(target)


def test_written_files_are_readable_as_others_are(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    for path in deck().write(tmp_path / "deck"):
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_flat_needs_a_bench_where_there_are_several():
    two = Deck.build(BODIES | {"tb_nudged.sp": BODIES["tb_free.sp"]}, title="t")
    assert two.benches == ("free", "nudged")
    with pytest.raises(NetlistError, match="test bench"):
        two.flat()
    with pytest.raises(NetlistError, match="did you mean 'free'"):
        two.flat("fre")


@pytest.mark.spice
@pytest.mark.usefixtures("ngspice")
def test_files_and_flat_text_give_the_same_answer(tmp_path):
    paths = deck().write(tmp_path)
    for source in (deck().flat(), paths[2]):
        assert run_batch(source, vectors=["v(b)"], points=1)["op"]["v(b)"][0] == 0.5


@pytest.mark.spice
@pytest.mark.usefixtures("libngspice")
def test_a_circuit_of_pyspice_can_be_extended_and_simulated():
    circuit = deck().circuit("free")
    assert ".save" not in str(circuit)
    assert "v(b)" not in str(circuit)
    circuit.R("load", "b", circuit.gnd, 1000.0)
    simulator = circuit.simulator(temperature=27, nominal_temperature=27)
    point = simulator.operating_point()
    assert float(point["b"].as_ndarray()[0]) == pytest.approx(1 / 3, rel=1e-9)


def test_a_circuit_without_bench_is_the_device_under_test():
    text = str(deck().circuit())
    assert ".subckt divider a b" in text
    assert "v1" not in text


LIBRARIES = ['.include "/a/my nmos.lib"\n', '.lib "/a/nmos.lib" tt\n']


@pytest.mark.parametrize("line", LIBRARIES)
def test_a_library_is_read_from_where_it_is(line):
    bodies = {
        "devices.lib": "* models",
        "dut.sp": ".include devices.lib",
        "tb_a.sp": ".include dut.sp",
    }
    made = Deck.build(bodies, title="t", library=line)
    assert line in made.files["devices.lib"]
    assert made.flat().count(line) == 1


@pytest.mark.parametrize(
    "line",
    [
        '.include "a"\n.control\n',
        '.include "a" "b"\n',
        ".include a\n",
        '.lib "a"\n',
        '.lib "a" tt ss\n',
        '.exec "a"\n',
        '.include "a"',
        '* x\n.include "a"\n',
    ],
)
def test_the_line_of_a_library_is_one_line(line):
    with pytest.raises(NetlistError, match="allowed is"):
        Deck.build({"devices.lib": "* models"}, title="t", library=line)
