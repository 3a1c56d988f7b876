"""Measured delays: what probes tell of paths, as the delays of a network's flows."""

from __future__ import annotations

import numpy as np

from nettwin.errors import InputError, UnknownNameError
from nettwin.repository.repository import Repository
from nettwin.scenario.scenario import Scenario
from nettwin.telemetry.probes import PathDelays


def landed_delays(
    delays: PathDelays, scenario: Scenario, repository: Repository, traffic_class: str = ""
) -> int:
    """Keep delays and loss in the history, of the flows between the same nodes in a class; the
    number of rows. Where nothing is told of loss, the delay of a flow stands alone.

    Raises InputError where a network of several classes is not told of which one the probes are,
    or no flow goes where they do.
    """
    traffic = scenario.traffic
    if traffic_class and traffic_class not in traffic.class_name:
        raise UnknownNameError("traffic class", traffic_class, traffic.class_name)
    if not traffic_class and len(traffic.class_name) > 1:
        raise InputError(
            f"the network has the classes {', '.join(traffic.class_name)}: the probes must be of"
            f" one. Write class: {traffic.class_name[0]} into the file of the source."
        )
    kind = traffic.class_name.index(traffic_class) if traffic_class else 0
    place = {pair: k for k, pair in enumerate(delays.pair)}
    ends = zip(traffic.flow_source.tolist(), traffic.flow_target.tolist(), strict=True)
    column = np.array([place.get(pair, -1) for pair in ends], np.int64)
    column[traffic.flow_class != kind] = -1
    probed = column >= 0
    if not probed.any():
        raise InputError(
            "no flow of the network file goes between the nodes that were probed. Add flows there,"
            " or name another class."
        )
    columns = {
        "owd_mean_s": delays.owd_mean_s,
        "owd_mean_s.low": delays.low_s,
        "owd_mean_s.high": delays.high_s,
        "loss_ratio": delays.loss_ratio,
    }
    return repository.measured_flows(
        scenario,
        delays.time_s,
        delays.interval_s,
        {
            name: np.where(probed, values[:, np.maximum(column, 0)], np.nan)
            for name, values in columns.items()
        },
    )
