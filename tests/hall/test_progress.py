"""What the user sees while a run goes on."""

import io

import pytest
from rich.console import Console

from ohmlearn.progress import Progress, RichProgress, SilentProgress, epoch_line

EVENT = {"epoch": 3, "train_accuracy": 0.5, "test_accuracy": 0.25, "pulses": 12345}


def report(progress: Progress) -> None:
    progress.epoch_started(3, 10, 20)
    progress.advanced(5)
    progress.advanced(15)
    progress.message("the loop gain is [0.9]")
    progress.epoch_done(EVENT)


def test_epoch_line_holds_what_the_event_holds():
    line = epoch_line({**EVENT, "cpu_seconds": 1.26})
    assert line == "epoch   3  train  50.00 %  test  25.00 %  12,345 pulses  1.3 s CPU"
    assert epoch_line({"epoch": 1, "test_accuracy": None}) == "epoch   1"


def test_terminal_output_goes_to_stderr(capsys):
    with RichProgress() as progress:
        report(progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert "the loop gain is [0.9]" in err
    assert epoch_line(EVENT) in err


def test_bar_counts_the_samples_of_each_epoch():
    progress = RichProgress()
    progress._bars.live.console = Console(file=io.StringIO())
    progress.epoch_started(1, 2, 20)
    progress.advanced(7)
    assert (progress._bars.tasks[0].completed, progress._bars.tasks[0].total) == (7, 20)
    progress.epoch_started(2, 2, 30)
    assert (progress._bars.tasks[0].completed, progress._bars.tasks[0].total) == (0, 30)
    assert progress._bars.tasks[0].description == "epoch 2/2"


def test_bar_stops_when_the_run_fails(capsys):
    with pytest.raises(ValueError, match="failed"), RichProgress() as progress:
        raise ValueError("failed")
    assert not progress._bars.live.is_started
    assert capsys.readouterr().out == ""


def test_silence_is_complete(capsys):
    report(SilentProgress())
    assert capsys.readouterr() == ("", "")
