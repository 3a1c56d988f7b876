"""Wiring: from names and settings to engines. The one place above the engines that knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nettwin.errors import InputError, MissingExtraError, UnknownNameError
from nettwin.model import NetworkModel
from nettwin.registry import Registry, adopt_choice
from nettwin.scenario.changes import Change
from nettwin.scenario.scenario import Scenario
from nettwin.workers import begin_beside, usable_cores

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from nettwin.engines.packet import Event, PacketSimulator
    from nettwin.optimize.methods import Method


@dataclass(frozen=True)
class EngineChoice:
    """An engine as people choose it: its name, what it is, and how it is made.

    `kernel` is the module whose functions Numba compiles at the first start on a machine;
    `compile_last` compiles those that a prediction comes to last, in another process. An engine
    that is `slow` has a setting `progress`, a function that takes the share done. To say whether it
    supports a scenario, one that `looks_at_hops` looks at all of them.
    """

    name: str
    title: str
    make: Callable[..., NetworkModel]
    kernel: str = ""
    compile_last: Callable[[], object] | None = None
    slow: bool = False
    looks_at_hops: bool = False


def _theory(**settings: Any) -> NetworkModel:
    from nettwin.engines.theory import Theory

    return Theory(**settings)


def _packet(**settings: Any) -> PacketSimulator:
    from nettwin.engines.packet import PacketSimulator

    return PacketSimulator(**settings)


# There is an engine for each of these models that nettwin ships
MODELS = Path(__file__).parents[1] / "engines" / "learned" / "models"
LEARNED = (
    ("gnn", "a trained graph network on queueing theory: milliseconds, with intervals", "gnn"),
    ("bayesian", "the gnn with weights that are distributions, a baseline", "gnn"),
    ("routenet", "message passing in RouteNet's manner, without theory, a baseline", "routenet"),
    ("rnn", "a recurrent network along each path, without theory, a baseline", "classical"),
    ("mlp", "a perceptron for each path, without theory, a baseline", "classical"),
)


def _learned(model: str, **settings: Any) -> NetworkModel:
    from nettwin.engines.learned.engine import Learned

    return Learned(catalog().load(model), **settings)


def _compile_last(model: str) -> None:
    from nettwin.engines.learned.engine import Learned
    from nettwin.engines.learned.model_file import read_model
    from nettwin.scenario.generate import generate

    read = read_model(catalog().find(model).path)  # `load` would try it, and solve ports for that
    small = generate("line", nodes=2, classes="three", scheduler="wfq")
    Learned(read).compile_last(small)


def _twin(model: str = "gnn", **settings: Any) -> NetworkModel:
    from nettwin.engines.fallback import Fallback

    return Fallback(_learned(model, **settings), _theory())


OWN = (
    EngineChoice(
        "theory",
        "queueing theory: milliseconds, approximate",
        _theory,
        kernel="nettwin.engines.theory.network",
    ),
    EngineChoice(
        "packet",
        "packet simulation: seconds, with confidence intervals",
        _packet,
        kernel="nettwin.engines.packet.kernel",
        slow=True,
    ),
    *(
        EngineChoice(
            name,
            title,
            partial(_learned, model=name),
            kernel=f"nettwin.engines.learned.{module}",
            compile_last=partial(_compile_last, name),
            looks_at_hops=True,
        )
        for name, title, module in LEARNED
        if (MODELS / f"{name}.safetensors").exists()
    ),
    EngineChoice(
        "twin",
        "the gnn, and theory where the gnn was not trained for it",
        _twin,
        kernel="nettwin.engines.learned.gnn",
        compile_last=partial(_compile_last, "gnn"),
        looks_at_hops=True,
    ),
)


ENGINES: Registry[EngineChoice] = Registry(
    "engine",
    "nettwin.engines",
    {one.name: one for one in OWN},
    adopt_choice(EngineChoice, "an engine", "a class or function that makes a NetworkModel"),
)


def choice(name: str) -> EngineChoice:
    """The entry of ENGINES with a name. Raises UnknownNameError if there is none."""
    return ENGINES.named(name)


def engine(name: str, **settings: Any) -> NetworkModel:
    """An engine by its name. Raises UnknownNameError for one that is not in ENGINES, and InputError
    for a setting that it does not have or that is out of range."""
    chosen = choice(name)
    try:
        made = chosen.make(**settings)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        wrong = str(error).rpartition("argument ")[2]
        raise InputError(
            f"engine {name} has no setting {wrong}. Leave it out; its docstring lists those it has."
        ) from None
    if not isinstance(made, NetworkModel):
        raise InputError(
            f"engine {name} makes a {type(made).__name__}, which is not a NetworkModel: it needs"
            " `name`, `predict` and `unsupported`. Tell the authors of its package."
        )
    return made


def emulation(**settings: Any) -> NetworkModel:
    """Routers of Linux that run a scenario for some seconds, as root. No member of ENGINES: two
    runs differ, and it is for verifying plans."""
    from nettwin.physical.linux.emulation import Emulation

    return Emulation(**settings)


def simulator(**settings: Any) -> PacketSimulator:
    """The simulator, which can also run events and give metrics by interval."""
    return _packet(**settings)


def labeler(seed: int, max_packets: int, precision: float) -> NetworkModel:
    """The simulator that makes the labels of a data set, in one process."""
    return _packet(seed=seed, max_packets=max_packets, precision=precision, jobs=1)


def router_labeler(seed: int, max_packets: int, precision: float) -> NetworkModel:
    """Routers of Linux that make the labels of a data set; how precise they are is up to them."""
    return emulation(seed=seed, packets=max_packets)


def catalog() -> Any:
    """The learned models by name: the module `nettwin.engines.learned.catalog`."""
    return import_module("nettwin.engines.learned.catalog")


def trainer() -> Any:
    """What trains models: the module `nettwin.engines.learned.training.tasks`.

    Raises MissingExtraError where PyTorch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("training a model", "train")
    return import_module("nettwin.engines.learned.training.tasks")


