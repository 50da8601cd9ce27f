"""Malformed scenario files, overrides and options, for the tests and for measures/malformed.py.

A case is what to put where the scenario file should be, what else to write on the command line, and
what the message must mention: the key's path, the option, or where in the file.
"""

import os
from pathlib import Path
from typing import NamedTuple

BASE = """\
scenario = "bad"
description = "A scenario to be spoilt."
tags = ["test"]
steps = 5
activation = "sequential"
harm = "regret"
world = { kind = "gaussian", dimensions = 4 }

[agents.X]
role = "ai"
power = { kind = "exponential", initial = 2.0, rate = 0.0 }
behaviour = "honest"

[agents.Y]
role = "human"
power = 1.0
response = "undo"

[agents.W]
role = "aligner"
method = { kind = "budget", cap = true }
oversees = ["X"]
"""


class Case(NamedTuple):
    """What is wrong, as file content or a way to make the path, and the message's duties.

    The message names what it is ``about`` and has all ``mentions``.
    """

    name: str
    mentions: tuple[str, ...]
    content: bytes | None = None
    make: str = "file"
    options: tuple[str, ...] = ()
    about: str = "spoilt.toml"

    def prepare(self, folder: Path) -> list[str]:
        """Write what the case needs into ``folder``; return the arguments of ``sumabm run``."""
        path = folder / "spoilt.toml"
        if self.make == "file":
            path.write_bytes(BASE.encode() if self.content is None else self.content)
        elif self.make == "folder":
            path.mkdir()
        elif self.make == "fifo":
            os.mkfifo(path)
        elif self.make == "loop":
            path.symlink_to(path)
        elif self.make == "long":
            path = folder / ("long" * 100 + ".toml")
        elif self.make == "nul":
            path = folder / "null\0byte.toml"
        elif self.make == "no such name":
            return ["run", "esay"]
        elif self.make == "empty name":
            return ["run", ""]
        return ["run", str(path), *self.options]

    @property
    def in_a_process(self) -> bool:
        """Whether a real command line can hold it."""
        return self.make != "nul"


def changed(name, old, new, *mentions):
    """A case in which one piece of the good scenario is replaced."""
    assert BASE.count(old) == 1, old
    return Case(name, mentions, BASE.replace(old, new).encode())


def added(name, new, *mentions):
    """A case with lines added to the end of the good scenario: to the aligner's table."""
    return Case(name, mentions, (BASE + new).encode())


def whole(name, content, *mentions):
    """A case with other content altogether."""
    return Case(name, mentions, content.encode() if isinstance(content, str) else content)


def line(name, new, *mentions):
    """A case with a line added at the top of the good scenario."""
    return Case(name, mentions, (new + "\n" + BASE).encode())


def options(name, words, *mentions):
    """A case with a good file and bad words after it; the message names the option or the key."""
    return Case(name, mentions, options=tuple(words), about="")


def override(name, text, *mentions):
    """A case with a good file and one bad override."""
    return options(name, ["--set", text], *mentions)


def elsewhere(name, make, about, *mentions):
    """A case in which the path does not lead to an ordinary file."""
    return Case(name, mentions, make=make, about=about)


STEPS, SIZE, POWER = "steps = 5", "dimensions = 4", "initial = 2.0"
RATE, HUMAN, METHOD = "rate = 0.0", "power = 1.0", 'method = { kind = "budget", cap = true }'
WORLD, SEES = 'world = { kind = "gaussian", dimensions = 4 }', 'oversees = ["X"]'
X, Y, W = "[agents.X]", "[agents.Y]", "[agents.W]"
AIM = "power = 1.0\nutility = {{ kind = 'fixed', direction = [{}, 0, 0, 0.0] }}\n"
MORE = "[agents.A{}]\nrole = 'ai'\npower = 1\n"
NOT_TOML = "is not valid TOML"
DEEP = "nested deeper than 32"


def _world(fields):
    return f'world = {{ kind = "gaussian", dimensions = 2, {fields} }}'


