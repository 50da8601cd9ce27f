"""A disk that fills up under a battery: told clearly, nothing corrupt, and resume completes.

On a small file system in memory (Linux, as root or in a user namespace of its own): full, of data
or of files, while a battery runs on one worker or on two, then enlarged and resumed; and too small
for the plan from the start. Every file must in the end be byte-identical to an undisturbed run's.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measures.battery_kill import PYTHON, battery, chunks, finish

CHUNKS = 400
FILE = f"""
battery = "filled"
scenario = "essay"
replicates = 64
set = {{ steps = 20 }}
[uncertainties]
"agents.X.power" = {{ kind = "continuous", low = 0.1, high = 9.0 }}
[design]
kind = "grid"
levels = {CHUNKS}
[chunk]
replicates = 64
"""
FULL = "No space left on device"


@contextlib.contextmanager
def small_disk(folder: Path, room: str) -> Iterator[Path]:
    """Mount a file system with so much room, ``size=64k`` or ``nr_inodes=100``; give where."""
    disk = folder / "disk"
    disk.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", room, "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def enlarge(disk: Path) -> None:
    """Give a mounted file system room enough."""
    subprocess.run(["mount", "-o", "remount,size=1g,nr_inodes=100k", disk], check=True)


def used(folder: Path) -> int:
    """Return the KiB that files and folders take in a file system of pages of 4 KiB."""
    sizes = [path.stat().st_size if path.is_file() else 1 for path in folder.rglob("*")]
    return sum(-(-size // 4096) * 4 for size in sizes)


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([*PYTHON, *words], capture_output=True, text=True, timeout=300)


def faults_of_message(done: subprocess.CompletedProcess[str], disk: Path, say: str) -> list[str]:
    """Return what is wrong with how a command ended, and with what it said; print that."""
    lines = [line for line in done.stderr.splitlines() if " chunks, " not in line]
    lines = [line for line in lines if " points, " not in line]  # that is progress
    print(*(f"  | {line.replace(str(disk), 'DISK')}" for line in lines), sep="\n")
    wrong = [] if done.returncode == 1 else [f"exits with {done.returncode}, not 1"]
    told = [line for line in lines if line.startswith("sumabm: ")]
    if len(told) != 1 or FULL not in told[0] or str(disk) not in told[0]:
        wrong.append("there is not one message that names the place and says what it lacks")
    if "Traceback" in done.stderr or len(lines) > 2:
        wrong.append("says more than a person needs")
    if say not in done.stderr:
        wrong.append(f"does not say '{say}'")
    return wrong


def faults_of_store(out: Path, expected: dict[str, str]) -> list[str]:
    """Return what is wrong with what is stored: some of what should be, or all of it."""
    found = chunks(out)
    wrong = [f"{name} is one too many" for name in found.keys() - expected.keys()]
    wrong += [f"{name} differs" for name in found if expected.get(name, found[name]) != found[name]]
    if left := [path.name for path in out.rglob(".writing-*")]:
        wrong.append(f"half written: {left}")
    if left := [path.name for path in out.rglob("failures/*.json")]:
        wrong.append(f"recorded as the chunks' failures: {left}")
    return wrong


def faults_of_verify(path: Path, stored: int) -> list[str]:
    """Return what `verify` finds, or what is wrong with what it says."""
    done = run(["sumabm", "verify", str(path)])
    wrong = [] if done.returncode == 0 else [f"verify: {done.stderr[-300:]}"]
    if f"{stored} chunks have the data that was stored" not in done.stdout:
        wrong.append(f"verify: {done.stdout}")
    return wrong


def while_running(
    file: Path, folder: Path, expected: dict[str, str], workers: int, room: str
) -> list[str]:
    """Fill the disk in the middle of a battery, enlarge it, resume."""
    with small_disk(folder, room) as disk:
        out = disk / "runs"
        done = run(battery(file, out, "--workers", str(workers)))
        stored = sum(not name.startswith(".") for name in chunks(out))
        print(f"  full after {stored} of {CHUNKS} chunks")
        wrong = faults_of_message(done, disk, "sumabm resume ") + faults_of_store(out, expected)
        if not CHUNKS // 10 < stored < CHUNKS:
            wrong.append(f"{stored} chunks are stored")
        [path] = out.glob("filled-*")
        wrong += faults_of_verify(path, stored)
        again = run(["sumabm", "resume", str(path)])  # nothing has changed yet
        wrong += faults_of_message(again, disk, "sumabm resume ") + faults_of_store(out, expected)
        enlarge(disk)
        wrong += finish(["sumabm", "resume", str(path), "--workers", str(workers)])
        wrong += faults_of_store(out, expected) + faults_of_verify(path, CHUNKS)
        return wrong + [f"{name} is missing" for name in expected.keys() - chunks(out).keys()]


def while_planning(file: Path, folder: Path, expected: dict[str, str], room: str) -> list[str]:
    """Plan a battery on a disk that has no room for the plan."""
    with small_disk(folder, room) as disk:
        out = disk / "runs"
        wrong = faults_of_message(run(battery(file, out)), disk, FULL)
        if left := [path.name for path in out.rglob("*")]:
            wrong.append(f"left behind: {left}")
        enlarge(disk)
        wrong += finish(battery(file, out)) + faults_of_store(out, expected)
        return wrong + [f"{name} is missing" for name in expected.keys() - chunks(out).keys()]


def main() -> int:
    if os.geteuid() != 0:  # to be root in a namespace of its own is enough to mount
        return subprocess.run(["unshare", "-rm", sys.executable, *sys.argv]).returncode
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "filled.toml"
        file.write_text(FILE, encoding="utf-8")
        plan = folder / "plan"
        run(battery(file, plan, "--plan"))
        wrong = finish(battery(file, folder / "undisturbed"))
        expected = chunks(folder / "undisturbed")
        print(f"undisturbed: {len(expected)} chunks, {used(folder / 'undisturbed')} KiB")
        if wrong or len(expected) != CHUNKS:
            print("\n".join(wrong) or "not as many chunks as there should be")
            return 1
        half = (used(folder / "undisturbed") + used(plan)) // 2
        for workers, room in ((1, f"size={half}k"), (2, f"size={half}k"), (2, "nr_inodes=300")):
            print(f"{while_running.__doc__} ({workers} at work, {room})")
            wrong = while_running(file, folder, expected, workers, room)
            print(f"  {'; '.join(wrong[:5]) or 'nothing lost'}")
            failed += len(wrong)
        for room in ("size=24k", "size=4k", "nr_inodes=4", "nr_inodes=1"):
            print(f"{while_planning.__doc__} ({room})")
            wrong = while_planning(file, folder, expected, room)
            print(f"  {'; '.join(wrong[:5]) or 'nothing lost'}")
            failed += len(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
