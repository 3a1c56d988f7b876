"""Help, version, completion and the time it takes to start."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from nettwin.formats import FORMATS
from nettwin.interfaces.cli import app, options
from nettwin.interfaces.cli.commands import COMMANDS
from nettwin.interfaces.cli.program import ORDER
from nettwin.scenario.changes import CHANGES
from nettwin.scenario.generate import GENERATORS
from tests.programs import printed


@pytest.mark.parametrize("name", ORDER)
def test_every_command_has_help_with_examples(run, name) -> None:
    done = run(name, "--help")
    assert done.code == 0
    assert "Usage: nettwin" in done.out
    if name != "demo":
        assert "Examples" in done.out
        assert f"$ nettwin {name} " in done.out


@pytest.mark.parametrize("name", ORDER)
def test_the_help_of_all_says_of_a_command_what_its_own_does(name) -> None:
    import typer.main

    command = typer.main.get_command(app).get_command(None, name)
    assert " ".join(command.help.split("\n\n")[0].split()) == COMMANDS[name]


def test_help_of_all_imports_no_command() -> None:
    code = (
        "import sys\nfrom nettwin.interfaces.cli import app\n"
        "try:\n    app(['--help'])\nfinally:\n"
        "    print([m for m in ('numpy', 'nettwin.interfaces.cli.predict') if m in sys.modules])"
    )
    assert printed(code).splitlines()[-1] == "[]"


def test_help_lists_the_commands_in_order_and_the_exit_codes(run) -> None:
    done = run("--help")
    assert done.code == 0
    places = [done.out.index(f"│ {name} ") for name in ORDER]
    assert places == sorted(places)
    for code in ("0 answered", "2 wrong input", "130 stopped"):
        assert code in done.out


def test_examples_in_the_help_parse() -> None:
    """Each example names options that its command has."""
    import typer.main

    for words, command in commands(typer.main.get_command(app)):
        known = {o for parameter in command.params for o in (*parameter.opts, "--help")}
        for line in (command.epilog or "").splitlines():
            if "nettwin " in line and not hasattr(command, "commands"):
                called = line.split("nettwin ", 1)[1].split("#")[0].split("&&")[0].split("|")[0]
                assert called.split()[: len(words)] == words
                used = {
                    word.split("=")[0] for word in called.split() if word[1:] and word[0] == "-"
                }
                assert used <= known, f"{line}: {used - known}"


def commands(group, words=()):
    """Every command with the words that call it, groups and what is in them."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        called = [*words, name]
        yield called, command
        if hasattr(command, "commands"):
            yield from commands(command, called)


def test_version(run) -> None:
    assert run("--version").out == f"nettwin {version('nettwin')}\n"


def test_no_command_shows_the_help(run) -> None:
    done = run("")
    assert "Usage: nettwin" in done.out + done.err


def test_completion_offers_what_the_registries_hold() -> None:
    def names(found: list[tuple[str, str]]) -> list[str]:
        return [name.strip() for name, _ in found]

    assert names(options.complete_format("")) == list(FORMATS)
    assert names(options.complete_kind("g")) == [k for k in GENERATORS if k.startswith("g")]
    assert names(options.complete_change("fail")) == [k for k in CHANGES if k.startswith("fail")]
    assert names(options.complete_engine("th")) == ["theory"]
    assert options.complete_engines("theory,p") == ["theory,packet"]
    assert set(names(options.complete_writable(""))) == {
        name for name, known in FORMATS.items() if known.writes
    }
    assert names(options.complete_scheduler("w")) == ["wfq"]
    assert names(options.complete_mix("")) == ["single", "three"]
    assert "cbr" in names(options.complete_arrival("c"))


def test_start_does_not_load_what_only_some_commands_need() -> None:
    code = (
        "import sys, nettwin.interfaces.cli\n"
        "heavy = ('numba', 'pandas', 'scipy', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert printed(code).strip() == "[]"
