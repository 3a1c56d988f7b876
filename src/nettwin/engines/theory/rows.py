"""Rows: the columns of numbers that describe queues, by name."""

from __future__ import annotations

# Rows of the sums over the flows that come to each queue. [SUMS, queues]
(
    PACKETS,
    WORK,
    SECOND,
    SQUARES,
    GAPS,
    PERIODIC,
    PERIODS,
    MODULATION,
    MODULATION_MEMORY,
    SOURCES,  # squares of the flows' modulation; 0 where bursts are taken for normal
    HURRY,  # the flows' modulation over its correlation time; 0 likewise
    PEAK,  # how far the rate may be above its mean, in bit/s; 0 likewise
    DEPTH,  # work times the hops behind it
    SPACED,  # part of the irregularity that is gone
    APART,  # part of the packets met in service that are gone
    HELD,  # irregularity that makes small packets wait behind large ones
    LIMIT,  # 1 + packets that may wait where the inputs are no faster than the port; else 0
    BURSTS,  # what the flows' bursts add to the loss while they last, in some unit
) = range(18)
SUMS = 18

# Rows of the state of each queue. [STATES, queues]
(
    LOAD,
    BITS,
    SIZE_CV2,
    SERVICE,
    BUFFER,
    RATE,
    SPREAD,
    SLOW,
    MEMORY,
    LOSS,
    BIAS,
    WAITING,
    WAITING_VARIANCE,
    WAITING_ELASTICITY,
    LOSS_ELASTICITY,
    RESTING,
    LASTING,
    RESTING_LOSS,  # part of the work refused of what comes at any time, whatever the modulation
    SWING,  # the sum BURSTS
    SLOWLY,  # deviations of the rate that are slow, over all of it
    MEETING,  # part of the packets in service that others meet
) = range(21)
STATES = 21
