"""Downloads, from a server on this machine: right files arrive, wrong ones leave nothing."""

from __future__ import annotations

import hashlib
import socket
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ohmlearn.errors import DataError
from ohmlearn.training import download as downloads
from ohmlearn.training.datasets import load
from ohmlearn.training.download import download, fetch
from ohmlearn.training.published import PUBLISHED

FILES = tuple(PUBLISHED["mnist"].sha256)


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder and remember the paths asked for; announce too much below /short/."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if not self.path.startswith("/short/"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"only this")
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, write_idx, monkeypatch):
    """Serve a small set in /good/, and files of wrong content in /bad/."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    root = tmp_path / "web"
    for number, file in enumerate(FILES):
        images = np.full((10, 28, 28), number)
        write_idx(root / "good" / file, images if "images" in file else np.arange(10))
        write_idx(root / "bad" / file, np.zeros(5))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=root)) as http:
        http.asked = []
        http.root = root
        http.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield http
        http.shutdown()
        thread.join(timeout=10)


@pytest.fixture
def small(server):
    """Return a set published on the local server, with the digests of its files."""
    content = {file: (server.root / "good" / file).read_bytes() for file in FILES}
    digests = {file: hashlib.sha256(stored).hexdigest() for file, stored in content.items()}
    return replace(PUBLISHED["mnist"], mirrors=(f"{server.url}/good/",), sha256=digests)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetched_files_load(tmp_path, small, monkeypatch):
    monkeypatch.setitem(PUBLISHED, "mnist", small)
    monkeypatch.setenv("OHMLEARN_DATA", str(tmp_path / "data"))
    folder = fetch("mnist")
    assert folder == tmp_path / "data" / "mnist"
    assert names(folder) == sorted(FILES)
    np.testing.assert_array_equal(load("mnist").y_test, np.arange(10))


def test_files_that_are_there_are_not_asked_for_again(tmp_path, server, small):
    download(small, tmp_path / "mnist")
    (tmp_path / "mnist" / FILES[2]).write_bytes(b"damaged")
    server.asked.clear()
    download(small, tmp_path / "mnist")
    assert server.asked == [f"/good/{FILES[2]}"]
    expected = (server.root / "good" / FILES[2]).read_bytes()
    assert (tmp_path / "mnist" / FILES[2]).read_bytes() == expected


def test_a_wrong_checksum_leaves_nothing_behind(tmp_path, server, small):
    wrong = replace(small, mirrors=(f"{server.url}/bad/",))
    with pytest.raises(DataError, match="wrong checksum") as caught:
        download(wrong, tmp_path / "data" / "mnist")
    assert FILES[0] in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_wrong_checksum_keeps_what_was_there(tmp_path, server, small):
    folder = tmp_path / "mnist"
    download(small, folder)
    (folder / FILES[1]).write_bytes(b"mine")
    with pytest.raises(DataError, match="wrong checksum"):
        download(replace(small, mirrors=(f"{server.url}/bad/",)), folder)
    assert names(folder) == sorted(FILES)
    assert (folder / FILES[1]).read_bytes() == b"mine"


@pytest.mark.parametrize("first", ["bad", "nowhere", "short"])
def test_the_next_mirror_helps_out(tmp_path, server, small, first):
    both = replace(small, mirrors=(f"{server.url}/{first}/", *small.mirrors))
    download(both, tmp_path / "mnist")
    assert names(tmp_path / "mnist") == sorted(FILES)


@pytest.mark.parametrize(
    ("mirror", "message"),
    [("nowhere", "the server answered 404"), ("short", "no complete answer|wrong checksum")],
)
def test_a_server_without_the_file_is_one_sentence(tmp_path, server, small, mirror, message):
    with pytest.raises(DataError, match=message) as caught:
        download(replace(small, mirrors=(f"{server.url}/{mirror}/",)), tmp_path / "mnist")
    assert f"{server.url}/{mirror}/" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mnist").exists()


def test_a_server_that_never_answers_is_given_up(tmp_path, small, monkeypatch):
    monkeypatch.setattr(downloads, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DataError, match="no complete answer, ReadTimeout"):
            download(replace(small, mirrors=(mirror,)), tmp_path / "mnist")
    with pytest.raises(DataError, match="no complete answer, ConnectionError"):
        download(replace(small, mirrors=(mirror,)), tmp_path / "mnist")
    assert not (tmp_path / "mnist").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, small):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot create the data folder"):
        download(small, tmp_path / "file" / "mnist")


def test_progress_is_reported(tmp_path, server, small):
    class Progress:
        total = 0
        closed = 0

        def update(self, size):
            pass

        def reset(self):
            pass

        def close(self):
            self.closed += 1

    progress = Progress()
    download(small, tmp_path / "mnist", progress)
    assert progress.closed == 4
    assert progress.total == (server.root / "good" / FILES[3]).stat().st_size


@pytest.mark.parametrize(
    ("name", "message"),
    [("digits", "nothing to download"), ("fashion", "did you mean 'fashion_mnist'")],
)
def test_names_without_files_are_refused(tmp_path, name, message):
    with pytest.raises(DataError, match=message):
        fetch(name, tmp_path)


def test_every_published_set_has_four_files_with_full_digests():
    for published in PUBLISHED.values():
        assert tuple(published.sha256) == FILES
        assert all(len(bytes.fromhex(digest)) == 32 for digest in published.sha256.values())
        assert all(m.startswith("http") and m.endswith("/") for m in published.mirrors)


@pytest.mark.data
@pytest.mark.parametrize("name", list(PUBLISHED))
def test_the_digests_are_those_of_the_files(data_dir, name):
    published = PUBLISHED[name]
    compared = 0
    for file, sha256 in published.sha256.items():
        path = data_dir / name / file
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
            compared += 1
    assert compared >= 2  # of KMNIST there may be the test files only
