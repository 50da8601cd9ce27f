"""The pages on what ships: scenarios and batteries, with their files."""

from __future__ import annotations

from pathlib import Path

from sumabm.battery.spec import load_battery
from sumabm.scenario import library, load_scenario


def pages() -> dict[str, str]:
    """Return the two pages' Markdown by path."""
    return {"scenarios.md": _scenarios(), "batteries.md": _batteries()}


def _scenarios() -> str:
    text = [
        "# Shipped scenarios",
        "`sumabm run NAME` runs one, `sumabm list` prints them all. Each is a file like yours.",
    ]
    for path in sorted(library().glob("*.toml")):
        scenario = load_scenario(path)
        roles = [(role, scenario.names(role)) for role in ("ai", "human", "aligner")]
        told = [
            f"{'AI' if role == 'ai' else role}: {_few(names)}" for role, names in roles if names
        ]
        steps = f"{scenario.steps} step{'s' * (scenario.steps > 1)}"
        facts = f"{steps}; {'; '.join(told)}; world: {scenario.world.kind}"
        text.append(_entry(path, scenario.description, scenario.tags, facts))
    return "\n\n".join(text) + "\n"


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])}, … ({len(names)})"


def _batteries() -> str:
    text = [
        "# Shipped batteries",
        "`sumabm battery NAME` runs one; [Batteries](../../batteries.md) says what they are.",
    ]
    for path in sorted(library().glob("batteries/*.toml")):
        battery = load_battery(path)
        varied = ", ".join(f"`{name}`" for name in battery.parameters) or "nothing"
        link = f"[{battery.scenario.scenario}](scenarios.md#{battery.scenario.scenario})"
        facts = f"scenario {link}; varies {varied}; {battery.replicates} replicates at each point"
        text.append(_entry(path, battery.description, battery.tags, facts))
    return "\n\n".join(text) + "\n"


def _entry(path: Path, description: str, tags: list[str], facts: str) -> str:
    marks = " ".join(f"`{tag}`" for tag in tags)
    code = path.read_text("utf-8").rstrip()
    return (
        f"## {path.stem}\n\n{' '.join(description.split())}\n\n{facts}. Tags: {marks}\n\n"
        f"<details>\n<summary>The file</summary>\n\n```toml\n{code}\n```\n\n</details>"
    )
