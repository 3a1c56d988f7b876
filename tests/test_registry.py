"""Members that other packages add: found late, refused plainly, never in place of nettwin's own."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nettwin.formats import FORMATS
from nettwin.interfaces import wiring
from nettwin.interfaces.cli import app
from nettwin.optimize.methods import OPTIMIZERS
from nettwin.registry import PluginWarning, Registry, package_to_blame
from nettwin.scenario.changes import CHANGES

GROUP = "nettwin.things"
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package of one module, as pip leaves it: the code and its entry points."""

    def installed(package: str, code: str, group: str = GROUP, **entries: str) -> None:
        folder = tmp_path / package
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        info.joinpath("METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {place}" for name, place in entries.items()]
        info.joinpath("entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
        folder.joinpath(f"{package}.py").write_text(code)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, package, raising=False)

    return installed


def adopted(name: str, loaded: Any) -> int:
    if not isinstance(loaded, int):
        raise TypeError(f"{loaded!r} must be a number")
    return loaded


def things() -> Registry[int]:
    return Registry("thing", GROUP, {"one": 1, "two": "signal:SIGINT"}, adopted)


def test_own_members_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(**_: Any) -> None:
        raise AssertionError("entry points were looked up")

    monkeypatch.setattr("nettwin.registry.entry_points", asked)
    mine = things()
    assert (mine["one"], mine["two"]) == (1, 2)
    assert "one" in mine
    assert next(iter(mine)) == "one"
    with pytest.raises(AssertionError, match="looked up"):
        list(mine)


def test_members_of_other_packages_come_last(install: Install) -> None:
    install("others", "three, four = 3, 4", four="others:four", three="others:three")
    mine = things()
    assert list(mine.items()) == [("one", 1), ("two", 2), ("four", 4), ("three", 3)]
    assert len(mine) == 4
    mine["three"] = 33  # by hand, where a script adds one
    assert mine["three"] == 33


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import nothing_such", "ModuleNotFoundError: No module named 'nothing_such'"),
        ("def (", "SyntaxError: invalid syntax"),
        ("raise SystemExit", "SystemExit: it gives no reason"),
        ("other = 1", "AttributeError: module 'broken' has no attribute 'bad'"),
        ("bad = 'words'", "cannot be used: 'words' must be a number"),
    ],
)
def test_a_broken_package_is_named_and_left_out(install: Install, code: str, told: str) -> None:
    install("broken", code, bad="broken:bad")
    mine = things()
    with pytest.warns(PluginWarning) as caught:
        assert "bad" not in mine
    (warning,) = map(str, (w.message for w in caught))
    assert warning.startswith("the thing bad of the package broken 1.0 cannot be used: ")
    assert told in warning
    assert warning.endswith("Update the package, or uninstall it.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(mine) == ["one", "two"]  # told once


def test_nettwins_own_wins_and_so_does_the_first_package(install: Install) -> None:
    install("zeta", "three = 3", three="zeta:three")
    install("alpha", "one, three = 11, 33", one="alpha:one", three="alpha:three")
    mine = things()
    with pytest.warns(PluginWarning) as caught:
        assert dict(mine) == {"one": 1, "two": 2, "three": 33}
    assert [str(w.message) for w in caught] == [
        "the thing one of the package alpha 1.0 is not used: nettwin has one of that name."
        " Ask its authors for another name.",
        "the thing three of the package zeta 1.0 is not used: the package alpha 1.0 has one of"
        " that name. Uninstall one of them.",
    ]


@pytest.mark.parametrize(
    ("registry", "code", "told"),
    [
        (wiring.ENGINES, "new = 1", "1 must be a class or function that makes a NetworkModel"),
        (FORMATS, "class new:\n  name = 'old'", "its name is 'old', must be 'new'"),
        (FORMATS, "class new:\n  name = 'new'", "it lacks title; inherit nettwin.extend.Format"),
        (OPTIMIZERS, "new = min", "must be a nettwin.extend.Method"),
        (CHANGES, "class new: ...", "must be a frozen dataclass"),
        (
            CHANGES,
            "import dataclasses\n@dataclasses.dataclass\nclass new:\n  kind = 'new'",
            "it lacks the method apply",
        ),
    ],
    ids=["engine", "format", "half a format", "optimizer", "change", "half a change"],
)
def test_what_is_none_is_told(
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    registry: Registry[Any],
    code: str,
    told: str,
) -> None:
    install("strange", code, registry.group, new="strange:new")
    monkeypatch.setattr(registry, "_added", None)
    with pytest.warns(PluginWarning, match="strange 1.0 cannot be used") as caught:
        assert "new" not in registry
    assert told in str(caught[0].message)


def test_the_command_line_warns_in_one_line(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken", "import nothing_such", "nettwin.formats", bad="broken:bad")
    monkeypatch.setattr(FORMATS, "_added", None)
    with pytest.raises(SystemExit) as ended:
        app(["convert", "--list"])
    assert ended.value.code == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("nettwin: warning: the format bad of the package broken 1.0 cannot be")


def test_a_package_whose_engine_fails_is_blamed(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "class Failing:\n  '''Fails always.'''\n  name = 'failing'\n"
        "  def unsupported(self, scenario): return []\n"
        "  def predict(self, scenarios): return scenarios[0].no_such_thing\n"
    )
    install("failing", code, "nettwin.engines", failing="failing:Failing")
    monkeypatch.setattr(wiring.ENGINES, "_added", None)
    assert wiring.choice("failing").title == "Fails always"
    with pytest.raises(SystemExit) as ended:
        app(["predict", "topohub:gabriel/25/0", "--engine", "failing"])
    assert ended.value.code == 1
    assert "an error in the package failing 1.0: AttributeError" in capsys.readouterr().err


def test_errors_of_nettwin_itself_blame_nobody() -> None:
    with pytest.raises(KeyError) as caught:
        things()["nowhere"]
    assert package_to_blame(caught.value) is None


def test_help_looks_for_no_packages() -> None:
    code = (
        "import importlib.metadata as m, sys\n"
        "m.entry_points = lambda **_: sys.exit('entry points were looked up')\n"
        "from nettwin.interfaces.cli import app\n"
        "app(['--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
