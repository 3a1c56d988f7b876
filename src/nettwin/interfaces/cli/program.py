"""The program: its commands, how errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from nettwin.errors import NettwinError
from nettwin.interfaces import logs
from nettwin.interfaces.cli.commands import COMMANDS
from nettwin.interfaces.logs import LogLevel
from nettwin.registry import PluginWarning, package_to_blame

FAILED, WRONG_INPUT, WARNED, NOT_MET, STOPPED, PIPE_CLOSED = 1, 2, 3, 4, 130, 141
EXIT_CODES = (
    "[bold]Exit codes[/bold]  0 answered; 1 an error in nettwin itself; 2 wrong input (a file, a"
    " name, an option, an extra that is missing, an intent that contradicts itself); 3 answered,"
    " but with warnings and --strict; 4 answered, but the intent is not met; 130 stopped by Ctrl-C;"
    " 141 the reader of its output closed it."
)
ORDER = tuple(COMMANDS)
ANYWHERE = ("--debug", "--markdown")  # flags that may stand anywhere
MARKDOWN: ContextVar[bool] = ContextVar("markdown", default=False)  # whether tables are Markdown
DEBUG = "NETTWIN_DEBUG"  # environment variable: show tracebacks


class Program(TyperGroup):
    """The commands, with errors told in one line and exit codes for scripts."""

    _listing = False  # whether the help is made, which needs no command itself

    def list_commands(self, ctx: Any) -> list[str]:
        return list(ORDER)

    def get_command(self, ctx: Any, name: str) -> Any:
        """A command; its module is imported now."""
        if name in COMMANDS and name not in self.commands:
            if self._listing:
                return TyperCommand(name, help=COMMANDS[name])
            import_module(f"nettwin.interfaces.cli.{name}")
            self.commands.update(typer.main.get_group(app).commands)
        return super().get_command(ctx, name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Options of the whole program may also stand behind the command."""
        first = [option for option in ANYWHERE if option in args]
        return super().parse_args(ctx, [*first, *(arg for arg in args if arg not in first)])

    def invoke(self, ctx: Any) -> Any:
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
            return answer
        except BrokenPipeError:
            # whatever Python still wants to flush must not fail again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None

    def main(self, *args: Any, **extra: Any) -> Any:
        if not extra.pop("standalone_mode", True):
            return super().main(*args, **{**extra, "standalone_mode": False})
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal without Unicode still reads
        sys.exit(self._guarded(*args, **extra))

    def _guarded(self, *args: Any, **extra: Any) -> int:
        """Run; the exit code."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", PluginWarning)
                warnings.showwarning = _warned(warnings.showwarning)
                answer = super().main(*args, **{**extra, "standalone_mode": False})
        except NettwinError as error:
            from nettwin.interfaces.cli import streams

            return _told(streams.named(str(error)), WRONG_INPUT)
        except (KeyboardInterrupt, typer.Abort):
            answer = STOPPED
        except Exception as error:
            if hasattr(error, "format_message"):  # of a wrong option or command
                return _told(_usage(error), WRONG_INPUT)
            return _unexpected(error)
        if answer == STOPPED:
            return _told("stopped by Ctrl-C; no file is left half written", STOPPED)
        return answer if isinstance(answer, int) else 0


def _usage(error: Any) -> str:
    message = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if not message:
        return "no command; see nettwin --help"
    command = context.command_path if context else "nettwin"
    stop = "" if message.endswith((".", "?", "!")) else "."
    return f"{message}{stop} See {command} --help"


def _told(message: str, code: int) -> int:
    sys.stdout.flush()
    color = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    name = "\x1b[1;31mnettwin:\x1b[0m" if color else "nettwin:"
    sys.stderr.write(f"{name} {message}\n")
    return code


def _warned(otherwise: Callable[..., None]) -> Callable[..., None]:
    """How warnings are shown: nettwin's own in one line, the others as before."""

    def show(message: Warning | str, category: type[Warning], *args: Any, **extra: Any) -> None:
        if category.__module__.partition(".")[0] == "nettwin":
            sys.stderr.write(f"nettwin: warning: {message}\n")
        else:
            otherwise(message, category, *args, **extra)

    return show


def _unexpected(error: Exception) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
        return FAILED
    if package := package_to_blame(error):
        return _told(
            f"an error in the package {package}: {type(error).__name__}: {error}\n"
            "  Run it again as nettwin --debug COMMAND ... for the traceback, and report it to the"
            " authors of that package.",
            FAILED,
        )
    return _told(
        f"an error in nettwin itself: {type(error).__name__}: {error}\n"
        "  Run it again as nettwin --debug COMMAND ... for the traceback, and report it.",
        FAILED,
    )


app = typer.Typer(
    name="nettwin",
    cls=Program,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)


def examples(*lines: str) -> str:
    """An epilog with examples, one a line."""
    # the help joins single lines, so each stands as a paragraph of its own
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  [cyan]$[/cyan] {line}" for line in lines)])


def command(
    *lines: str, name: str | None = None, group: typer.Typer = app
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command, whose help ends with examples."""
    return group.command(name, epilog=examples(*lines))


def subcommands(name: str, help: str, *lines: str, alone: bool = False) -> typer.Typer:
    """A command that has commands of its own, with examples of them; `alone` it does something
    itself, as its callback says."""
    group = typer.Typer(
        help=help,
        epilog=examples(*lines),
        no_args_is_help=not alone,
        invoke_without_command=alone,
    )
    app.add_typer(group, name=name)
    return group


def _version(asked: bool) -> None:
    if asked:
        from nettwin import __version__

        typer.echo(f"nettwin {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Show tracebacks ({DEBUG}=1 does the same).")
    ] = False,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown", help="Print tables as Markdown; may also stand behind the command."
        ),
    ] = False,
    log_level: Annotated[
        LogLevel,
        typer.Option(
            "--log-level",
            help="Log this and what is more severe to standard error, with the time.",
            case_sensitive=False,
        ),
    ] = LogLevel.OFF,
) -> None:
    """A digital twin of communication networks: a network file in; delay, loss and utilization of
    every flow, link and queue out, now and after changes."""
    MARKDOWN.set(markdown)
    if debug:
        os.environ[DEBUG] = "1"
    if log_level is not LogLevel.OFF:
        logs.show(log_level.value)


def main() -> None:
    """Run the command line; the entry point of `nettwin`."""
    app()
