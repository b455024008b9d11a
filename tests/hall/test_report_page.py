"""The page of a report: one file, the same bytes, and nothing broken when a browser shows it."""

import html
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.experiment import load_experiment
from ohmlearn.record import read_record
from ohmlearn.reporting.assumed import assumed
from ohmlearn.reporting.html import page
from ohmlearn.reporting.report import make_report, report_on

BUDGET = Path(__file__).resolve().parents[2] / "examples" / "energy_budget.toml"

# Runs in the page and leaves what it found behind, as text of the document.
LOOK = """<script>
window.problems = [];
window.addEventListener("error", e => window.problems.push(String(e.message || e.target)), true);
window.addEventListener("load", () => {
  const root = document.documentElement, pictures = [...document.images];
  const found = {
    pictures: pictures.length,
    broken: pictures.filter(p => !p.complete || p.naturalWidth < 50).map(p => p.alt),
    silent: pictures.filter(p => p.alt.length < 20).length,
    overflow: root.scrollWidth - root.clientWidth,
    wide: [...document.querySelectorAll("main > *, figure img")]
      .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1).length,
    problems: window.problems,
    loaded: performance.getEntriesByType("resource").map(e => e.name)
      .filter(n => !n.startsWith("data:")),
  };
  const note = document.createElement("pre");
  note.id = "found";
  note.textContent = JSON.stringify(found);
  document.body.append(note);
});
</script>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    """Return a page of a record that has everything, and one of a budget."""
    experiment = load_experiment(None, ["training.epochs=3", "network.layers=[64, 12, 10]"])
    generator = np.random.default_rng(1)
    shapes = {1: (65, 12), 2: (13, 10)}
    arrays = {
        f"g_{arm}_{k}": generator.uniform(5e-6, 1e-4, shape)
        for k, shape in shapes.items()
        for arm in ("plus", "minus")
    }
    arrays |= {f"activity_{k}": generator.uniform(0, 1, n) for k, n in enumerate((64, 12, 10))}
    arrays |= {
        f"writes_{k}": generator.integers(0, 900, (*shape, 2)).astype(np.uint32)
        for k, shape in shapes.items()
    }
    writes = {
        "set_pulses": 40000, "reset_pulses": 40000, "set_energy": 4e-7, "reset_energy": 4e-7,
        "transistor_energy": 0.0, "set_slots": 9000, "reset_slots": 9000,
    }  # fmt: skip
    events = [
        {"epoch": k, "train_accuracy": 0.5 + 0.1 * k, "test_accuracy": 0.5 + 0.09 * k,
         "pulses": 50000 // k, "write_energy": 5e-7 / k}
        for k in (1, 2, 3)
    ]  # fmt: skip
    folder = write(tmp_path_factory.mktemp("page") / "run", experiment, arrays, writes, events)
    report = report_on(read_record(folder))
    budget = assumed(load_experiment(BUDGET), "budget")
    return {"run": page(report), "budget": page(make_report(budget))}


def write(folder, experiment, arrays, writes, events) -> Path:
    from ohmlearn.record import SUMMARY_KEYS, write_record

    summary = {
        **dict.fromkeys(SUMMARY_KEYS, 0), "effects": [], "epochs": 3, "train_rows": 1000,
        "cells": 1820, "pulses_total": 160000, "test_accuracy": 0.77, "writes": [writes, writes],
    }  # fmt: skip
    write_record(folder, experiment, summary, arrays, events)
    return folder


def test_the_page_is_one_file_without_links_out(pages):
    for text in pages.values():
        targets = re.findall(r"""(?:src|href|srcset|action)\s*=\s*["']([^"']*)""", text)
        assert all(target.startswith("data:") for target in targets)
        assert "@import" not in text
        assert "url(" not in text


def test_the_page_has_every_figure(pages):
    titles = re.findall(r"<figure><h3>(.*?)</h3>", pages["run"])
    assert titles == [
        "Where the energy goes", "How sure the total is", "One training sample in time",
        "Pulses per cell", "Accuracy", "What accuracy costs", "Programming pulses",
        "Conductances after training", "Conductance map",
    ]  # fmt: skip
    assert len(re.findall("<figure>", pages["budget"])) == 3


def test_the_page_is_the_same_every_time(pages):
    again = page(make_report(assumed(load_experiment(BUDGET), "budget")))
    assert again == pages["budget"]


@pytest.mark.parametrize("width", [1280, 600])
@pytest.mark.parametrize("name", ["run", "budget"])
def test_a_browser_shows_the_page_without_a_fault(pages, name, width, chromium, tmp_path):
    text = pages[name].replace("<head>", f"<head>{LOOK}", 1)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
            f"--window-size={width},2000", "--virtual-time-budget=5000", "--dump-dom",
            (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (note,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout)
    found = json.loads(html.unescape(note))
    assert found.pop("pictures") == len(re.findall("<figure>", text))
    assert found == {
        "broken": [], "silent": 0, "overflow": 0, "wide": 0, "problems": [], "loaded": [],
    }  # fmt: skip
    assert ":CONSOLE" not in done.stderr
