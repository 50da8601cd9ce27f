"""Mesa's data collector of a model: the means of all it shows, over the replicates that go on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Protocol

import mesa
import numpy as np

from sumabm.types import Array


class Shows(Protocol):
    """A model that shows arrays ``(R,)`` by column, missing (NaN) where a replicate is done."""

    shown: dict[str, Array]


class Means(mesa.DataCollector):  # type: ignore[misc]  # Mesa has no types
    """What Mesa's own collector would note of each column, found for all of them at once."""

    def __init__(self, columns: Iterable[str]) -> None:
        super().__init__(model_reporters={name: partial(_mean, name) for name in columns})

    def collect(self, model: Shows) -> None:
        """Note the means of what the model shows; NaN where no replicate goes on."""
        names = list(self.model_vars)
        values = np.concatenate([model.shown[name] for name in names]).reshape(len(names), -1)
        if np.isnan(values).any():
            means = [_mean(name, model) for name in names]
        else:
            means = values.mean(axis=1).tolist()
        for name, mean in zip(names, means, strict=True):
            self.model_vars[name].append(mean)


def _mean(name: str, model: Shows) -> float:
    values = model.shown[name]
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else math.nan