PLACES = [
    elsewhere("a folder", "folder", "spoilt.toml", "is not a file"),
    elsewhere("a FIFO", "fifo", "spoilt.toml", "is not a file"),
    elsewhere("no such file", "nothing", "spoilt.toml", "is not a file"),
    elsewhere("a link to itself", "loop", "spoilt.toml", "is not a file"),
    elsewhere("a name that is too long", "long", "longlong", "cannot be read"),
    elsewhere("a NUL byte in the path", "nul", "byte.toml"),
    elsewhere("no such scenario", "no such name", "'esay'", "did you mean 'essay'?"),
    elsewhere("an empty name", "empty name", "''", "essay"),
]

BYTES = [
    whole("an empty file", "", "scenario: field required", "steps", "world", "agents"),
    whole("only a comment", "# nothing\n", "scenario: field required"),
    whole("two megabytes", "#" * 2_000_000, "larger than 1000000 bytes"),
    whole("one byte too many", BASE + "#" * (1_000_001 - len(BASE)), "larger than 1000000 bytes"),
    whole("latin-1", BASE.replace("spoilt", "gâté").encode("latin-1"), "not UTF-8", "byte 50"),
    whole("UTF-16", BASE.encode("utf-16"), "not UTF-8"),
    whole("binary", bytes(range(256)) * 8, "not UTF-8"),
    whole("an ELF header", b"\x7fELF" + bytes(4000), NOT_TOML, "line 1"),
    whole("a byte order mark", b"\xef\xbb\xbf" + BASE.encode(), NOT_TOML, "line 1, column 1"),
    line("a NUL byte", 'x = "\0"', NOT_TOML, "line 1, column 6"),
    whole("JSON", '{"scenario": "bad", "steps": 5}', NOT_TOML, "line 1, column 1"),
    whole("YAML", "scenario: bad\nsteps: 5\n", NOT_TOML, "line 1"),
    whole("old Mac line ends", BASE.replace("\n", "\r"), NOT_TOML, "line 1"),
    whole("a line of quotes", '"' * 999_999, NOT_TOML),
    whole("a line of one letter", "a" * 999_999, NOT_TOML),
    whole("a line of escaped quotes", '\\"' * 499_999, NOT_TOML),
    whole("a string without an end", 'x = "' + "\\n" * 400_000, NOT_TOML),
    whole("brackets only", "x = " + "[" * 900_000, DEEP),
    whole("an integer of 900 000 digits", "steps = " + "9" * 900_000, NOT_TOML),
]

TOML = [
    changed("no value", STEPS, "steps =", NOT_TOML, "line 4"),
    changed("no equals sign", STEPS, "steps 5", NOT_TOML, "line 4"),
    changed("a bare word", STEPS, "steps = many", NOT_TOML, "line 4"),
    changed("two values", STEPS, "steps = 5 6", NOT_TOML, "line 4"),
    changed("a string that stays open", 'harm = "regret"', 'harm = "regret', NOT_TOML, "line 6"),
    changed("a table header that stays open", X, "[agents.X", NOT_TOML, "line 9"),
    changed("a duplicate key", STEPS, "steps = 5\nsteps = 6", NOT_TOML, "line 5"),
    added("a duplicate table", "[agents.X]\npower = 1.0\n", NOT_TOML, "line 23"),
    added("a table over a value", "[world]\nkind = 'gaussian'\n", NOT_TOML, "line 23"),
    added("a table below a value", "[steps.more]\n", NOT_TOML, "line 23"),
    changed("an inline duplicate", SIZE, "dimensions = 4, dimensions = 5", NOT_TOML, "line 7"),
    changed("an impossible date", STEPS, "steps = 2024-02-30", NOT_TOML),
    changed("a bad escape", '"regret"', '"\\q"', NOT_TOML, "line 6"),
    changed("an empty bare key", STEPS, "= 5", NOT_TOML, "line 4"),
    line("arrays 40 deep", f"x = {'[' * 40}{']' * 40}", DEEP),
    line("inline tables 40 deep", f"x = {'{a = ' * 40}1{'}' * 40}", DEEP),
    line("a key of 40 parts", f"{'a.' * 39}a = 1", DEEP),
    line("a header of 40 parts", f"[{'a.' * 39}a]", DEEP),
    line("a key of 40 quoted parts", '"a\\"b" . ' * 39 + "'c' = 1", DEEP),
    whole("a key of 499 999 parts", "a." * 499_998 + "a=1", DEEP),
    whole("a key of 160 000 quoted parts", '"\\"".' * 160_000 + "a=1", DEEP),
    whole("a key of many parts behind a text", '{x="""y"""", ' + "a." * 400_000 + "a=1}", DEEP),
    added("tables in 40 headers", "[" + ".".join("a" * 40) + "]\nb = 1\n", DEEP),
]

