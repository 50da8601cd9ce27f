"""The command that holds us to what others have published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sumabm.cli.app import AsJson, MisuseError, app, print_json, print_table, stop
from sumabm.cli.batteries import terminable

if TYPE_CHECKING:
    from sumabm.science.claims import Checked


@app.command("validate-science")
def validate_science(
    items: Annotated[
        list[str] | None, typer.Argument(metavar="[ITEM]...", help="Only these; by default all.")
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it as it is in docs/validation.md.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute published numbers through worlds and agents, and hold ours to them."""
    from sumabm.science import ITEMS

    if wrong := set(items or []) - set(ITEMS):
        raise MisuseError(f"{min(wrong)}: allowed: {', '.join(ITEMS)}")
    if as_markdown and as_json:
        raise MisuseError("--markdown --json: should be one of them")
    try:
        with terminable():
            found = _checked([name for name in ITEMS if name in (items or ITEMS)])
    except KeyboardInterrupt:
        stop("interrupted", 130)
    _show(found, as_markdown, as_json)
    if off := sum(not each.agrees for each in found):
        stop(f"{off} of {len(found)} numbers are off", 1)


def _checked(names: list[str]) -> list[Checked]:
    from sumabm.progress import progress
    from sumabm.science import claims_of
    from sumabm.science.claims import check

    these = claims_of(names)
    found: list[Checked] = []
    with progress("published numbers", "checked") as report:
        report(0, len(these))
        for name, claim in these:
            found.append(check(name, claim))
            report(len(found), len(these), name)
    return found


def _show(found: list[Checked], as_markdown: bool, as_json: bool) -> None:
    from sumabm.science.table import HEADS, NUMERIC, markdown, row

    if as_json:
        print_json({"numbers": [_plain(each) for each in found]})
    elif as_markdown:
        typer.echo(markdown(found), nl=False)
    else:
        heads = {head: head in NUMERIC for head in HEADS}
        print_table("published numbers and ours", heads, [row(each) for each in found])
        agree = sum(each.agrees for each in found)
        typer.echo(f"{agree} of {len(found)} numbers agree")


def _plain(checked: Checked) -> dict[str, object]:
    claim = checked.claim
    return {
        "item": checked.item,
        "source": claim.source,
        "quantity": claim.quantity,
        "published": float(claim.published),
        "digits": claim.origin,
        "ours": checked.ours.value,
        "standard_error": checked.ours.error,
        "difference": checked.difference,
        "tolerance": checked.tolerance,
        "because": checked.because,
        "agrees": checked.agrees,
        "seconds": round(checked.seconds, 3),
    }
