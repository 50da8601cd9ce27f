"""Columns and end values: each replicate's own last row, by the recorder's names."""

import numpy as np
import pytest

import sumabm
from sumabm.analysis import column, columns, end_values
from sumabm.analysis.outcomes import parameters, point_outcomes

NAN = np.nan


def test_every_replicate_has_its_own_last_row(run_data):
    harm = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, NAN], [6.0, NAN, NAN], [NAN, NAN, NAN]])
    other = np.array([[1.0, 2.0, NAN], [4.0, 5.0, NAN], [NAN, NAN, NAN], [NAN, NAN, NAN]])
    ends = end_values(run_data({"harm": harm, "believed": other}))
    assert ends["harm"].dims == ("replicate",)
    np.testing.assert_array_equal(ends["harm"], [3.0, 5.0, 6.0, NAN])
    # The row is one for all variables: what is missing in it stays missing.
    np.testing.assert_array_equal(ends["believed"], [NAN, 5.0, NAN, NAN])
    assert "step" not in ends.coords


def test_end_values_of_a_stopped_run_are_those_recorded_before_it_stopped():
    stop = {"stop": {"alignment": 0.9}}
    run = sumabm.simulate("essay", 5, steps=60, overrides=stop)
    harm = run["cumulative_harm"].values
    ends = end_values(run)
    expected = [row[~np.isnan(row)][-1] for row in harm]
    np.testing.assert_array_equal(ends["cumulative_harm"], expected)
    for r in range(5):
        last = np.flatnonzero(~np.isnan(harm[r]))[-1]
        np.testing.assert_array_equal(
            ends["power"].isel(replicate=r), run["power"].isel(replicate=r, step=last)
        )


def test_end_values_of_a_battery_are_by_point(battery_data):
    y = np.arange(24.0).reshape(2, 3, 4)
    y[0, 1, 2:] = NAN
    alignment = {"X": y + 100.0, "Y": np.full_like(y, NAN)}
    ends = end_values(battery_data({"harm": y}, {"a": [1.0, 2.0]}, agents=alignment))
    np.testing.assert_array_equal(ends["harm"], [[3.0, 5.0, 11.0], [15.0, 19.0, 23.0]])
    np.testing.assert_array_equal(ends["alignment"].sel(agent="X"), ends["harm"] + 100.0)
    np.testing.assert_array_equal(ends["a"], [1.0, 2.0])
    assert end_values(ends) is ends


def test_steps_without_replicates_are_refused(run_data):
    run = run_data({"harm": np.ones((2, 3))}).drop_vars("harm")
    with pytest.raises(ValueError, match="no variable by replicate and step"):
        end_values(run)


def test_columns_are_named_as_the_recorder_names_them(run_data):
    y = np.ones((2, 3))
    run = run_data({"harm": y}, {"X": y, "Y": np.full_like(y, NAN)})
    run["last_step"] = ("replicate", [2, 2])
    assert list(columns(run)) == ["harm", "alignment.X"]
    assert list(columns(run, ["alignment"])) == ["alignment.X"]
    assert list(columns(run, ["alignment.Y"])) == ["alignment.Y"]
    assert columns(run)["alignment.X"].dims == ("replicate", "step")
    assert column(run, "alignment").dims == ("replicate",)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ("harms", "no variable 'harms'; allowed: alignment, harm"),
        ("alignment.Z", "no 'alignment.Z'; agents of alignment: X, Y"),
        ("harm.X", "no 'harm.X'; agents of harm: none"),
        ("alignment", "should be one of alignment.X, alignment.Y"),
    ],
)
def test_an_outcome_that_is_not_there_is_named(run_data, outcome, message):
    y = np.ones((2, 3))
    with pytest.raises(ValueError, match=message):
        column(run_data({"harm": y}, {"X": y, "Y": y}), outcome)


def test_points_must_be_complete_and_have_values(battery_data):
    y = np.ones((4, 2))
    data = battery_data({"harm": y}, {"a": range(4)}, complete=[True, False, True, False])
    with pytest.raises(ValueError, match="2 of 4 points are incomplete: run 'sumabm resume'"):
        point_outcomes(data, "harm")
    y[2] = NAN
    with pytest.raises(ValueError, match="'harm' is missing at 1 of 4 points"):
        point_outcomes(battery_data({"harm": y}), "harm")
    with pytest.raises(ValueError, match="with a dim 'point'"):
        point_outcomes(data.isel(point=0), "harm")


def test_parameters_have_roles(battery_data):
    data = battery_data({"harm": np.ones((2, 1))}, {"a": [1, 2], "b": ["u", "v"]}, levers=["b"])
    assert parameters(data) == {"a": "uncertainty", "b": "lever"}
