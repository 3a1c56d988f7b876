"""nettwin: a digital twin of communication networks.

    import nettwin

    network = nettwin.generate("nsfnet", load=0.7)  # or nettwin.read("network.yaml").scenario
    metrics = nettwin.engine("theory").predict([network])[0]
    print(metrics.flows(network)["owd_p99_s"].max())

`nettwin.public` lists every public name; what packages that add to nettwin need is in
`nettwin.extend`, contract tests for them in `nettwin.testing`.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nettwin.public import *  # noqa: F403

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """A public name. They are imported when the first is asked for: the help needs none."""
    if name.startswith("__") and name != "__all__":
        raise AttributeError(name)
    if find_spec(f"{__name__}.{name}"):  # `from nettwin import units` asks here first
        return import_module(f"{__name__}.{name}")
    public = import_module("nettwin.public")
    if name == "__all__":
        return [*public.__all__, "__version__"]
    if name in public.__all__:
        return getattr(public, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
