"""Trial: a model answers for one small scenario, which shows whether its weights are whole.

The card of a model keeps the answer that it gave when it was made, so that a copy of it, or a later
version of nettwin, can be held against it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from nettwin.engines.learned.answer import Answer
from nettwin.engines.learned.architecture import architecture
from nettwin.engines.learned.inputs import Inputs, inputs_of, solved
from nettwin.engines.learned.model_file import Model
from nettwin.engines.theory.formulas import Formulas
from nettwin.errors import InputError, NettwinError
from nettwin.scenario.generate import generate

MAX_ROUNDS = 16  # of messages, that a model may ask for
TOLERANCE = 1e-3  # of an answer against the card: another processor rounds differently
_FAULTS = (ValueError, KeyError, IndexError, TypeError, ArithmeticError, MemoryError)


@cache
def _inputs(formulas: Formulas) -> Inputs:
    """Those of a ring of four nodes with three classes under weighted fair queueing."""
    scenario = generate("ring", nodes=4, classes="three", scheduler="wfq", load=0.9)
    return inputs_of(scenario, solved(scenario, formulas=formulas))


def trial(model: Model) -> dict[str, list[float]]:
    """What a model answers for the small scenario. Raises InputError where it cannot."""
    for weights in model.members:
        rounds = weights.get("rounds")
        if rounds is not None and not (rounds.shape == (1,) and 0 <= rounds[0] <= MAX_ROUNDS):
            raise InputError(f"rounds is {rounds.tolist()}: must be one number, 0 to {MAX_ROUNDS}")
    try:
        with np.errstate(all="ignore"):  # weights may be absurd
            answer = architecture(model.architecture).answer(_inputs(model.formulas), model.members)
    except NettwinError as error:
        raise InputError(str(error)) from None
    except _FAULTS as error:
        raise InputError(f"its weights give no answer ({type(error).__name__}: {error})") from None
    return _told(answer)


def against_card(model: Model) -> None:
    """Hold the answer against the one on the card. Raises InputError where it is another."""
    said = model.card.get("trial")
    found = trial(model)
    if not isinstance(said, dict) or said.keys() != found.keys():
        raise InputError("its card has no answer to compare with")
    for name, values in found.items():
        try:
            known = np.asarray(said[name], np.float64)
        except (ValueError, TypeError):
            known = np.zeros(0)
        if known.shape != (len(values),):
            raise InputError(f"its card has no {name} of {len(values)} flows")
        off = np.abs(np.asarray(values) - known) / np.maximum(np.abs(known), 1e-6)
        if not bool((off <= TOLERANCE).all()):
            raise InputError(
                f"it answers {name} {float(off.max()):.2%} off what its card says: it was made by"
                " another version of nettwin, or altered"
            )


def _told(answer: Answer) -> dict[str, list[float]]:
    columns: dict[str, Any] = {"owd_mean_s": answer.mean_s, "loss_ratio": answer.loss}
    for name, values in columns.items():
        if not bool(np.isfinite(values).all()):
            raise InputError(f"its {name} is not a number for every flow")
    return {name: [float(f"{v:.9g}") for v in values] for name, values in columns.items()}
