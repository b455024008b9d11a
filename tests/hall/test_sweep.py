"""A sweep: the same table whatever computed it, nothing lost, nothing repeated."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ohmlearn.cli import app
from ohmlearn.errors import ConfigError, RecordError
from ohmlearn.experiment import load_experiment
from ohmlearn.run import run
from ohmlearn.sweeps import engine
from ohmlearn.sweeps.bar import Silent
from ohmlearn.sweeps.design import make_points, parse_axes
from ohmlearn.sweeps.plan import find_base, make_tasks
from ohmlearn.sweeps.store import Store
from ohmlearn.sweeps.sweep import run_sweep
from ohmlearn.sweeps.tidy import interval

EXPERIMENT = """
name = "swept"
[data]
name = "digits"
limit_train = 50
limit_test = 40
[network]
layers = [64, 8, 10]
[learning]
rule = "cep"
beta = 0.3
eta = [0.02, 0.01]
free_steps = 8
nudged_steps = 3
[training]
epochs = 1
"""
KEYS = ("learning.beta", "learning.free_steps")
OVER = ("learning.beta=0.1,0.5", "learning.free_steps=6,9")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    Path("swept.toml").write_text(EXPERIMENT)


class Counting:
    """An engine that counts, and may stop after some results as a kill would."""

    def __init__(self, stop: int | None = None) -> None:
        self.jobs: list[str] = []
        self.stop = stop

    def __call__(self, jobs):
        for job in jobs:
            if self.stop == len(self.jobs):
                raise KeyboardInterrupt
            self.jobs.append(job["key"])
            yield from engine.in_this_process([job])


def swept(folder, over=OVER, seeds=2, engine=engine.in_this_process, **options):
    axes = parse_axes(over)
    base = find_base(Path("swept.toml"), [], None)
    keys = [axis.key for axis in axes]
    points = make_points(axes, "grid")
    return run_sweep(base, keys, points, seeds, Path(folder), engine, Silent(), **options)


def rows(folder) -> list[dict[str, str]]:
    with open(Path(folder) / "results.csv", newline="") as file:
        return list(csv.DictReader(file))


def table(folder) -> bytes:
    return (Path(folder) / "results.csv").read_bytes()


def logged(folder) -> list[str]:
    lines = (Path(folder) / "points.jsonl").read_text().splitlines()
    return [json.loads(line)["key"] for line in lines]


def invoke(*arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def error_of(result, code=2):
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    return line


def test_every_row_is_the_run_of_its_settings():
    swept("out")
    found = rows("out")
    assert [(r["learning.beta"], r["learning.free_steps"], r["seed"]) for r in found] == [
        (b, t, s) for b in ("0.1", "0.5") for t in ("6", "9") for s in ("0", "1")
    ]
    for row in (found[0], found[5]):
        changes = [f"{key}={row[key]}" for key in KEYS]
        record = run(load_experiment("swept.toml", changes, int(row["seed"])), Path("single"))
        expected = record.summary["test_error_percent"]
        assert float(row["test_error_percent"]) == pytest.approx(expected, abs=1e-9)
        assert float(row["test_loss"]) == record.summary["test_loss"]
    assert len({r["test_loss"] for r in found}) == len(found)
    assert not Path("out/points").exists()


def test_stopped_anywhere_it_goes_on_and_repeats_nothing():
    swept("whole")
    for stop in range(7):
        with pytest.raises(KeyboardInterrupt):
            swept("parts", engine=Counting(1))
        assert len(logged("parts")) == stop + 1
    for left in (1, 0):
        last = Counting()
        swept("parts", engine=last)
        assert len(last.jobs) == left
    assert table("parts") == table("whole")
    assert sorted(logged("parts")) == sorted(logged("whole"))


def test_order_of_computing_does_not_show():
    swept("forth")
    swept("back", engine=lambda jobs: engine.in_this_process(jobs[::-1]))
    assert logged("back") == logged("forth")[::-1]
    assert table("back") == table("forth")


def test_more_seeds_and_values_keep_what_is_there():
    swept("out")
    more = Counting()
    swept("out", ("learning.beta=0.1,0.5,0.7", OVER[1]), seeds=3, engine=more)
    assert len(more.jobs) == 18 - 8
    swept("fresh", ("learning.beta=0.1,0.5,0.7", OVER[1]), seeds=3)
    assert table("out") == table("fresh")


def test_a_line_cut_short_costs_its_point_only():
    swept("out")
    reference = table("out")
    log = Path("out/points.jsonl")
    content = log.read_bytes()
    log.write_bytes(content[:-20])
    again = Counting()
    swept("out", engine=again)
    assert again.jobs == logged("out")[-1:]
    assert table("out") == reference
    assert sorted(log.read_bytes().splitlines()[:-1]) == sorted(content.splitlines()[:-1])


def test_a_failed_point_is_recorded_with_its_reason_and_the_rest_goes_on():
    found = swept("out", ("learning.eta=0.01,1e9",), seeds=2)
    statuses = [(r["status"], r["reason"][:36], bool(r["test_loss"])) for r in rows("out")]
    assert statuses == [
        ("done", "", True),
        ("done", "", True),
        ("failed", "learning.eta of weight layer 1 is 1e", False),
        ("failed", "learning.eta of weight layer 1 is 1e", False),
    ]
    assert len(found.failed) == 2
    again = Counting()
    swept("out", ("learning.eta=0.01,1e9",), seeds=2, engine=again)
    assert again.jobs == []
    swept("out", ("learning.eta=0.01,1e9",), seeds=2, engine=again, retry=True)
    assert len(again.jobs) == 2


def test_a_crash_of_a_point_is_its_reason(monkeypatch):
    import ohmlearn.run

    def crash(*_args, **_options):
        raise ZeroDivisionError("in a model of one's own")

    monkeypatch.setattr(ohmlearn.run, "run", crash)
    swept("out", ("learning.beta=0.1",), seeds=1)
    assert rows("out")[0]["reason"] == "ZeroDivisionError: in a model of one's own"


def test_a_full_disk_stops_the_sweep_and_fails_no_point(monkeypatch):
    import ohmlearn.run

    def full(*_args, **_options):
        raise RecordError("cannot write: the disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(ohmlearn.run, "run", full)
        with pytest.raises(RecordError, match="disk is full"):
            swept("out")
    assert logged("out") == []
    swept("out")
    assert {r["status"] for r in rows("out")} == {"done"}


def test_a_combination_that_does_not_fit_fails_and_a_useless_value_is_refused():
    over = ("network.activation=sigmoid,tanh", "learning.rule=cep,cvf")
    swept("out", (over[0], "learning.rule=cep"))
    with pytest.raises(ConfigError, match=r"learning\.rule is 'cvf'"):
        swept("other", over)  # the network is symmetric at every point
    found = swept("third", ("network.symmetric=true,false", over[1]), seeds=1)
    assert [row.done for row in found.rows] == [True, False, False, True]


def test_a_folder_answers_one_question_to_one_process_at_a_time():
    swept("out")
    with pytest.raises(ConfigError, match="holds another sweep \\(different: keys\\)"):
        swept("out", ("learning.beta=0.1",))
    Path("swept.toml").write_text(EXPERIMENT.replace("epochs = 1", "epochs = 2"))
    with pytest.raises(ConfigError, match="different: experiment"):
        swept("out")
    with (
        Store(Path("busy"), {"a": 1}),
        pytest.raises(RecordError, match="worked on by another"),
        Store(Path("busy"), {"a": 1}),
    ):
        pass


def test_a_folder_in_which_no_point_was_begun_takes_another_question():
    with Store(Path("typo"), {"a": 1}):
        pass
    with Store(Path("typo"), {"a": 2}):
        Path("typo/points/0").mkdir(parents=True)
    with pytest.raises(ConfigError, match="holds another sweep"), Store(Path("typo"), {"a": 1}):
        pass


def test_all_seeds_are_the_same_at_every_point_and_count_from_run_seed():
    base = find_base(Path("swept.toml"), ["run.seed=7"], None)
    tasks = make_tasks(base, ["learning.beta"], [("0.1",), ("0.2",)], 2)
    assert [task.seed for task in tasks] == [7, 8, 7, 8]
    assert len({task.key for task in tasks}) == 4
    # Threads and checkpoints decide nothing, so they do not name a point either.
    other = find_base(Path("swept.toml"), ["run.seed=7", "run.threads=3"], None)
    assert make_tasks(other, ["learning.beta"], [("0.1",)], 1)[0].key == tasks[0].key


def test_interval_is_students():
    found = interval([1.0, 2.0, 3.0], 0.95)
    assert found.mean == pytest.approx(2.0)
    assert found.high - found.mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert math.isnan(interval([1.0], 0.95).low)


def test_command_prints_json_and_writes_figures():
    arguments = ("sweep", "swept.toml", "--over", OVER[0], "--over", OVER[1], "--seeds", "2")
    result = invoke(*arguments, "-o", "out", "--json")
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    assert [p["values"]["learning.beta"] for p in content["points"]] == [
        "0.1",
        "0.1",
        "0.5",
        "0.5",
    ]
    mean = content["points"][0]["metrics"]["test_error_percent"]
    own = [float(r["test_error_percent"]) for r in rows("out")[:2]]
    assert mean["mean"] == pytest.approx(sum(own) / 2)
    assert mean["low"] <= mean["mean"] <= mean["high"]
    assert [Path(p).name for p in content["figures"]] == ["test_error.png"]
    assert Path(content["figures"][0]).read_bytes().startswith(b"\x89PNG")
    again = invoke(*arguments, "-o", "out")
    assert "8 of 8 points are there already" in again.stderr
    assert "test error %" in again.stdout


def test_drawn_designs_run_and_draw():
    over = ("--over", "learning.beta=0.1:0.5", "--over", "network.activation=sigmoid,tanh")
    result = invoke("sweep", "swept.toml", *over, "--design", "sobol", "--points", "4")
    assert result.exit_code == 0, result.stderr
    assert len(rows("runs/sweep-swept")) == 4
    assert Path("runs/sweep-swept/figures/test_error.png").exists()


def test_when_every_point_fails_the_command_fails():
    result = invoke("sweep", "swept.toml", "--over", "learning.eta=1e9")
    assert result.exit_code == 1
    assert "error: every point failed: learning.eta" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("absent.toml", "--over", "a.b=1"), "there is no such experiment file"),
        (("swept.toml",), "nothing to sweep"),
        (("swept.toml", "--over", "learning.bta=1"), "unknown key 'bta'; did you mean 'beta'?"),
        (("swept.toml", "--over", "lerning.beta=1"), "unknown section 'lerning'"),
        (("swept.toml", "--over", "learning.beta=0.1,0"), "learning.beta is 0"),
        (("swept.toml", "--over", "learning.beta=0.1,x"), 'learning.beta is "x"'),
        (("swept.toml", "--over", "learning.beta=0.1:0.2"), "--design random or sobol"),
        (("swept.toml", "--over", "learning.beta=[1"), "not valid TOML"),
        (("swept.toml", "--over", "learning.beta=1", "--set", "a=1"), "--set: unknown"),
        (("empty", "--over", "learning.beta=1"), "without the record of a finished run"),
        (("swept.toml", "--over", "learning.beta=0.1", "--scheduler", "nowhere"), "--scheduler"),
    ],
)
def test_wrong_input_is_one_sentence(arguments, says):
    Path("empty").mkdir()
    line = error_of(invoke("sweep", *arguments))
    assert says in line
    assert "--set" not in line or "--set" in arguments
