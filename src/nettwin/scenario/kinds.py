"""Kinds: families of distributions, of which each has a name and parameters of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from nettwin.errors import UnknownNameError


def of_kind(
    data: Mapping[str, Any],
    family: Mapping[str, type[Any]],
    usual: str,
    noun: str,
    several: Callable[[list[Any]], Any],
) -> Any:
    """A member of a family from plain JSON types: `kind` names it, the rest are its parameters.

    Without a kind it is of the `usual` one; `several` makes a parameter of a list. Raises
    UnknownNameError for another kind, TypeError for parameters that the kind does not have.
    """
    parameters = dict(data)
    kind = str(parameters.pop("kind", usual))
    if kind not in family:
        raise UnknownNameError(noun, kind, family)
    flags = {field.name for field in fields(family[kind]) if isinstance(field.default, bool)}
    for name, value in parameters.items():
        if isinstance(value, list):
            parameters[name] = several(value)
        elif name not in flags or not isinstance(value, bool):
            parameters[name] = float(value)
    return family[kind](**parameters)
