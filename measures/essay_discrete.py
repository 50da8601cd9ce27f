"""`essay-discrete` follows `essay` within the tolerance that it states, in alignment and harm.

Alignment to 1e-9, being an exact draw of the same law from the same random numbers; mean harm
amplitude within 3 % of the first step's at every step.
"""

from __future__ import annotations

import sys

import numpy as np

import sumabm

REPLICATES, ALIGNMENT, HARM = 100, 1e-9, 0.03


def main() -> int:
    cloud = sumabm.load_scenario("essay-discrete")
    d = cloud.world.coefficients
    plain = sumabm.load_scenario("essay", {"world.dimensions": d, "steps": cloud.steps})
    discrete, gaussian = (sumabm.simulate(spec, REPLICATES) for spec in (cloud, plain))
    cosines = [run["alignment"].sel(agent="X").values for run in (discrete, gaussian)]
    apart = float(np.abs(cosines[0] - cosines[1]).max())
    print(
        f"alignment: largest difference of {REPLICATES} replicates {apart:.1e} (limit {ALIGNMENT})"
    )
    harms = [run["harm_amplitude"].mean("replicate").values for run in (discrete, gaussian)]
    off = float(np.abs(harms[0] - harms[1]).max() / harms[1][0])
    print(
        f"mean harm amplitude: off by {100 * off:.2f} % of the first step's (limit {100 * HARM} %)"
    )
    other = sumabm.simulate(plain.replace({"agents.X.power": 2.4}), REPLICATES)
    control = other["harm_amplitude"].mean("replicate").values
    wrong = float(np.abs(harms[0] - control).max() / harms[1][0])
    print(f"  negative control, another power: {100 * wrong:.0f} % (should exceed the limit)")
    return 0 if apart <= ALIGNMENT and off <= HARM < wrong else 1


if __name__ == "__main__":
    sys.exit(main())
