"""HiGHS as it is used here: quiet, one thread, and never beyond its time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_LONG_S = 1e7
_LOOK = 4  # calls between looks at the time
INFINITY: float = highspy.kHighsInf


class _Quiet(highspy.Highs):
    """A HiGHS that is told to be quiet before its constructor would greet on standard output."""

    def enableCallbacks(self) -> Any:
        self.setOptionValue("output_flag", False)
        return super().enableCallbacks()


def solver(**options: Any) -> Any:
    """A HiGHS that says nothing and uses one thread; `options` are its own."""
    highs = _Quiet()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    for name, value in options.items():
        highs.setOptionValue(name, value)
    return highs


def model(
    matrix: sparse.csc_array,
    cost: NDArray[np.float64],
    upper: NDArray[np.float64],
    row_lower: NDArray[np.float64],
    row_upper: NDArray[np.float64],
    whole: NDArray[np.bool_] | None = None,
) -> Any:
    """Minimize cost over columns 0 .. upper with row_lower <= matrix @ columns <= row_upper.

    `whole` marks the columns that must be whole numbers.
    """
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = row_lower, row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_ = matrix.data
    if whole is not None:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(w)] for w in whole]
    return lp


def run(highs: Any, go_on: Callable[[], float]) -> bool:
    """Let it work while `go_on` gives seconds that are left; whether it ended with an optimum.

    It is asked often and told to stop by a callback: to let it work in slices of time would make
    the answer depend on how fast the machine is.
    """
    left = go_on()
    if left <= 0:
        return False
    calls = 0

    def context(event: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % _LOOK == 0 and go_on() <= 0:
            event.interrupt()

    told = highs.cbSimplexInterrupt, highs.cbMipInterrupt, highs.cbIpmInterrupt
    for each in told:
        each.subscribe(context)
    highs.setOptionValue("time_limit", highs.getRunTime() + min(left, _LONG_S))
    highs.run()
    for each in told:
        each.unsubscribe(context)
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def solution(values: NDArray[np.float64]) -> Any:
    """Values of columns, to begin from."""
    made = highspy.HighsSolution()
    made.col_value = values.tolist()
    return made


def found(highs: Any) -> bool:
    """Whether it holds a solution that keeps all rows, be it optimal or not."""
    info = highs.getInfo()
    return bool(
        info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        and math.isfinite(info.objective_function_value)
    )
