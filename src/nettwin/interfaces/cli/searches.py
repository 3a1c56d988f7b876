"""Searches: a plan looked for, or judged again, with a live line and Ctrl-C on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nettwin.change_plan import ChangePlan
from nettwin.errors import InputError
from nettwin.formats import Reading
from nettwin.intent import Intent
from nettwin.interfaces import wiring
from nettwin.interfaces.cli.engines import COMPILING, warn_of_compiling
from nettwin.interfaces.cli.output import Output
from nettwin.interfaces.cli.sources import Source
from nettwin.interfaces.searching import Watch, searching, stoppable
from nettwin.interfaces.tables.plans import every_level, level_value
from nettwin.model import NetworkModel
from nettwin.optimize.params import SearchParams
from nettwin.scenario.changes import Change, apply_all, change_to_dict
from nettwin.scenario.scenario import Scenario

SIMULATOR = "packet"
STOPPING = "Stopping; the best answer so far follows. Ctrl-C again quits without it."


@dataclass(frozen=True)
class SearchOptions:
    """How to search: the method, for how long, which model predicts, and what verifies.

    `params` are the constants of the search. `verify` None: where the intent asks for what a model
    predicts.
    """

    method: str = "auto"
    seconds: float = 5.0
    gap: float | None = None
    seed: int = 1
    engine: str = "twin"
    model: str | None = None
    verify: bool | None = None
    params: SearchParams | None = None

    def verifies(self, intent: Intent) -> bool:
        """Whether the simulator looks at the plan."""
        return intent.predicted if self.verify is None else self.verify


def checked(output: Output, intent: Intent, scenario: Scenario) -> list[str]:
    """Tell the warnings about an intent; the same for JSON.

    Raises InputError where it does not fit the network or contradicts itself.
    """
    from nettwin.intent.check import check

    found = check(intent, scenario)
    if not found.sound:
        lines = [f"  - {finding}" for finding in found.diagnostics if finding.kind != "warning"]
        raise InputError(
            f"the intent {intent.name} cannot be met, whatever is changed:\n" + "\n".join(lines)
        )
    words = [str(finding) for finding in found.diagnostics]
    output.note("Warning", words, "yellow")
    output.warnings += words
    return words


def engine_of(intent: Intent, options: SearchOptions) -> NetworkModel | None:
    """The model that predicts; None where loads are all that is asked for."""
    if not intent.predicted:
        return None
    settings: dict[str, Any] = {"seed": options.seed} if options.engine == SIMULATOR else {}
    settings |= {} if options.model is None else {"model": options.model}
    return wiring.engine(options.engine, **settings)


def prepare(output: Output, intent: Intent, options: SearchOptions) -> None:
    """Compile what is needed, before anything is timed. Raises what `wiring.optimizer` raises."""
    wiring.optimizer(options.method)
    wiring.choice(options.engine)
    engines = [options.engine] if intent.predicted else []
    engines += [SIMULATOR] if options.verifies(intent) else []
    warn_of_compiling(output, *engines)
    if COMPILING not in output.said and wiring.first_search():
        output.say(COMPILING)
    from nettwin.optimize.optimize import warm_up

    warm_up(options.method, intent)


def searched(
    output: Output,
    scenario: Scenario,
    intent: Intent,
    model: NetworkModel | None,
    options: SearchOptions,
) -> ChangePlan:
    """The best plan that is found in time, or before the first Ctrl-C."""
    from nettwin.optimize.optimize import optimize
    from nettwin.optimize.problem import Problem
    from nettwin.optimize.stop import AnyOf, Cancel, Gap, Seconds, Stop

    cancel = Cancel()
    rules: list[Stop] = [Seconds(options.seconds), cancel]
    rules += [] if options.gap is None else [Gap(options.gap)]

    def stop() -> None:
        cancel.cancel()
        output.say(STOPPING)

    problem = Problem(scenario, intent, model)
    _ = problem.before  # the model's first answer, which is slower, counts for nothing
    with _verifier(output, intent, options) as (watch, verifier), stoppable(stop):
        return optimize(
            problem,
            options.method,
            AnyOf(tuple(rules)),
            options.seed,
            verifier=verifier,
            tell=watch.tell,
            params=options.params,
        )


def searched_at(
    output: Output,
    server: str,
    token: str | None,
    source: Source,
    network: str,
    intent: Intent | None,
    happened: Sequence[Change],
    options: SearchOptions,
) -> tuple[Reading, dict[str, Any], ChangePlan]:
    """The network with what had happened to it, the document of a server, and the plan that it
    found."""
    from nettwin.change_plan import plan_from_dict
    from nettwin.formats.intent import intent_data
    from nettwin.formats.native import native_text
    from nettwin.interfaces.cli import remote

    with remote.client_of(server, token) as client:
        reading = remote.reading(client, source, network)
        begun = remote.is_here(network)
        id = (
            client.upload(native_text(reading.scenario), "network.json")["id"] if begun else network
        )
        try:
            said = client.optimize(
                None if intent is None else json.dumps(intent_data(intent)),
                id,
                seconds=options.seconds,
                method=options.method,
                gap=options.gap,
                seed=options.seed,
                verify=options.verify,
                engine=options.engine,
                happened=[change_to_dict(change) for change in happened],
            )
        finally:
            if begun:
                client.remove(id)
    after = replace(reading, scenario=apply_all(reading.scenario, happened))
    return after, said, plan_from_dict(said["plan"])


def judged_again(
    output: Output,
    scenario: Scenario,
    intent: Intent,
    model: NetworkModel | None,
    options: SearchOptions,
    file: Path,
    *,
    force: bool,
) -> tuple[ChangePlan, ChangePlan]:
    """The plan of a file as it was, and as it is judged now."""
    from nettwin.apps.replay import replayed
    from nettwin.formats.change_plan import read_change_plan
    from nettwin.optimize.problem import Problem

    plan = read_change_plan(file)
    problem = Problem(scenario, intent, model)
    try:
        with _verifier(output, intent, options) as (_, verifier):
            return plan, replayed(problem, plan, verifier, force=force)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def trusted(
    output: Output,
    scenario: Scenario,
    intent: Intent,
    model: NetworkModel | None,
    changes: Sequence[Change],
) -> list[str]:
    """Tell which engine judged a plan and what it doubts, before and after; the same for JSON."""
    from nettwin.optimize.problem import Problem

    judging = Problem(scenario, intent, model).model
    if judging is None:
        return []
    after = apply_all(scenario, changes)
    found = output.answered(*judging.predict([scenario, after]))
    return found + output.warn_of(after, [judging])


@contextmanager
def _verifier(
    output: Output, intent: Intent, options: SearchOptions
) -> Iterator[tuple[Watch, NetworkModel | None]]:
    """A live line, and the simulator that moves it, if it is wanted."""
    levels = every_level(intent)
    first = levels[0] if levels else ()
    watch = Watch(options.seconds, lambda value: level_value(first, value))
    verifier = None
    if options.verifies(intent):
        verifier = wiring.engine(SIMULATOR, seed=options.seed, progress=watch.simulate)
    with searching(output.err, watch):
        yield watch, verifier
