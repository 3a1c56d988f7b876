"""Trust: where the networks expect to be far off, theory's answer takes their place.

A network says how large an error of ln(mean delay) it expects (`Answer.ln_scale`). Up to an error
of about a fifth it is half as far off as theory, on the samples that calibrate. Where it expects
more than 0.74 (the logarithm -0.3: queues next to starving, 0.1 % of the flows), it errs by 44 % in
the mean and theory by 20 %. Between them the corrections of waiting and loss fade; how variable a
waiting time is, relative to its mean, stays as the networks say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nettwin.engines.learned.inputs import Inputs
from nettwin.engines.theory.flows import STARVED, HopDelays
from nettwin.engines.theory.loops import njit_nogil

SURE, LOST = -1.0, -0.3  # ln of the expected error up to which, and from which on


def faded(inputs: Inputs, answer: Any) -> Any:
    """An Answer with the corrections of flows faded whose expected error is large."""
    trust = np.clip((LOST - answer.ln_scale) / (LOST - SURE), 0.0, 1.0)
    flows = np.flatnonzero(trust < 1.0)  # NaN, nothing arrives: stays
    if answer.each is None or not len(flows):
        return answer
    each = HopDelays(*(values.copy() for values in answer.each))
    _fade(flows, trust, inputs, each)
    return sum_up(flows, inputs, answer, each)


def sum_up(flows: Any, inputs: Inputs, answer: Any, each: HopDelays) -> Any:
    """An Answer of other delays and losses at hops, `each`: some flows are summed up again, and
    their percentiles moved with mean and deviation."""
    mean, variance, loss = (
        values.copy() for values in (answer.mean_s, answer.variance_s2, answer.loss)
    )
    _along_paths(flows, inputs, each, mean, variance, loss)
    stretch = np.sqrt(variance / answer.variance_s2)[:, None]
    levels = mean[:, None] + (answer.percentile_s - answer.mean_s[:, None]) * stretch
    percentile = answer.percentile_s.copy()
    percentile[flows] = np.maximum(levels[flows], 0.0)
    return answer._replace(
        mean_s=mean, variance_s2=variance, loss=loss, percentile_s=percentile, each=each
    )


@njit_nogil
def _fade(flows: Any, trust: Any, inputs: Any, each: Any) -> None:
    """Move what the flows meet toward theory."""
    for f in flows:
        t = trust[f]
        for k in range(inputs.row_offset[f], inputs.row_offset[f + 1]):
            was = each.waiting_s[k]
            wait = inputs.waiting_s[k] * (was / inputs.waiting_s[k]) ** t
            logit = np.log(max(each.loss[k], 1e-300) / (1.0 - each.loss[k]))
            logit = inputs.loss_logit[k] + t * (logit - inputs.loss_logit[k])
            each.waiting_s[k] = wait
            each.variance_s2[k] *= (wait / was) ** 2
            each.loss[k] = 1.0 / (1.0 + np.exp(-logit))


@njit_nogil
def _along_paths(
    flows: Any, inputs: Any, each: Any, mean_s: Any, variance_s2: Any, loss_ratio: Any
) -> None:
    """Sum up what flows meet, in place."""
    for f in flows:
        arriving, total, square = 0.0, 0.0, 0.0
        for p in range(inputs.flow_offset[f], inputs.flow_offset[f + 1]):
            passing = inputs.path_share[p]
            mean, variance = inputs.path_fixed_s[p], inputs.path_fixed_s2[p]
            for h in range(inputs.path_offset[p], inputs.path_offset[p + 1]):
                k = inputs.hop_row[h]
                mean += each.waiting_s[k]
                variance += each.variance_s2[k]
                passing *= 1.0 - each.loss[k]
            arriving += passing
            total += passing * mean
            square += passing * (mean**2 + variance)
        if arriving <= 1.0 - STARVED:
            continue
        mean_s[f] = total / arriving
        variance_s2[f] = max(square / arriving - mean_s[f] ** 2, 1e-30)
        loss_ratio[f] = min(max(1.0 - arriving, 0.0), 1.0)
