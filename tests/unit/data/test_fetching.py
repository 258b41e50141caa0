"""Fetching: progress from the child, whole files moved into place, and nothing left of a failure."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from genlab_tui import data
from genlab_tui.data import download, fetching
from genlab_tui.errors import GenlabError

pytestmark = pytest.mark.usefixtures("no_debian")


def _child(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Replace the downloading process by a script that gets the folder as its only argument."""
    body = textwrap.dedent(script)
    monkeypatch.setattr(fetching, "child_command", lambda _name, folder: [sys.executable, "-c", body, str(folder)])


def test_a_download_is_reported_checked_and_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_family: Callable[..., None]
) -> None:
    write_family(tmp_path / "server")
    _child(
        monkeypatch,
        f"""
        import json, pathlib, shutil, sys
        raw = pathlib.Path(sys.argv[1]) / "MNIST" / "raw"
        shutil.copytree({str(tmp_path / "server")!r}, raw)
        (raw / "train-images-idx3-ubyte.gz").write_bytes(b"an archive")
        print("a library prints something")
        for done in (1, 2, 3):
            print(json.dumps({{"done": done, "total": 3, "what": "train\\x1b[31m-images"}}), flush=True)
        """,
    )
    seen: list[tuple[int, int, str]] = []
    target = tmp_path / "data"
    found = data.fetch("mnist", target, lambda *report: seen.append(report))
    assert [report[:2] for report in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0][2] == "train-images"
    assert found.present
    assert data.load("mnist", target).x_test.shape == (10_000, 1, 28, 28)
    assert [p.name for p in target.iterdir()] == ["MNIST"]
    assert not list(target.rglob("*.gz"))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('print(\'{"error": "Name or service not known"}\'); raise SystemExit(1)', "Name or service not known"),
        ("import sys; sys.exit('File not found or corrupted.')", "File not found or corrupted"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with code -9"),
        ("pass", "not the data set"),
    ],
)
def test_a_failed_download_is_one_line_and_leaves_nothing(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = "import pathlib, sys; (pathlib.Path(sys.argv[1]) / 'partial.gz').write_bytes(b'x' * 100)\n"
    _child(monkeypatch, partial + script)
    with pytest.raises(GenlabError, match=reason) as caught:
        data.fetch("mnist", tmp_path)
    assert "\n" not in str(caught.value)
    assert "genlab-tui data fetch mnist" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_short_file_is_not_moved_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_family: Callable[..., None]
) -> None:
    write_family(tmp_path / "server")
    _child(
        monkeypatch,
        f"""
        import pathlib, shutil, sys
        raw = pathlib.Path(sys.argv[1]) / "MNIST" / "raw"
        shutil.copytree({str(tmp_path / "server")!r}, raw)
        (raw / "t10k-images-idx3-ubyte").write_bytes(b"short")
        """,
    )
    with pytest.raises(GenlabError, match="damaged"):
        data.fetch("mnist", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_an_interrupted_caller_ends_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _child(
        monkeypatch,
        f"""
        import os, pathlib, time
        pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
        print('{{"done": 0, "total": 1, "what": ""}}', flush=True)
        time.sleep(60)
        """,
    )

    def interrupt(_done: int, _total: int, _what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.fetch("mnist", tmp_path / "data", interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert list((tmp_path / "data").iterdir()) == []


def test_what_a_killed_fetch_left_is_swept(tmp_path: Path) -> None:
    dead = tmp_path / f"{fetching.PREFIX}4194999-abcd"
    alive = tmp_path / f"{fetching.PREFIX}{os.getpid()}-abcd"
    dead.mkdir()
    alive.mkdir()
    (dead / "part").write_bytes(b"x")
    assert fetching.sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [alive]


def test_too_little_room_is_said_before_anything_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1_000_000))
    with pytest.raises(GenlabError, match=r"cifar10 needs 511 MB .* 1.0 MB are free"):
        data.fetch("cifar10", tmp_path)


def test_what_is_here_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_family: Callable[..., None]
) -> None:
    write_family(tmp_path / "MNIST" / "raw")
    monkeypatch.setattr(fetching, "fetch", lambda *_: pytest.fail("fetched"))
    assert data.fetch("mnist", tmp_path).present
    assert data.fetch("digits", tmp_path).present


def test_a_built_set_is_built_by_fetching_it(tmp_path: Path) -> None:
    assert data.fetch("mnist1d", tmp_path).bytes > 100_000


def test_the_real_child_without_a_network_fails_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(GenlabError, match=r"kmnist could not be fetched: .*Connection refused") as caught:
        data.fetch("kmnist", tmp_path)
    assert "urlopen" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_family: Callable[..., None]
) -> Iterator[tuple[Path, Path]]:
    """Serve KMNIST's file names on this machine; give the served folder and an empty target."""
    from torchvision import datasets

    served, target = tmp_path / "served", tmp_path / "target"
    write_family(served, ".gz")
    target.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    sums = [(path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in sorted(served.iterdir())]
    monkeypatch.setattr(datasets.KMNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(datasets.KMNIST, "resources", sums)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    yield served, target
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_child_downloads_with_torchvision(
    mirror: tuple[Path, Path], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, target = mirror
    assert download.main(["kmnist", str(target)]) == 0
    reports = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert reports[-1] == {"done": 21_240_888, "total": 21_240_888, "what": "verified"}
    assert all(0 <= report["done"] <= report["total"] for report in reports)
    assert data.load("kmnist", target).y_test.tolist()[:10] == list(range(10))


def test_the_child_verifies_checksums(mirror: tuple[Path, Path], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A mirror that serves something else: torchvision's MD5 refuses it, and the child says so."""
    served, target = mirror
    (served / "t10k-labels-idx1-ubyte.gz").write_bytes(b"not it")
    assert download.main(["kmnist", str(target)]) == 1
    assert json.loads(capfdbinary.readouterr().out.splitlines()[-1]) == {"error": "File not found or corrupted."}
