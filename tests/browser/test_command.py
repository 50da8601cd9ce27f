"""``sumabm browse`` as it is typed: what it refuses, and what it warns of."""

import importlib.util
import socket

import pytest

from sumabm.browser import serve as module
from sumabm.browser.config import config
from sumabm.browser.look import Pace, close_all
from sumabm.cli import main
from sumabm.scenario import library


@pytest.fixture
def browse(monkeypatch, capsys):
    """Return what runs the command, with a server that ends at once; returns code and messages."""
    served = []
    monkeypatch.setattr(module, "serve", lambda *given, **named: served.append((given, named)))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["sumabm", "browse", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().err, served

    return run


def test_it_serves_the_runs_folder_on_loopback(browse, tmp_path):
    code, told, served = browse("--out", str(tmp_path), "--no-open")
    assert (code, told) == (0, "")
    [(given, named)] = served
    assert given == (tmp_path, None, "127.0.0.1", 8765)
    assert not named["show"]


def test_a_public_host_is_warned_of(browse):
    code, told, served = browse("--host", "0.0.0.0")
    assert code == 0
    assert "everyone who can reach this machine" in told
    assert served


def test_what_it_refuses(browse, tmp_path, monkeypatch):
    bad = tmp_path / "bad.toml"
    bad.write_text((library() / "essay.toml").read_text().replace("steps = 200", "steps = -1"))
    code, told, served = browse(str(bad))
    assert (code, served) == (2, [])
    assert "greater than or equal to 1" in told
    code, told, served = browse("--port", "65536")
    assert (code, served) == (2, [])
    assert "from 0 to 65535" in told
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, told, served = browse()
    assert (code, served) == (2, [])
    assert "pip install 'sumabm[browser]'" in told


def test_a_port_that_is_taken_is_told(monkeypatch, capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setattr("sys.argv", ["sumabm", "browse", "--no-open", "--port", port])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 1
    assert "cannot be listened on" in capsys.readouterr().err
    monkeypatch.setattr(config, "runs", tmp_path)


def test_what_plays_waits_for_the_browser_and_not_once_it_is_gone():
    pace = Pace()
    pace.sent()
    close_all()
    pace.wait()  # at once
    assert pace.closed
