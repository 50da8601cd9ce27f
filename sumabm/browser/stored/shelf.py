"""What lies under the runs folder: runs and batteries, damaged ones too, and nothing outside it."""

from __future__ import annotations

import datetime
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr
from pydantic import ValidationError

from sumabm.battery.store import Store
from sumabm.files import DAMAGE, RunError
from sumabm.runs import open_run, read_manifest
from sumabm.scenario import Scenario, library
from sumabm.toml import problems

MOST_ENTRIES = 500
"""Entries of a listing, at most: the newest."""

_POOL = "chunks"  # what all batteries share
_LARGEST = 50_000_000  # bytes of a manifest
_LONGEST = 400  # characters of a text in a listing
_NAMES = 5  # files that a message names


class Entry(NamedTuple):
    """A run or a battery in a listing; of a damaged one, ``problem`` says what is wrong."""

    name: str
    kind: str
    """"run" or "battery"; empty where it cannot be told."""
    scenario: str = ""
    description: str = ""
    replicates: int = 0
    points: int = 1
    """Points of a battery; 1 of a run."""
    steps: int = 0
    seed: str = ""
    when: str = ""
    """When it was made: ISO 8601, in UTC."""
    problem: str = ""


class Listing(NamedTuple):
    """Entries, the newest first, how many ``more`` there are, and why there are none."""

    entries: tuple[Entry, ...]
    more: int = 0
    problem: str = ""


class Shelf:
    """The runs and batteries directly under one folder.

    Only what lies in that folder is read: names are those of folders directly under it, and
    neither they nor the files in them may lead out of it. Data files that a stored scenario names
    are read only within the folders ``data`` or that of the shipped scenarios.
    """

    def __init__(self, folder: str | Path, data: Sequence[Path] = ()) -> None:
        self.folder = Path(folder)
        self.data = tuple(data)
        self._root = Path(os.path.realpath(self.folder))

    def entries(self) -> Listing:
        """Return what lies there, at most `MOST_ENTRIES`; a damaged folder is an entry too."""
        try:
            found = sorted(self._folders(), reverse=True)
        except FileNotFoundError:
            return Listing(())
        except OSError as error:
            return Listing((), problem=f"{self.folder}: cannot be read: {error.strerror}")
        told = [self._entry(name, changed) for changed, name in found[:MOST_ENTRIES]]
        told.sort(key=lambda entry: entry.when, reverse=True)
        return Listing(tuple(told), max(len(found) - MOST_ENTRIES, 0))

    def folder_of(self, name: str) -> Path:
        """Return the folder of a run or battery.

        Raises RunError for anything but the plain name of a folder directly under the runs folder
        that, like the files in it, does not lead out of it.
        """
        if not isinstance(name, str) or not _is_plain(name):
            raise RunError(f"{_printable(name)}: is not the name of a run or a battery")
        path = self._root / name
        try:
            target = Path(os.path.realpath(path, strict=True))
        except FileNotFoundError:
            raise RunError(f"{name}: there is no such run or battery") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{_printable(name)}: cannot be read") from error
        if target.parent != self._root:
            raise RunError(f"{name}: leads out of the runs folder")
        if not target.is_dir():
            raise RunError(f"{name}: is not a folder")
        self._check_inside(path, name)
        return path

    def open_run(self, name: str) -> xr.Dataset:
        """Return a stored run; raises RunError as `folder_of` and `runs.open_run` do."""
        try:
            return open_run(self.folder_of(name))
        except RunError as error:
            raise RunError(self._told(error)) from error

    def open_battery(self, name: str) -> Store:
        """Return a battery's store; raises RunError as `folder_of` and `Store.open` do."""
        try:
            store = Store.open(self.folder_of(name))
        except RunError as error:
            raise RunError(self._told(error)) from error
        self._check_pool()
        battery = store.manifest["battery"]
        stored_scenario(battery.get("scenario") if isinstance(battery, dict) else None, self.data)
        return store

    def _told(self, error: RunError) -> str:
        """Return what went wrong, without where on this machine the folder is."""
        return str(error).replace(f"{self._root}{os.sep}", "")

    def _folders(self) -> Iterator[tuple[float, str]]:
        """Yield when the folders there changed last, with their names."""
        with os.scandir(self._root) as found:
            for item in found:
                if item.name.startswith(".") or item.name == _POOL:
                    continue
                try:
                    if item.is_symlink() or item.is_dir():
                        yield item.stat(follow_symlinks=False).st_mtime, item.name
                except OSError:  # gone meanwhile
                    continue

    def _entry(self, name: str, changed: float) -> Entry:
        when = datetime.datetime.fromtimestamp(changed, datetime.UTC).isoformat(timespec="seconds")
        kind = ""
        try:
            path = self.folder_of(name)
            if name != _printable(name):
                raise RunError("its name is no text")
            kind = "battery" if (path / "battery.json").exists() else "run"
            return (_battery if kind == "battery" else _run)(path, name, when)
        except RunError as error:
            told = self._told(error)
        except DAMAGE as error:
            told = f"its manifest cannot be read: {error!r}"
        return Entry(_printable(name), kind, when=when, problem=_text(told))

    def _check_inside(self, path: Path, name: str) -> None:
        """Raise RunError where a file in the folder leads out of it, or is none to be read."""
        try:
            with os.scandir(path) as found:
                wrong = [item.name for item in found if not self._is_ours(item)]
            large = [
                file
                for file in ("manifest.json", "battery.json")
                if (path / file).is_file() and (path / file).stat().st_size > _LARGEST
            ]
        except OSError as error:
            raise RunError(f"{name}: cannot be read: {error.strerror}") from error
        if wrong:
            told = ", ".join(map(_printable, sorted(wrong)[:_NAMES]))
            raise RunError(f"{name}: leads out of the runs folder: {told}")
        if large:
            raise RunError(f"{name}: {large[0]} is larger than {_LARGEST} bytes")

    def _check_pool(self) -> None:
        """Raise RunError where a chunk, or a folder of them, leads out of the runs folder."""
        pool = self._root / _POOL
        links = [pool] if pool.is_symlink() else []
        for folder in os.scandir(pool) if pool.is_dir() else ():
            inside = os.scandir(folder) if folder.is_dir() else ()
            links += [Path(item.path) for item in (folder, *inside) if item.is_symlink()]
        for link in links:
            if not self._holds(link):
                raise RunError(f"{_POOL}: leads out of the runs folder: {_printable(link.name)}")

    def _is_ours(self, item: os.DirEntry[str]) -> bool:
        """Whether a file or folder is one, and lies under the runs folder."""
        if item.is_symlink():
            return self._holds(Path(item.path))
        mode = item.stat(follow_symlinks=False).st_mode
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)

    def _holds(self, path: Path) -> bool:
        target = Path(os.path.realpath(path))
        return target.is_relative_to(self._root) and (target.is_file() or target.is_dir())


