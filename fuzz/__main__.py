"""`python -m fuzz`: search the readers for inputs that break them.

Without a format all are searched, one after the other. What is found is kept in
fuzz/corpus/FORMAT, where the tests replay it from then on. Ends with 1 where something was found.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from fuzz.corpus import FOUND, ROOT, seeds
from fuzz.target import target
from nettwin.errors import NettwinError, UnknownNameError
from nettwin.formats import FORMATS


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("format", nargs="?", help="the format; default: all")
    parser.add_argument("--list", action="store_true", help="list the targets and end")
    parser.add_argument("--seconds", type=float, default=10.0, help="time a target (10)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one input, with traceback")
    given = parser.parse_args(arguments)
    try:
        names = _names(given.format)
    except NettwinError as error:
        print(error, file=sys.stderr)
        return 2
    if given.list:
        for name in names:
            print(f"{name:16} {len(seeds(name)):4} inputs to begin with")
        return 0
    if given.replay:
        if given.format is None:
            parser.error("--replay needs the format")
        target(given.format)(given.replay.read_bytes())
        print("nothing found")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(
            "fuzzing needs Atheris, which exists for Linux on x86-64: pip install"
            " 'nettwin[fuzz]'. Elsewhere, tests/fuzz replays the corpus and simple changes of it.",
            file=sys.stderr,
        )
        return 2
    return max(_search(name, given.seconds) for name in names)


def _names(given: str | None) -> list[str]:
    if given is not None and given not in FORMATS:
        raise UnknownNameError("format", given, FORMATS)
    return list(FORMATS) if given is None else [given]


def _search(name: str, seconds: float) -> int:
    """Search one target in a process of its own; 1 where something was found."""
    before = _cases(name)
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    process = subprocess.run(
        [sys.executable, "-m", "fuzz.engine", name, str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
    )
    new = sorted(_cases(name) - before)
    if not _cases(name):
        (FOUND / name).rmdir()
    if not new and process.returncode == 0:
        print(f"{name:16} nothing found in {seconds:g} s")
        return 0
    print(f"{name:16} FOUND\n{_traceback(process.stdout + process.stderr)}")
    for case in new:
        print(f"  python -m fuzz {name} --replay {case.relative_to(ROOT)}")
    return 1


def _cases(name: str) -> set[Path]:
    folder = FOUND / name
    return set(folder.iterdir()) if folder.is_dir() else set()


def _traceback(output: str) -> str:
    """The part of the search's output that tells what went wrong."""
    lines = output.splitlines()
    begin = next((i for i, line in enumerate(lines) if "exception" in line or "ERROR" in line), 0)
    return "\n".join(f"  {line:.200}" for line in lines[begin : begin + 40])


if __name__ == "__main__":
    sys.exit(main())
