"""What can be taken from a page: a run's data, its figures, its scenario."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w
import xarray as xr

from sumabm.figures import save_all
from sumabm.predict import predict
from sumabm.recorder import VARIABLES, columns_of
from sumabm.scenario import Scenario

_drawing = threading.Lock()


def table(run: xr.Dataset) -> pd.DataFrame:
    """Return a run as a table: a row per replicate and step, a column per variable and agent."""
    replicates, steps = run["replicate"].values, run["step"].values
    frame = pd.MultiIndex.from_product([replicates, steps], names=["replicate", "step"]).to_frame(
        index=False
    )
    columns: dict[str, Any] = {}
    for name in VARIABLES:
        if name in run:
            columns |= {key: values.ravel() for key, values in columns_of(run, name).items()}
    return pd.concat([frame, pd.DataFrame(columns)], axis=1)


def csv(run: xr.Dataset) -> bytes:
    """Return `table` as CSV."""
    return table(run).to_csv(index=False).encode()


def parquet(run: xr.Dataset) -> bytes:
    """Return `table` as Parquet."""
    return bytes(table(run).to_parquet(index=False))


def figures(run: xr.Dataset, spec: Scenario) -> bytes:
    """Return a ZIP of the figures that `sumabm run` makes, SVG and PNG, of the steps so far."""
    packed = io.BytesIO()
    # matplotlib's style is one for all tabs
    with _drawing, tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w") as archive:
        drawn = Path(folder) / "figures"
        for name in save_all(run, predict(run, spec), drawn):
            archive.write(drawn / name, name)
    return packed.getvalue()


def toml(spec: Scenario) -> str:
    """Return a scenario as a TOML file that `sumabm run` takes."""
    return tomli_w.dumps(_without_none(spec.model_dump()))


def _without_none(value: Any) -> Any:
    """Leave out what is None, which TOML has no word for: it is what a missing key means."""
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [_without_none(entry) for entry in value]
    return value