SHAPES = [
    changed("steps is text", STEPS, 'steps = "5"', "steps: ", "integer", '"5"'),
    changed("steps is 1.5", STEPS, "steps = 1.5", "steps: ", "1.5"),
    changed("steps is 5.0", STEPS, "steps = 5.0", "steps: ", "integer"),
    changed("steps is true", STEPS, "steps = true", "steps: ", "integer", "true"),
    changed("steps is 0", STEPS, "steps = 0", "steps: ", "greater than or equal to 1", "got 0"),
    changed("steps is negative", STEPS, "steps = -3", "steps: ", "got -3"),
    changed("steps is huge", STEPS, f"steps = {10**30}", "steps: "),
    changed("steps of 100 000 hex digits", STEPS, f"steps = 0x{'f' * 100_000}", "steps: "),
    changed("steps is a list", STEPS, "steps = [5]", "steps: ", "[5]"),
    changed("steps is a date", STEPS, "steps = 2024-01-01", "steps: "),
    changed("steps is infinite", STEPS, "steps = inf", "steps: "),
    changed("dimensions is 1", SIZE, "dimensions = 1", "world.dimensions: ", "got 1"),
    changed("dimensions is 0", SIZE, "dimensions = 0", "world.dimensions: "),
    changed("dimensions is negative", SIZE, "dimensions = -4", "world.dimensions: ", "-4"),
    changed("dimensions is huge", SIZE, f"dimensions = {10**12}", "world.dimensions: "),
    changed("dimensions is text", SIZE, 'dimensions = "4"', "world.dimensions: "),
    changed("dimensions is NaN", SIZE, "dimensions = nan", "world.dimensions: "),
    changed("power is negative", POWER, "initial = -2.0", "agents.X.power.initial: ", "got -2.0"),
    changed("power is NaN", POWER, "initial = nan", "agents.X.power.initial: "),
    changed("power is infinite", POWER, "initial = inf", "agents.X.power.initial: "),
    changed("power is text", POWER, 'initial = "2"', "agents.X.power.initial: "),
    changed("power is true", POWER, "initial = true", "agents.X.power.initial: "),
    changed("power is beyond float", POWER, f"initial = {10**400}", "agents.X.power.initial: "),
    changed("rate is NaN", RATE, "rate = nan", "agents.X.power.rate: "),
    changed("rate overflows", RATE, "rate = 60.0", "agents.X.power.rate: ", "1e100"),
    changed("rate overflows at once", RATE, "rate = 1e308", "agents.X.power.rate: "),
    changed("a bare power is negative", HUMAN, "power = -1", "agents.Y.power.value: ", "-1"),
    changed("a bare power is NaN", HUMAN, "power = nan", "agents.Y.power.value: "),
    changed("a bare power is true", HUMAN, "power = true", "agents.Y.power: "),
    changed("a bare power is a list", HUMAN, "power = [1.0]", "agents.Y.power: "),
    changed("a bare power is a date", HUMAN, "power = 2024-01-01", "agents.Y.power: "),
    changed("a component is a time", '"regret"', "07:30:00", "harm: "),
    changed("cap is text", "cap = true", 'cap = "true"', "agents.W.method.cap: "),
    changed("cap is 1", "cap = true", "cap = 1", "agents.W.method.cap: "),
    changed("tags is text", '["test"]', '"test"', "tags: "),
    changed("tags holds a number", '["test"]', '["a", 1]', "tags.1: "),
    changed("description is a number", '"A scenario to be spoilt."', "3", "description: "),
    changed("world is a list", WORLD, "world = []", "world: "),
    changed("world is a bare name", WORLD, 'world = "gaussian"', "world.dimensions: "),
    changed("world is a number", WORLD, "world = 4", "world: ", "unknown kind"),
    changed("activation is unknown", '"sequential"', '"sometimes"', "activation: ", "random"),
    changed("an agent is a number", X, "[agents]\nV = 3\n[agents.X]", "agents.V: "),
    changed("an agent is a name", X, '[agents]\nV = "ai"\n[agents.X]', "agents.V"),
    changed("oversees is text", SEES, 'oversees = "X"', "agents.W.oversees: "),
    changed("oversees holds a number", SEES, "oversees = [1]", "agents.W.oversees.0: "),
]

