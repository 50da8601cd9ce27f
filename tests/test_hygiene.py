"""Nothing in a data file is ever run: no pickle, no eval, no import of a name that data gives."""

import ast
from pathlib import Path

import pytest

import sumabm

PACKAGE = Path(sumabm.__file__).parent
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "yaml",
}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "import_module",
    "read_pickle",
    "popen",
}
FORBIDDEN_CALLS |= {"loads_pickle", "find_spec", "run_path", "run_module", "exec_module"}
ALLOWED = {
    ("__init__.py", "import_module"): "public names, from a table in the file",
    ("component.py", "import_module"): "a room's own modules, as its folder lists them",
    ("battery/interop.py", "import_module"): "optional packages, named where they are used",
    ("browser/panels/__init__.py", "import_module"): "panels, as the folder lists them",
    ("browser/serve.py", "import_module"): "one module of ours, by name",
    ("figures/__init__.py", "import_module"): "figures, as the folder lists them",
    ("reproduce/__init__.py", "import_module"): "exhibits, as the folder lists them",
    ("science/__init__.py", "import_module"): "published items, as a tuple in the file lists them",
    ("cli/browsing.py", "find_spec"): "whether two packages, by name, are there",
}
"""What is called all the same, and why no data file can say what."""


def called(tree):
    """Yield the names of functions called, the last part of dotted ones, with the keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            of = ast.unparse(node.func)
            if not (name == "compile" and of == "re.compile"):
                yield name, node


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def faults(text, where):
    """Return what a source file has that could run what data says."""
    tree = ast.parse(text)
    found = [f"imports {name}" for name in imported(tree) if name in FORBIDDEN_MODULES]
    for name, node in called(tree):
        if name in FORBIDDEN_CALLS and (where, name) not in ALLOWED:
            found.append(f"calls {name} in line {node.lineno}")
        for keyword in node.keywords:
            on = getattr(keyword.value, "value", None) is not False
            if (keyword.arg in ("allow_pickle", "shell") and on) or (
                name == "getoutput" and keyword.arg is None
            ):
                found.append(f"{keyword.arg} in line {node.lineno}")
        if ast.unparse(node.func) in ("np.load", "numpy.load") and not any(
            keyword.arg == "allow_pickle" for keyword in node.keywords
        ):
            found.append(f"np.load without allow_pickle=False in line {node.lineno}")
    return found


def sources():
    return {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}


def test_nothing_that_data_says_is_run():
    told = {where: faults(path.read_text(), where) for where, path in sources().items()}
    assert {where: found for where, found in told.items() if found} == {}


def test_every_exception_is_still_needed():
    used = {
        (where, name)
        for where, path in sources().items()
        for name, _ in called(ast.parse(path.read_text()))
    }
    assert used >= ALLOWED.keys()


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "builtins.exec(text)",
        "importlib.import_module(name)",
        "pandas.read_pickle(file)",
        "np.load(file, allow_pickle=True)",
        "np.load(file)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_what_could_run_data_is_found(text):
    assert faults(text, "anywhere.py")


def test_what_could_not_is_let_be():
    assert not faults("re.compile(text); np.load(f, allow_pickle=False); model.evaluate()", "a.py")
