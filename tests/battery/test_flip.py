"""The flip table of a battery file: what it says, and what it may not say."""

import pytest

from sumabm import ScenarioError, load_battery
from sumabm.recorder import VARIABLES

TEXT = """\
battery = "tiny"
scenario = "essay"
replicates = 4
[uncertainties]
"agents.X.power" = { kind = "continuous", low = 1.0, high = 4.0 }
"world.dimensions" = [3, 6]
[levers]
"agents.W.method" = ["budget", "bayesian"]
[keep]
outcomes = ["harm", "alignment.X"]
[flip]
outcome = "harm"
limit = 0.5
over = "agents.X.power"
by = "agents.W.method"
"""


@pytest.fixture
def load(tmp_path):
    def call(text):
        (tmp_path / "b.toml").write_text(text, encoding="utf-8")
        return load_battery(tmp_path / "b.toml")

    return call


def test_every_field_is_what_the_file_says(load):
    flip = load(TEXT).flip
    assert (flip.outcome, flip.limit, flip.worse) == ("harm", 0.5, "above")
    assert (flip.over, flip.by, flip.label) == ("agents.X.power", "agents.W.method", "")
    assert load(TEXT.partition("[flip]")[0]).flip is None
    assert load(TEXT.replace('agents.X.power"\nby', 'world.dimensions"\nby')).flip is not None


def test_another_limit_is_another_battery_of_the_same_runs(load):
    one, other = load(TEXT), load(TEXT.replace("0.5", "0.6"))
    assert one.identity() != other.identity()
    assert one.scenario.identity() == other.scenario.identity()


KEEP = '[keep]\noutcomes = ["harm", "alignment.X"]\n'
OVER, BY = 'over = "agents.X.power"', 'by = "agents.W.method"'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("limit = 0.5\n", ""), "flip.limit: field required"),
        (("limit = 0.5", "limit = nan"), "flip.limit: input should be a finite number"),
        (("limit = 0.5", 'limit = 0.5\nworse = "up"'), "flip.worse: input should be 'above' or"),
        (("limit = 0.5", "limits = 0.5\nlimit = 0.5"), "flip.limits: unknown key; allowed: by, l"),
        (
            ('outcome = "harm"', 'outcome = "welfare"'),
            "flip.outcome: should be kept, as harm, alignment.X are: see keep.outcomes",
        ),
        (
            (f'{KEEP}[flip]\noutcome = "harm"', '[flip]\noutcome = "harms"'),
            f"flip.outcome: unknown outcome; allowed: {', '.join(sorted(VARIABLES)[:5])}",
        ),
        (
            (f'{KEEP}[flip]\noutcome = "harm"', '[flip]\noutcome = "alignment.Z"'),
            "flip.outcome: unknown agent; allowed",
        ),
        (
            (OVER, 'over = "agents.Y.power"'),
            "flip.over: unknown parameter; allowed: agents.W.method, agents.X.power, world",
        ),
        ((BY, 'by = "agents.Y.power"'), "flip.by: unknown parameter; allowed"),
        ((BY, 'by = "agents.X.power"'), "flip.by: should be another parameter than over"),
        (
            (f"{OVER}\n{BY}", 'over = "agents.W.method"'),
            "flip.over: should take numbers, one at a time",
        ),
        (
            ("[flip]", '[design]\nkind = "sobol"\npoints = 8\n[flip]'),
            "flip: needs every combination of the parameters, which its design does not have",
        ),
    ],
)
def test_what_is_wrong_is_said_once(load, change, said):
    assert TEXT.count(change[0]) == 1
    with pytest.raises(ScenarioError) as caught:
        load(TEXT.replace(*change))
    lines = str(caught.value).splitlines()
    assert len(lines) == 1, lines
    assert said in lines[0]


@pytest.mark.parametrize("name", ["coordination", "timelines", "tractability", "conservatism"])
def test_the_shipped_cruxes_say_where_they_flip(name):
    battery = load_battery(f"crux-{name}")
    assert battery.flip is not None
    assert battery.flip.label
    assert battery.tags == ["crux"]