NAMES = [
    changed("an upper-case scenario name", '"bad"', '"Bad"', "scenario: ", '"Bad"'),
    changed("a scenario name that climbs", '"bad"', '"../bad"', "scenario: ", '"../bad"'),
    changed("an absolute scenario name", '"bad"', '"/tmp/bad"', "scenario: "),
    changed("an empty scenario name", '"bad"', '""', "scenario: "),
    changed("a long scenario name", '"bad"', f'"{"b" * 65}"', "scenario: "),
    changed("a scenario name with a line end", '"bad"', '"bad\\n"', "scenario: "),
    changed("a scenario name that is a number", '"bad"', "7", "scenario: "),
    changed("an agent's name with a dot", X, '[agents."X.1"]', 'agents."X.1": '),
    changed("an agent's name with a space", X, '[agents."X 1"]', 'agents."X 1": '),
    changed("an agent without a name", X, '[agents.""]', 'agents."": '),
    changed("an agent's name is too long", X, f"[agents.{'X' * 65}]", "agents.XXX", "got "),
    changed("an agent's name is a number", X, "[agents.1]", "agents.1: "),
    changed("an agent's name with a line end", X, '[agents."X\\n"]', 'agents."X\\n": '),
    changed("a terminal escape in a name", X, '[agents."X\\u001b[2J"]', 'agents."X\\u001b[2J": '),
    changed("an unknown top-level key", STEPS, "stepz = 5", "stepz: ", "mean 'steps'?"),
    changed("an unknown world key", SIZE, "dimensoins = 4", "world.dimensoins: ", "'dimensions'?"),
    changed("an unknown agent key", HUMAN, "power = 1.0\npowr = 2.0", "agents.Y.powr: ", "'power'"),
    changed("a key of another role", HUMAN, "power = 1.0\nmethod = 'budget'", "agents.Y.method: "),
    changed("an unknown power key", RATE, "rate = 0.0, vlaue = 1", "agents.X.power.vlaue: "),
    changed("an unknown method key", "cap = true", "cpa = true", "agents.W.method.cpa: ", "'cap'?"),
    changed("an unknown world", '"gaussian"', '"gausian"', "world: ", "mean 'gaussian'?"),
    changed("an unknown harm", '"regret"', '"regrets"', "harm: ", "mean 'regret'?"),
    changed("an unknown power", '"exponential"', '"exp"', "agents.X.power: ", "exponential"),
    changed("an unknown behaviour", '"honest"', '"honset"', "agents.X.behaviour: ", "'honest'?"),
    changed("an unknown response", '"undo"', '"redo"', "agents.Y.response: ", "undo-harm"),
    changed("an unknown method", '"budget"', '"budgets"', "agents.W.method: ", "'budget'?"),
    changed("an unknown role", '"human"', '"humna"', "agents.Y: ", "mean 'human'?"),
    changed("a kind that is a number", '"gaussian"', "3", "world: ", "gaussian"),
    changed("a role that is a list", '"human"', '["human"]', "agents.Y: "),
    changed("a role that is a table", '"human"', '{ kind = "human" }', "agents.Y: "),
    changed("unknown dynamics", SIZE, "dimensions = 4, dynamics = 'rest'", "world.dynamics: "),
    changed("an unknown utility", '"honest"', '"honest"\nutility = "fix"', "agents.X.utility: "),
    line("a key that is a whole line", '"' + "k" * 5000 + '" = 1', "kkk...: unknown key"),
    line("20 000 unknown keys", "".join(f"k{i}=1\n" for i in range(20_000)), "k0: ", "more"),
    line("a key that looks like a type", '"list[float]" = 1', '"list[float]": unknown key'),
]

