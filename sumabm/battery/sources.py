"""What a battery cites: the bibliography keys of all that its points use."""

from __future__ import annotations

import contextlib
import json

from sumabm.battery.parameters import is_number
from sumabm.battery.spec import Battery
from sumabm.component import Component
from sumabm.provenance import citations


def sources(battery: Battery) -> set[str]:
    """Return the bibliography keys of a battery's design, parameters and points' components.

    Numbers choose no component, so points that differ in numbers alone are one. A point that is no
    scenario (any more: its data file may be gone) has no keys. Raises ValueError for a design that
    does not fit the parameters.
    """
    parts: list[Component] = [battery.design, *battery.parameters.values()]
    keys = {key for part in parts for key in part.cites} | set(citations(battery.scenario))
    points = battery.design.lay_out(battery.parameters, battery.seed)
    seen = set()
    for number in range(len(points)):
        values = {name: column[number] for name, column in points.values.items()}
        chosen = json.dumps({n: v for n, v in values.items() if not is_number(v)}, sort_keys=True)
        if chosen not in seen:
            seen.add(chosen)
            with contextlib.suppress(ValueError):
                keys |= set(citations(battery.changed(battery.overrides(values))))
    return keys
