"""Change plans: what an optimizer found, as YAML or JSON that can be read again and replayed.

`nettwin whatif --changes` and `nettwin optimize --check` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nettwin.change_plan import SCHEMA, ChangePlan, plan_from_dict, plan_to_dict
from nettwin.errors import FormatError, NettwinError
from nettwin.formats.files import read_text, write_text
from nettwin.formats.native.document import Document
from nettwin.formats.native.text import encodable, json_text, yaml_text

LARGEST_BYTES = 32 * 2**20
MAX_CHANGES = 200_000
ANEW = "Make the plan anew."
HEAD = """\
# Changes in the order in which to make them, what they do, and who has checked it.
# nettwin whatif NETWORK --changes THIS replays them;
# nettwin optimize NETWORK --intent FILE --check THIS judges them again.
"""


def write_change_plan(plan: ChangePlan, path: str | Path) -> None:
    """Write a plan as YAML, or as JSON where the name ends so. Raises InputError where it cannot be
    written."""
    target, data = Path(path), _plain(plan_to_dict(plan))
    as_json = target.suffix.lower() == ".json"
    write_text(target, encodable(json_text(data) if as_json else HEAD + yaml_text(data)))


def read_change_plan(path: str | Path) -> ChangePlan:
    """The plan in a file. Raises FormatError where there is none, or it is not whole."""
    source = Path(path)
    data = Document(source, read_text(source, LARGEST_BYTES)).plain()
    if not isinstance(data, Mapping) or "schema" not in data:
        reason = f"is not a plan: it has no schema (plans have {SCHEMA})"
        raise FormatError(source, "", reason, "Give a file that nettwin optimize --out wrote.")
    changes = data.get("changes")
    if isinstance(changes, list) and len(changes) > MAX_CHANGES:
        reason = f"has {len(changes)} changes, at most {MAX_CHANGES} are allowed"
        raise FormatError(source, "", reason, ANEW)
    try:
        return plan_from_dict(data)
    except NettwinError as error:
        reason = str(error).removesuffix(ANEW).strip()
        raise FormatError(source, "", reason, ANEW) from None


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.item() if hasattr(value, "item") else value
