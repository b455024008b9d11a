"""The command line: fast help, one sentence per error, and no result lost by a slip."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ohmlearn import __version__, checkpoint
from ohmlearn.cli import app
from ohmlearn.errors import DataError, RecordError
from ohmlearn.experiment import load_experiment
from ohmlearn.record import SUMMARY_KEYS, write_record

HEAVY = ("numba", "scipy", "matplotlib", "numpy", "PySpice", "pooch", "requests")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def calls(monkeypatch):
    """Replace the training by one that writes a record at once; returns its calls."""
    made: list[tuple] = []

    def run(experiment, out, data_dir, resume, progress):
        made.append((experiment, Path(out), data_dir, resume))
        progress.epoch_started(1, 1, 10)
        progress.advanced(10)
        progress.message("a [remark] to the user")
        event = {"epoch": 1, "train_accuracy": 0.9, "test_accuracy": 0.875, "pulses": 1200}
        progress.epoch_done(event)
        summary: dict[str, Any] = dict.fromkeys(SUMMARY_KEYS, 0)
        row = {"name": "stuck", "on": True, "numbers": {"low": 0.005}, "meaning": "dead cells"}
        summary.update(test_accuracy=0.875, test_error_percent=12.5, effects=[row])
        return write_record(out, experiment, summary, {}, [event])

    return replace_run(monkeypatch, run) or made


def replace_run(monkeypatch, run):
    monkeypatch.setitem(sys.modules, "ohmlearn.run", types.SimpleNamespace(run=run))


def raising(error):
    def run(*_args):
        raise error

    return run


def invoke(*arguments: str):
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def error_of(result, code: int = 2) -> str:
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize("arguments", ["'--help'", "'run', '--help'", "'--version'"])
def test_help_imports_nothing_heavy(arguments):
    code = (
        f"import sys; sys.argv = ['ohmlearn', {arguments}]\n"
        "from ohmlearn.cli import main\n"
        "try: main()\n"
        f"finally: print('heavy:', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("heavy: []")


def test_version():
    assert invoke("--version").stdout == f"ohmlearn {__version__}\n"


def test_module_runs_as_a_program():
    command = [sys.executable, "-m", "ohmlearn", "run", "absent.toml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "error: absent.toml: there is no such experiment file.\n"


def test_run_without_arguments_is_the_default_experiment(calls):
    result = invoke("run")
    assert result.exit_code == 0
    assert calls == [(load_experiment(None), Path("runs/digits_1t1r-seed0"), None, False)]
    for part in ("87.50 %", "stuck", "low 0.005", "dead cells", "runs/digits_1t1r-seed0"):
        assert part in result.stdout
    assert "a [remark] to the user" in result.stderr
    assert "test  87.50 %" in result.stderr


def test_options_reach_the_run(calls):
    arguments = ["--set", "learning.beta=0.1", "--set", "name=other", "--seed", "4"]
    invoke("run", *arguments, "--data-dir", "images")
    experiment, folder, data_dir, _ = calls[0]
    assert (experiment.learning.beta, experiment.run.seed) == (0.1, 4)
    assert (folder, data_dir) == (Path("runs/other-seed4"), Path("images"))


def test_json_is_all_there_is_on_stdout(calls):
    result = invoke("run", "--json", "--out", "here")
    assert json.loads(result.stdout) == json.loads(Path("here/record.json").read_text())


def test_finished_record_is_never_overwritten_silently(calls):
    invoke("run")
    before = Path("runs/digits_1t1r-seed0/record.json").read_bytes()
    message = error_of(invoke("run"))
    for option in ("--out", "--resume", "--overwrite"):
        assert option in message
    assert len(calls) == 1
    assert Path("runs/digits_1t1r-seed0/record.json").read_bytes() == before
    assert invoke("run", "--overwrite").exit_code == 0
    assert invoke("run", "--resume").exit_code == 0
    assert [call[3] for call in calls] == [False, False, True]


def test_checkpoint_is_never_overwritten_silently(calls):
    checkpoint.save("half", {}, {})
    assert "unfinished run" in error_of(invoke("run", "--out", "half"))
    assert not calls


def test_resume_excludes_overwrite(calls):
    assert "choose one" in error_of(invoke("run", "--resume", "--overwrite"))
    assert not calls


def test_resume_finds_the_experiment_in_the_folder(calls):
    stored = load_experiment(None, ("learning.beta=0.7",))
    checkpoint.save("half", {}, {"experiment": stored.to_toml()})
    assert invoke("run", "--resume", "--out", "half").exit_code == 0
    checkpoint.remove("half")
    assert invoke("run", "--resume", "--out", "half", "--set", "training.epochs=20").exit_code == 0
    assert calls[0][0] == stored
    assert (calls[1][0].learning.beta, calls[1][0].training.epochs) == (0.7, 20)


def test_damaged_checkpoint_is_a_failure(calls):
    Path("half").mkdir()
    Path("half/checkpoint.npz").write_bytes(b"PK")
    assert "damaged" in error_of(invoke("run", "--resume", "--out", "half"), code=1)


def test_every_config_error_has_its_line():
    result = invoke("run", "--set", "learning.betta=1", "--set", "training.epochs=0")
    assert result.exit_code == 2
    assert [line[:7] for line in result.stderr.splitlines()] == ["error: "] * 2


@pytest.mark.parametrize(
    ("error", "code"), [(DataError("no such data."), 2), (RecordError("disk is full."), 1)]
)
def test_exit_code_says_whose_fault_it_is(monkeypatch, error, code):
    replace_run(monkeypatch, raising(error))
    assert error_of(invoke("run"), code) == f"error: {error}"


def test_interrupt_says_how_to_go_on(monkeypatch):
    replace_run(monkeypatch, raising(KeyboardInterrupt()))
    result = invoke("run", "--out", "half")
    assert (result.exit_code, result.stdout) == (130, "")
    assert "no checkpoint was written yet" in result.stderr
    checkpoint.save("half", {}, {})
    result = invoke("run", "--overwrite", "--out", "half")
    assert result.exit_code == 130
    assert "--resume goes on from the last checkpoint in half" in result.stderr


def test_data_lists_every_set_and_how_to_get_it():
    result = invoke("data", "--data-dir", "empty")
    assert result.exit_code == 0
    for name in ("digits", "mnist", "fashion_mnist", "kmnist"):
        assert name in result.stdout
    assert "ohmlearn data --download kmnist" in " ".join(result.stdout.split())


def test_unknown_data_set_is_not_downloaded():
    assert "did you mean 'kmnist'?" in error_of(invoke("data", "--download", "kmnst"))


def test_a_terminal_without_greek_letters_gets_question_marks():
    quiet = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "ohmlearn", "devices", "SoftBounds"]
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "?S" in done.stdout


def test_a_folder_that_is_gone_is_one_sentence(tmp_path):
    code = "import os, sys; os.mkdir('x'); os.chdir('x'); os.rmdir('../x'); "
    code += "sys.argv = ['ohmlearn', 'run']; from ohmlearn.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "error: the current folder does not exist any more; change to another.\n"
    )
