"""The layers of the package: imports point down only, and a heavy library has one home.

Read from the source, so an import inside a function or under TYPE_CHECKING counts like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "nettwin"
SOURCE = Path(__file__).resolve().parents[1] / "src" / PACKAGE

# From the top down. The parts in one inner tuple may import one another; the parts of one layer
# that stand in different tuples may not.
LAYERS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("testing",),),
    (("__init__", "__main__", "public", "extend"),),
    (("interfaces",),),
    (("apps",),),
    (("optimize",), ("workspace",)),
    (("physical",), ("repository",), ("telemetry",)),
    (("engines",), ("datasets",)),
    (("training",),),
    (("formats",),),
    (("change_plan", "model", "observation"),),
    (("intent",),),
    (("metrics",), ("calculus",)),
    (("scenario",),),
    (
        (
            "errors",
            "quantity",
            "units",
            "compiled",
            "registry",
            "blas",
            "workers",
            "secrets",
            "settings",
            "allocation",
            "client",
        ),
    ),
)
PLACES = {
    part: (depth, group)
    for depth, layer in enumerate(LAYERS)
    for group, parts in enumerate(layer)
    for part in parts
}

# The modules (with all below them) that alone may import a library.
HOMES = {
    "torch": (
        "nettwin.engines.learned.training",
        "nettwin.optimize.solvers.reinforcement",
        "nettwin.training",
    ),
    "typer": ("nettwin.interfaces",),
    "matplotlib": ("nettwin.interfaces.plots",),
    "gymnasium": ("nettwin.optimize.solvers.reinforcement",),
    "highspy": ("nettwin.optimize.solvers.linear",),
    "ortools": ("nettwin.optimize.solvers.constraint",),
    "pytest": ("nettwin.testing",),
    "hypothesis": ("nettwin.testing",),
    "duckdb": ("nettwin.repository",),
    "gufo": ("nettwin.telemetry.snmp",),
    "httpx": ("nettwin.client", "nettwin.interfaces.mcp"),
    "fastapi": ("nettwin.interfaces.server", "nettwin.interfaces.web"),
    "starlette": ("nettwin.interfaces.server", "nettwin.interfaces.web"),
    "uvicorn": ("nettwin.interfaces.server",),
    "nicegui": ("nettwin.interfaces.web",),
    "limits": ("nettwin.interfaces.server",),
    "prometheus_client": ("nettwin.interfaces.server",),
    "pwdlib": ("nettwin.workspace",),
    "mcp": ("nettwin.interfaces.mcp",),
    "textual": ("nettwin.interfaces.top",),
}

# Above the engines, one module chooses among them; the others receive a NetworkModel. The network
# that is simulated is made of packets: no engine answers for it, it is one.
CHOOSES_ENGINES = "nettwin.interfaces.wiring"
SIMULATOR = "nettwin.engines.packet"
RECEIVES_ENGINES = ("apps", "optimize", "workspace", "interfaces")


def module_name(path: Path, root: Path) -> str:
    """The dotted name of a source file, where `root` is the folder of the package."""
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_within(module: str, ancestor: str) -> bool:
    """Whether a module is the ancestor or lies below it."""
    return module == ancestor or module.startswith(ancestor + ".")


def imports(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    """The line and the absolute name of everything a module imports, wherever it does so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                above = parts[: len(parts) - node.level + is_package]
                base = ".".join([*above, base] if base else above)
            # `from nettwin import formats` imports nettwin.formats
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = node.func.id if isinstance(node.func, ast.Name) else called
            name = node.args[0]
            if (
                called in {"import_module", "__import__"}
                and isinstance(name, ast.Constant)
                and isinstance(name.value, str)
            ):
                base = ".".join(module.split(".")[: None if is_package else -1])
                yield node.lineno, base + name.value if name.value[0] == "." else name.value