MISSING = [
    changed("no scenario name", 'scenario = "bad"', "", "scenario: field required"),
    changed("no steps", STEPS, "", "steps: field required"),
    changed("no world", WORLD, "", "world: field required"),
    whole("no agents", BASE[: BASE.index(X)], "agents: field required"),
    whole("an empty table of agents", BASE[: BASE.index(X)] + "[agents]\n", "agents: "),
    changed("no kind of world", 'kind = "gaussian", ', "", "world: 'kind' is missing", "gaussian"),
    changed("no dimensions", ", dimensions = 4", "", "world.dimensions: field required"),
    changed("no role", 'role = "human"\n', "", "agents.Y: 'role' is missing", "human"),
    changed("no power", HUMAN, "", "agents.Y.power: field required"),
    changed("no kind of power", 'kind = "exponential", ', "", "agents.X.power: 'kind' is missing"),
    changed("no rate", ", rate = 0.0", "", "agents.X.power.rate: field required"),
    changed("no initial power", "initial = 2.0, ", "", "agents.X.power.initial: field required"),
    changed("no method", METHOD, "", "agents.W.method: field required"),
    changed("nobody human", '"human"', '"ai"', "agents.Y.response: "),
    whole("no human", BASE[: BASE.index(Y)], "agents: ", "at least one human"),
    line("a stop without a level", "stop = {}", "stop.alignment: field required"),
]