def agents() -> Any:
    """What trains the optimizers' agents: the module
    `nettwin.optimize.solvers.reinforcement.training.tasks`.

    Raises MissingExtraError where PyTorch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("training an agent", "train")
    return import_module("nettwin.optimize.solvers.reinforcement.training.tasks")


def agent_files() -> Any:
    """Agents as files, and those that are used: the module
    `nettwin.optimize.solvers.reinforcement.agent_file`."""
    return import_module("nettwin.optimize.solvers.reinforcement.agent_file")


# The package that an extra of an optimizer installs, by which to tell that it is there
EXTRA_PACKAGES = {"constraint": "ortools"}
SEARCH_KERNELS = (
    "nettwin.optimize.problems.segment_flows",
    "nettwin.optimize.solvers.local_search.kernels",
)


def optimizers() -> Mapping[str, Method]:
    """The optimizers by name: OPTIMIZERS of `nettwin.optimize.methods`."""
    found: Mapping[str, Method] = import_module("nettwin.optimize.methods").OPTIMIZERS
    return found


def installed(extra: str) -> bool:
    """Whether what an extra of an optimizer installs is there; an empty one always is."""
    return not extra or find_spec(EXTRA_PACKAGES[extra]) is not None


def optimizer(name: str) -> Method:
    """An optimizer by its name. Raises UnknownNameError for one that is not there, and
    MissingExtraError for one whose extra is not installed."""
    known = optimizers()
    if name not in known:
        raise UnknownNameError("optimizer", name, known)
    if not installed(known[name].extra):
        raise MissingExtraError(f"the optimizer {name}", known[name].extra)
    return known[name]


def first_search() -> bool:
    """Whether what searches has yet to be compiled on this machine."""
    return not all(_compiled_before(kernel) for kernel in SEARCH_KERNELS)


def timeline(
    scenario: Scenario, changes: Iterable[tuple[float, Change]], *, convergence_s: float = 0.0
) -> Sequence[Event]:
    """Changes at their times as the simulator's events, each on top of the earlier ones.

    Raises InputError where a change does not fit the network that it meets.
    """
    from nettwin.engines.packet import Event

    events = []
    for time_s, change in sorted(changes, key=lambda timed: timed[0]):
        scenario = change.apply(scenario)
        events.append(Event(time_s, scenario, convergence_s))
    return events


def first_start(*engines: str) -> bool:
    """Whether routing or one of these engines has yet to be compiled on this machine, which takes
    a while."""
    kernels = ["nettwin.scenario.pathfinding", *(ENGINES[name].kernel for name in engines)]
    return not all(_compiled_before(kernel) for kernel in kernels if kernel)


def compile_beside(*engines: str) -> BaseProcess | None:
    """Let a second process compile what the first of these engines comes to last, if there is a
    core for it and something to compile; the process, or None."""
    for name in engines:
        chosen = ENGINES[name]
        if chosen.compile_last is None or _compiled_before(chosen.kernel):
            continue
        return begin_beside(chosen.compile_last) if usable_cores() > 1 else None
    return None


def _compiled_before(module: str) -> bool:
    """Whether machine code of a module's functions is kept, where Numba keeps any."""
    from nettwin.compiled import is_kept

    functions = [f for f in vars(import_module(module)).values() if hasattr(f, "py_func")]
    return not functions or any(is_kept(f) for f in functions)