def stored_scenario(table: object, data: Sequence[Path] = ()) -> Scenario:
    """Return a stored scenario, whose data files lie in one of these folders or the shipped one.

    Raises RunError where it can't be read any more: a plug-in may be gone, or a data file.
    """
    told = []
    for folder in (*data, library()):
        try:
            context = {"folder": folder, "fence": [folder]}
            return Scenario.model_validate(table, context=context)
        except ValidationError as error:
            told.append("; ".join(problems(error)))
        except (RecursionError, *DAMAGE) as error:
            told.append(repr(error))
    raise RunError(f"its scenario cannot be read by this version: {told[0]}")


def _is_plain(name: str) -> bool:
    """Whether a text can only be the name of something directly in a folder."""
    return bool(name) and name != _POOL and name[0] != "." and not set(name) & set("/\\\0")


def _run(path: Path, name: str, when: str) -> Entry:
    manifest = read_manifest(path)
    scenario = manifest["scenario"]
    first, stop = manifest["replicates"]
    missing = [file for file in manifest["files"] if not (path / _plain(file)).is_file()]
    return Entry(
        name=name,
        kind="run",
        scenario=_text(scenario["scenario"]),
        description=_text(scenario.get("description", "")),
        replicates=int(stop) - int(first),
        steps=int(scenario["steps"]),
        seed=_text(str(manifest["seed"])),
        when=_moment(manifest, when),
        problem=f"{_text(', '.join(missing))}: is missing" if missing else "",
    )


def _battery(path: Path, name: str, when: str) -> Entry:
    manifest = Store.open(path).manifest
    battery = manifest["battery"]
    return Entry(
        name=name,
        kind="battery",
        scenario=_text(battery["scenario"]["scenario"]),
        description=_text(battery.get("description", "")),
        replicates=int(battery["replicates"]),
        points=int(manifest["points"]),
        steps=int(battery["scenario"]["steps"]),
        seed=_text(str(battery["seed"])),
        when=_moment(manifest, when),
    )


def _plain(file: str) -> str:
    if not _is_plain(file):
        raise RunError(f"its manifest names {_printable(file)}, which is no file of a run")
    return file


def _moment(manifest: Mapping[str, Any], when: str) -> str:
    """Return when a manifest says that it was made, else ``when``, in UTC."""
    try:
        found = datetime.datetime.fromisoformat(manifest["created"])
        return found.astimezone(datetime.UTC).isoformat(timespec="seconds")
    except DAMAGE:
        return when


def _text(value: object) -> str:
    """Return a text on one line, not longer than a listing takes; raises TypeError for others."""
    if not isinstance(value, str):
        raise TypeError(f"should be a text, got {json.dumps(value, default=repr)[:80]}")
    line = _printable(" ".join(value[: 4 * _LONGEST].split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _printable(name: object) -> str:
    """Return a name as text that can be sent: file names may hold bytes that are no text."""
    return str(name)[:_LONGEST].encode("utf-8", "backslashreplace").decode("utf-8")
