"""Registry: the members of one kind by name, nettwin's own and those of other packages.

A package adds members by entry points (docs/extend.md). They are looked up when a name that is not
nettwin's own is asked for, or when all are listed, and each is imported only then. A member that
cannot be used is left out with a PluginWarning that names its package. Where two have one name,
nettwin's own wins, then the package that comes first in the alphabet; a warning says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar, cast

from nettwin.errors import UnknownNameError

T = TypeVar("T")


class Choice(Protocol):
    """What people choose by its name."""

    @property
    def name(self) -> str: ...


C = TypeVar("C", bound=Choice)
_FIRST_MODULES: dict[str, str] = {}  # of the packages that were loaded: top module -> package


class PluginWarning(UserWarning):
    """A member that another package adds and that is not used; the message names the package."""


class Registry(MutableMapping[str, T], Generic[T]):
    """Members by name, in the order in which they are listed.

    `kind` is what a member is called in messages, `group` the entry points that add members.
    nettwin's `own` members stand in the code, or as `module:name` that is imported when it is asked
    for. `adopt` makes a member of a name and of what a place or an entry point holds, and raises
    TypeError or ValueError where that is none.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        own: Mapping[str, T | str],
        adopt: Callable[[str, Any], T],
    ) -> None:
        self.kind, self.group = kind, group
        self._own: dict[str, T | str] = dict(own)
        self._adopt = adopt
        self._added: dict[str, EntryPoint | T] | None = None  # None: not looked up yet

    def __getitem__(self, name: str) -> T:
        if name in self._own:
            member = self._own[name]
            if isinstance(member, str):
                module, _, attribute = member.partition(":")
                member = self._adopt(name, getattr(import_module(module), attribute))
                self._own[name] = member
            return member
        added = self._look_up()
        found = added[name]
        if not isinstance(found, EntryPoint):
            return found
        try:
            made = self._adopt(name, found.load())
        except (Exception, SystemExit) as error:
            del added[name]
            reason = str(error) or "it gives no reason"
            if not isinstance(error, TypeError | ValueError) or error.__cause__:
                reason = f"{type(error).__name__}: {reason}"
            self._warn(
                f"the {self.kind} {name} of the package {_package(found)} cannot be used:"
                f" {reason.rstrip('.')}. Update the package, or uninstall it."
            )
            raise KeyError(name) from None
        _FIRST_MODULES[found.module.partition(".")[0]] = _package(found)
        added[name] = made
        return made

    def named(self, name: str) -> T:
        """The member of a name. Raises UnknownNameError, which tells near ones, where there is
        none."""
        if name not in self:
            raise UnknownNameError(self.kind, name, self)
        return self[name]

    def __setitem__(self, name: str, member: T) -> None:
        self._own[name] = member

    def __delitem__(self, name: str) -> None:
        del self._own[name]

    def __iter__(self) -> Iterator[str]:
        yield from list(self._own)
        for name in list(self._look_up()):
            if name not in self._own and name in self:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def own(self) -> tuple[str, ...]:
        """The names of nettwin's own members, for which no packages are looked up."""
        return tuple(self._own)

    def _look_up(self) -> dict[str, EntryPoint | T]:
        """What other packages add: members, or entry points that were not asked for yet."""
        if self._added is not None:
            return self._added
        self._added = {}
        declared = sorted(entry_points(group=self.group), key=lambda one: (one.name, _package(one)))
        for one in declared:
            other = self._added.get(one.name)
            if one.name in self._own:
                self._warn(
                    f"the {self.kind} {one.name} of the package {_package(one)} is not used:"
                    f" nettwin has one of that name. Ask its authors for another name."
                )
            elif other is not None:
                self._warn(
                    f"the {self.kind} {one.name} of the package {_package(one)} is not used:"
                    f" the package {_package(cast('EntryPoint', other))} has one of that name."
                    " Uninstall one of them."
                )
            else:
                self._added[one.name] = one
        return self._added

    @staticmethod
    def _warn(message: str) -> None:
        warnings.warn(message, PluginWarning, stacklevel=3)


def package_to_blame(error: BaseException) -> str | None:
    """The package whose registered member raised an error, None where it was nettwin's own code or
    a library that nettwin called."""
    trace, last = error.__traceback__, None
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if module == __name__.partition(".")[0]:
            last = None
        elif module in _FIRST_MODULES:
            last = _FIRST_MODULES[module]
        trace = trace.tb_next
    return last


def adopt_choice(kind: type[C], what: str, makes: str) -> Callable[[str, Any], C]:
    """An `adopt` for registries of choices: a member is a choice of `kind` under its own name, or
    a callable that `makes` what is chosen, described by its docstring. `kind` takes a name, a title
    and the callable."""

    def adopt(name: str, loaded: Any) -> C:
        if isinstance(loaded, kind):
            if loaded.name != name:
                raise ValueError(f"its name is {loaded.name!r}, must be {name!r}")
            return loaded
        if not callable(loaded):
            raise TypeError(f"{loaded!r} must be {makes}")
        build = cast("Callable[[str, str, Any], C]", kind)
        return build(name, _first_line(loaded) or f"{what} of another package", loaded)

    return adopt


def _first_line(described: Any) -> str:
    """The first line of a docstring without its full stop: the title of what has no other."""
    words = (getattr(described, "__doc__", None) or "").strip()
    return words.partition("\n")[0].rstrip(".")


def _package(entry_point: EntryPoint) -> str:
    """The package of an entry point, with its version."""
    made_by = entry_point.dist
    return f"{made_by.name} {made_by.version}" if made_by else "of an unknown name"