def part_of(name: str) -> str:
    """The part of the package that a name belongs to, `__init__` for the package itself."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PLACES else "__init__"


def broken_rule(module: str, name: str) -> str | None:
    """The rule that a module breaks by importing a name; None where it breaks none."""
    library = name.split(".")[0]
    homes = HOMES.get(library)
    if homes and not any(is_within(module, home) for home in homes):
        return f"only {' and '.join(homes)} may import {library}"
    if library != PACKAGE or name == f"{PACKAGE}.__version__":
        return None
    source, target = part_of(module), part_of(name)
    if (
        target == "engines"
        and source in RECEIVES_ENGINES
        and not is_within(module, CHOOSES_ENGINES)
    ):
        return f"above the engines only {CHOOSES_ENGINES} may import them; take a NetworkModel"
    if target == "engines" and source == "physical" and not is_within(name, SIMULATOR):
        return f"a physical network may be made of {SIMULATOR} and of no engine that predicts"
    (depth, group), (target_depth, target_group) = PLACES[source], PLACES[target]
    if target_depth < depth:
        above = "the package itself" if target == "__init__" else target
        return f"imports point down only, and {above} lies above {source}"
    if target_depth == depth and target_group != group:
        return f"{source} and {target} are of one layer and stand apart"
    return None


def faults_of(root: Path) -> list[str]:
    """Every breach of the rules under a package folder, naming file, line, import and rule."""
    found = []
    for path in sorted(root.rglob("*.py")):
        where, module = path.relative_to(root.parent).as_posix(), module_name(path, root)
        part = path.relative_to(root).with_suffix("").parts[0]
        if part not in PLACES:
            found.append(f"{where}: {part} is in no layer; give it a place in LAYERS of this test")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for line, name in imports(tree, module, is_package=path.name == "__init__.py"):
            if rule := broken_rule(module, name):
                found.append(f"{where}:{line}: imports {name}: {rule}")
    return found


def import_graph(root: Path) -> dict[str, set[str]]:
    """The modules that each module of a package imports, wherever it does so: in functions, for
    types alone, and by their names in strings (`module`, `module:attribute`)."""
    files = {module_name(path, root): path for path in root.rglob("*.py")}

    def module_of(name: str) -> str:
        while name not in files and "." in name:
            name = name.rpartition(".")[0]
        return name

    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        named = imports(tree, module, is_package=path.name == "__init__.py")
        found = {module_of(name) for _, name in named}
        found |= {
            node.value.partition(":")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        graph[module] = (found & files.keys()) - {module, PACKAGE}
    return graph


def cycles_of(root: Path) -> list[list[str]]:
    """Modules that import one another in a circle, each circle once."""
    graph = import_graph(root)
    reached: dict[str, set[str]] = {}
    for module in graph:
        seen, ahead = set(), [module]
        while ahead:
            for name in graph[ahead.pop()] - seen:
                seen.add(name)
                ahead.append(name)
        reached[module] = seen
    circles = {
        tuple(sorted(m for m in seen if module in reached[m]))
        for module, seen in reached.items()
        if module in seen
    }
    return sorted(map(list, circles))


def test_no_module_imports_itself_over_others() -> None:
    assert cycles_of(SOURCE) == []


@pytest.mark.parametrize(
    "code",
    [
        "from nettwin.b import x",
        "def f():\n    from nettwin.b import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nettwin.b",
        "MEMBERS = {'x': 'nettwin.b:x'}",
        "from importlib import import_module\nimport_module('nettwin.b')",
    ],
)
def test_a_circle_is_seen(tmp_path: Path, code: str) -> None:
    root = tmp_path / PACKAGE
    root.mkdir()
    (root / "a.py").write_text(code)
    (root / "b.py").write_text("from nettwin.c import y")
    (root / "c.py").write_text("")
    assert cycles_of(root) == []
    (root / "c.py").write_text("from . import a")
    assert cycles_of(root) == [["nettwin.a", "nettwin.b", "nettwin.c"]]


def test_imports_point_down_and_heavy_libraries_stay_at_home() -> None:
    """The package keeps the rules; every breach is told at once."""
    assert list(SOURCE.rglob("*.py")), f"no source under {SOURCE}"
    issues = faults_of(SOURCE)
    assert not issues, "the layers are broken:\n" + "\n".join(issues)


@pytest.mark.parametrize(
    ("file", "code", "told"),
    [
        ("metrics.py", "from nettwin.intent import Intent", "intent lies above metrics"),
        ("metrics.py", "import nettwin.model", "model lies above metrics"),
        ("errors.py", "def f():\n    from nettwin import scenario", "scenario lies above errors"),
        ("scenario/flow.py", "from ..metrics import Table", "metrics lies above scenario"),
        ("scenario/__init__.py", "from .. import metrics", "metrics lies above scenario"),
        ("scenario/flow.py", "from nettwin import Scenario", "the package itself lies above"),
        (
            "intent.py",
            "import importlib\nimportlib.import_module('nettwin.change_plan')",
            "change_plan lies",
        ),
        ("engines/learned/net.py", "import nettwin.datasets.store", "of one layer and stand apart"),
        ("formats/gml.py", "from nettwin.engines import ENGINES", "engines lies above formats"),
        ("apps/whatif.py", "from nettwin.engines.theory import Theory", "take a NetworkModel"),
        ("interfaces/cli.py", "from nettwin import engines", "take a NetworkModel"),
        ("engines/theory.py", "import torch.nn as nn", "may import torch"),
        ("engines/learned/training_notes.py", "import torch", "may import torch"),
        ("physical/net.py", "from nettwin.engines.theory import Theory", "no engine that predicts"),
        ("physical/net.py", "import nettwin.repository", "of one layer and stand apart"),
        ("apps/loop.py", "from typer import Typer", "may import typer"),
        ("interfaces/cli.py", "def f():\n    import matplotlib.pyplot", "may import matplotlib"),
        ("utils.py", "", "utils is in no layer"),
    ],
)
def test_a_breach_is_told(tmp_path: Path, file: str, code: str, told: str) -> None:
    """Each rule, broken in a small package, gives one issue that names file and rule."""
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    (issue,) = faults_of(tmp_path / PACKAGE)
    assert issue.startswith(f"{PACKAGE}/{file}:")
    assert told in issue


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("__init__.py", "from nettwin.interfaces.wiring import predict"),
        ("interfaces/wiring.py", "from nettwin.engines import ENGINES"),
        ("physical/net.py", "from nettwin.engines.packet.simulation import Simulation"),
        ("interfaces/plots.py", "import matplotlib.pyplot as plt"),
        ("interfaces/cli.py", "import typer\nfrom nettwin import __version__"),
        ("engines/learned/training/net.py", "import torch\nfrom ...theory import Theory"),
        ("optimize/solvers/reinforcement.py", "from torch import nn"),
        ("change_plan.py", "from nettwin.model import NetworkModel\nfrom .intent import Intent"),
        ("quantity.py", "import numpy\nfrom nettwin.errors import ValidationIssue"),
        ("formats/__init__.py", "from importlib import import_module\nimport_module('.gml')"),
    ],
)
def test_what_the_rules_allow_passes(tmp_path: Path, file: str, code: str) -> None:
    """The checker does not cry out at imports that point down or stay at home."""
    path = tmp_path / PACKAGE / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    assert faults_of(tmp_path / PACKAGE) == []


def strings(tree: ast.AST) -> Iterator[str]:
    """The modules that strings such as `nettwin.a.b:function` name, which are imported later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            module, colon, _ = node.value.partition(":")
            if colon and module.startswith(PACKAGE + ".") and " " not in node.value:
                yield module


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that lead back to themselves, in groups (Tarjan's strong components)."""
    number, low, stack, found = {}, {}, [], []  # type: ignore[var-annotated]

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            at = stack.index(module)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(graph):
        if module not in number:
            visit(module)
    return found


def test_optimize_imports_in_no_circle() -> None:
    """Imports inside functions and those that strings name count like any other."""
    paths = {module_name(path, SOURCE): path for path in sorted(SOURCE.rglob("optimize/**/*.py"))}
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        tree = ast.parse(path.read_text())
        package = path.name == "__init__.py"
        names = [name for _, name in imports(tree, module, is_package=package)]
        names += strings(tree)
        known = {name if name in paths else name.rpartition(".")[0] for name in names}
        graph[module] = (known & paths.keys()) - {module}
    assert circles(graph) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
