"""The page on the command line, from its commands and their options."""

from __future__ import annotations

from typing import Any

import typer

from sumabm.cli import app


def pages() -> dict[str, str]:
    """Return the page's Markdown by path."""
    group: Any = typer.main.get_command(app)
    text = ["# The command line", f"{group.help} `sumabm COMMAND --help` prints what is here."]
    text.extend(_command(name, group.commands[name]) for name in sorted(group.commands))
    return {"cli.md": "\n\n".join(text) + "\n"}


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    usage = " ".join(["sumabm", name, *("[OPTIONS]",), *map(_placeholder, arguments)])
    rows = "\n".join(_row(parameter) for parameter in command.params)
    return (
        f"## sumabm {name}\n\n{command.help}\n\n```text\n{usage}\n```\n\n"
        f"| | | default |\n|---|---|---|\n{rows}"
    )


def _placeholder(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper() + "..." * (argument.nargs != 1)
    return name if argument.required else f"[{name}]"


def _row(parameter: Any) -> str:
    names = [f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts)]
    if parameter.opts[0].startswith("-"):
        takes = f" `{parameter.metavar}`" if parameter.metavar else ""
    else:
        names, takes = [f"`{_placeholder(parameter)}`"], ""
    default = "required" if parameter.required else _default(parameter)
    cells = [", ".join(names) + takes, parameter.help or "", default]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or value == []:
        return ""
    if value is True:
        return f"`{parameter.opts[0]}`"
    return f"`{value}`"