FITS = [
    changed(
        "oversees nobody known",
        SEES,
        'oversees = ["x"]',
        "agents.W.oversees.0: ",
        "unknown AI",
        "X",
    ),
    changed("oversees a human", SEES, 'oversees = ["X", "Y"]', "agents.W.oversees.1: "),
    changed("oversees itself", SEES, 'oversees = ["W"]', "agents.W.oversees.0: "),
    changed("oversees one twice", SEES, 'oversees = ["X", "X"]', "agents.W.oversees.1: ", "twice"),
    changed("a short covariance", WORLD, _world("covariance = [1.0]"), "world.covariance: "),
    changed("a long one", WORLD, _world("covariance = [1.0, 1, 1]"), "world.covariance: "),
    changed("an empty one", WORLD, _world("covariance = []"), "world.covariance: "),
    changed("one of a row", WORLD, _world("covariance = [[1.0, 0]]"), "world.covariance: "),
    changed("a ragged one", WORLD, _world("covariance = [[1.0, 0], [0]]"), "world.covariance: "),
    changed("a mixed one", WORLD, _world("covariance = [[1.0, 0], 1]"), "world.covariance: "),
    changed(
        "a lopsided one",
        WORLD,
        _world("covariance = [[1.0, 0.5], [0.4, 1]]"),
        "world.covariance",
        "symmetric",
    ),
    changed(
        "an indefinite one",
        WORLD,
        _world("covariance = [[1.0, 2], [2, 1]]"),
        "world.covariance",
        "positive definite",
    ),
    changed("a flat one", WORLD, _world("covariance = [1.0, 0]"), "world.covariance", "positive"),
    changed("one with NaN", WORLD, _world("covariance = [1.0, nan]"), "world.covariance.1: "),
    changed("one of words", WORLD, _world("covariance = ['a', 'b']"), "world.covariance.0: "),
    changed("an unknown word", WORLD, _world("covariance = 'unit'"), "world.covariance: "),
    changed(
        "a direction of the wrong length",
        HUMAN,
        "power = 1.0\nutility = { kind = 'fixed', direction = [1.0, 2.0] }",
        "agents.Y.utility.direction: ",
        "2 coefficients",
    ),
    changed(
        "a direction of zeros",
        HUMAN,
        "power = 1.0\nutility = { kind = 'fixed', direction = [0.0, 0, 0, 0] }",
        "agents.Y.utility.direction: ",
        "zero",
    ),
    changed(
        "a direction with infinity",
        HUMAN,
        "power = 1.0\nutility = { kind = 'fixed', direction = [inf, 0, 0, 0] }",
        "agents.Y.utility.direction.0: ",
        "finite",
    ),
    changed(
        "a direction misspelt",
        HUMAN,
        "power = 1.0\nutility = { kind = 'fixed', direction = 'randon' }",
        "agents.Y.utility.direction: ",
        "'random'",
    ),
    line("a stop above 1", "stop = { alignment = 1.5 }", "stop.alignment: ", "1.5"),
    line("a stop of −1", "stop = { alignment = -1.0 }", "stop.alignment: "),
    line("a stop of NaN", "stop = { alignment = nan }", "stop.alignment: "),
    line("a stop that is a number", "stop = 0.9", "stop: "),
    line("a stop with an unknown key", "stop = { alignmnt = 0.9 }", "stop.alignmnt: ", "mean"),
    changed(
        "relax without its rate", SIZE, "dimensions = 4, dynamics = 'relax'", "world.dynamics.rate"
    ),
    changed(
        "relax too fast",
        SIZE,
        "dimensions = 4, dynamics = { kind = 'relax', rate = 1.5 }",
        "world.dynamics.rate: ",
    ),
    changed(
        "a Bayesian that watches nothing known",
        METHOD,
        "method = { kind = 'bayesian', watches = 'deeds' }",
        "agents.W.method.watches: ",
        '"deeds"',
    ),
    changed(
        "a Bayesian of many looks",
        METHOD,
        "method = { kind = 'bayesian', looks = 10000000 }",
        "agents.W.method.looks: ",
    ),
    added(
        "a Bayesian and a budget on one AI",
        "[agents.V]\nrole = 'aligner'\nmethod = 'bayesian'\n",
        "agents.V.method: ",
        "the aligner W",
    ),
    changed(
        "a Bayesian that does not look",
        METHOD,
        "method = { kind = 'bayesian', looks = 0 }",
        "agents.W.method.looks: ",
    ),
    changed(
        "a Bayesian with negative power",
        METHOD,
        "method = { kind = 'bayesian', edit_power = -1.0 }",
        "agents.W.method.edit_power.value: ",
    ),
    changed(
        "a Bayesian whose power overflows",
        METHOD,
        "method = { kind = 'bayesian', edit_power = "
        "{ kind = 'exponential', initial = 1.0, rate = 99.0 } }",
        "agents.W.method.edit_power.rate: ",
    ),
    Case(
        "two humans who cancel",
        ("agents: ", "cancel"),
        (
            BASE.replace(HUMAN, AIM.format(1)) + "[agents.Z]\nrole = 'human'\n" + AIM.format(-1)
        ).encode(),
        about="scenario bad",
    ),
    whole(
        "an unknown AI among many",
        BASE.replace('["X"]', '["x"]') + "".join(MORE.format(i) for i in range(500)),
        "agents.W.oversees.0: ",
        "and 471 more",
    ),
    whole(
        "five things at once",
        BASE.replace(STEPS, "steps = -1")
        .replace(SIZE, "dimensions = 1")
        .replace(POWER, "initial = nan")
        .replace('"undo"', '"redo"')
        .replace("cap = true", "cpa = true"),
        *("steps: ", "world.dimensions: ", "agents.X.power.initial: ", "agents.Y.response: "),
        "agents.W.method.cpa: ",
    ),
]

