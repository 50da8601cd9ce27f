"""`sumabm new` writes components that do what they say, at the first try."""

import subprocess
import sys

import pytest

from sumabm.cli import main
from sumabm.files import RunError
from sumabm.making import ROOMS, make


def test_every_room_s_component_passes_its_own_test(tmp_path):
    for room in ROOMS:
        make(room, f"made-{room}", tmp_path)
    paths = " ".join(f"sumabm-made-{room}" for room in ROOMS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", f"pythonpath={paths}", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.parametrize("name", ["Mine", "my_own", "-x", "", "a" * 41, "../up", "x y"])
def test_a_name_that_is_no_kind_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="lower-case letters"):
        make("origin", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_there_stays(tmp_path):
    make("harm", "mine", tmp_path)
    with pytest.raises(RunError, match="is there already"):
        make("harm", "mine", tmp_path)
    with pytest.raises(ValueError, match="should be one of"):
        make("worlds", "mine", tmp_path)


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["sumabm", "new", "origin", "mine", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "sumabm-mine" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["sumabm", "new", "origin", "No Kind", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
