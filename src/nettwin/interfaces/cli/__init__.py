"""The command line: `nettwin COMMAND`. A module a command, which asks one application and is
imported when it is asked for; `commands` lists them.

program     errors, exit codes, version            options    what commands share, completion
sources     networks as they are named             changes    changes as they are written
engines     an engine with a bar while it works    output     where answers go
answers     the answer of one engine, delivered   searches   a plan looked for or judged again
streams     standard input and output as files
"""

from __future__ import annotations

from nettwin.interfaces.cli.program import app, main

__all__ = ["app", "main"]