OVERRIDES = [
    override("an override without equals sign", "steps", "--set steps", "PATH=VALUE"),
    override("no path", "=3", "--set =3", "PATH=VALUE"),
    override("blanks for a path", "  =3", "--set", "PATH=VALUE"),
    override("nothing at all", "", "--set", "PATH=VALUE"),
    options("set twice", ["--set", "steps=3", "--set", "steps = 4"], "--set steps = 4", "twice"),
    override("an unknown path", "stepz=3", "stepz: ", "mean 'steps'?"),
    override("an unknown agent", "agents.Q.power=3", "agents.Q", "X, Y"),
    override("an unknown field", "agents.X.powr=3", "agents.X.powr: ", "'power'?"),
    override("a misspelt room", "agnets.X.power=3", "agnets", "'agents'?"),
    override("an empty part", "agents..power=3", "agents."),
    override("a dot at the end", "agents.X.=3", "agents.X."),
    override("a dot at the start", ".steps=3", ".steps"),
    override("through a number", "steps.more=3", "steps: "),
    override("through a truth value", "agents.W.method.cap.x=1", "agents.W.method.cap", "table"),
    override("through a list", "tags.0=x", "tags", "table"),
    override("into a list of names", "agents.W.oversees.0=X", "agents.W.oversees", "table"),
    override("a new kind without its fields", "agents.Y.power.kind=exponential", "agents.Y.power."),
    override("a new role without its fields", "agents.Y.role=aligner", "agents.Y.method: "),
    override("an unknown kind", "agents.X.power.kind=linear", "agents.X.power: ", "exponential"),
    override("an unknown name", "agents.X.behaviour=evil", "agents.X.behaviour: ", '"evil"'),
    override("a name for a number", "agents.X.power.rate=fast", "agents.X.power.rate: ", '"fast"'),
    override("a negative number", "agents.X.power=-1", "agents.X.power.value: "),
    override("not a number", "agents.X.power=nan", "agents.X.power.value: "),
    override("a broken list", "agents.W.oversees=[X", "agents.W.oversees: ", "[X"),
    override("a role without its power", "agents.Y.role=ai", "agents.Y.power: "),
    override("a climbing name", "scenario=../up", "scenario: "),
    override("a deep value", f"agents.X.power={'[' * 40}{']' * 40}", "agents.X.power: "),
    override("a deep path", "a." * 400 + "a=1", "a: unknown key"),
    override("a line end in the value", "harm=regret\nsteps", "harm: "),
    override("a stop that is none", "stop.alignment=2", "stop.alignment: "),
    options(
        "two bad overrides",
        ["--set", "steps=-1", "--set", "world.dimensions=1"],
        "steps: ",
        "world.dimensions: ",
    ),
]

OPTIONS = [
    options("no replicates", ["--replicates", "0"], "--replicates 0"),
    options("negative replicates", ["--replicates", "-1"], "--replicates -1"),
    options("a backward range", ["--replicates", "5:2"], "--replicates 5:2"),
    options("an empty range", ["--replicates", "5:5"], "--replicates 5:5"),
    options("a range from below", ["--replicates", "-2:5"], "--replicates -2:5"),
    options("half a range", ["--replicates", "5:"], "--replicates 5:"),
    options("three numbers", ["--replicates", "1:2:3"], "--replicates 1:2:3"),
    options("replicates in words", ["--replicates", "abc"], "--replicates abc"),
    options("half a replicate", ["--replicates", "1.5"], "--replicates 1.5"),
    options("too many replicates", ["--replicates", "4294967297"], "--replicates 4294967297"),
    options("replicates of 5000 digits", ["--replicates", "9" * 5000], "--replicates 999"),
    options("a negative seed", ["--seed", "-1"], "--seed -1"),
    options("a seed in words", ["--seed", "x"], "--seed x"),
    options("half a seed", ["--seed", "0.5"], "--seed 0.5"),
    options("an empty seed", ["--seed", ""], "--seed"),
    options("a seed of 5000 digits", ["--seed", "9" * 5000], "--seed 999"),
    options("--steps 0", ["--steps", "0"], "steps: "),
    options("negative steps", ["--steps", "-1"], "steps: "),
    options("steps in words", ["--steps", "x"], "--steps"),
    options("steps twice over", ["--steps", "3", "--set", "steps=4"], "--steps 3", "twice"),
    options("an unknown option", ["--sede", "3"], "--sede"),
    options("an option without its value", ["--seed"], "--seed"),
    options("one word too many", ["essay"], "essay"),
]

CASES = [
    *(*PLACES, *BYTES, *TOML, *SHAPES, *NAMES, *MISSING, *FITS),
    *(*OVERRIDES, *OPTIONS),
]
