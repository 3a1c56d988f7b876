"""How irregularly flows arrive: the variance of the bits they offer over a stretch of time.

Over t seconds a flow's bits have the variance

    V(t) = white t + periodic part + 2 s^2 tau^2 (t / tau - 1 + exp(-t / tau))

`white` (independent packets), a periodic part (equal gaps: saturates after one gap) and modulation
of the rate with variance s^2 and correlation time tau (on-off, MMPP, autocorrelated). Variances of
independent flows add up, which makes the three of them fit for superposition (the index of
dispersion for work: Fendick and Whitt, Proc. IEEE 77, 1989).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nettwin.engines.theory.loops import in_place
from nettwin.scenario.arrivals import CBR, MMPP, ArrivalProcess, Autocorrelated, OnOff, Poisson
from nettwin.scenario.traffic import Traffic

SILENT_PPS = 1e-30  # below, a flow has no gaps that numbers could hold
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FlowVariability:
    """The irregularity of every flow. Arrays are [flows]."""

    white_gap_cv2: Floats  # squared coefficient of variation of independent gaps; 0 if periodic
    period_s: Floats  # gap of periodic arrivals; 0 where they are not
    rate_variance: Floats  # of the modulated rate over its squared mean
    memory_s: Floats  # correlation time of the modulation; 0 where there is none
    duty: Floats  # part of the time in which packets are sent
    high_part: Floats  # part of the time in which the rate is the higher one of two


def flow_variability(traffic: Traffic) -> FlowVariability:
    """What each flow's arrival process says about its irregularity."""
    packets = traffic.flow_packet_rate_pps
    gap = np.divide(1.0, packets, out=np.zeros(traffic.flow_count), where=packets > SILENT_PPS)
    warm_start = np.array([process_variability(a) for a in traffic.arrivals], np.float64).reshape(
        -1, 5
    )
    cv2, period_gaps, variance, memory_s, memory_gaps = warm_start.T[:, traffic.flow_arrival]
    on = [a.on_s / (a.on_s + a.off_s) if isinstance(a, OnOff) else 1.0 for a in traffic.arrivals]
    duty = np.array(on, np.float64)[traffic.flow_arrival]
    high = np.array([_high_part(a) for a in traffic.arrivals], np.float64)[traffic.flow_arrival]
    out = FlowVariability(
        cv2, period_gaps * gap, variance, memory_s + memory_gaps * gap, duty, high
    )
    for k, arrival in enumerate(traffic.arrivals):
        if isinstance(arrival, OnOff) and arrival.starts_with_packet:
            _start_with_packet(arrival, traffic.flow_arrival == k, packets, out)
    return out


def _start_with_packet(
    arrival: OnOff, mine: NDArray[np.bool_], packets_pps: Floats, out: FlowVariability
) -> None:
    """Correct the flows whose on periods begin with a packet: the fewer packets an on period has,
    the more regular they are.

    The number of packets N in an on period (mean a; b off) has the mean n; over a long time their
    variance, as that of a renewal-reward process with the cycle T, is
    (var N + (n / (a + b))^2 (a^2 + b^2) - 2 n / (a + b) cov(N, T)) / n times the mean. N is
    1 + Poisson, or with equal gaps geometric.
    """
    a, b = arrival.on_s, arrival.off_s
    rate = packets_pps[mine]
    n = np.maximum(rate * (a + b), 1.0 + 1e-9)
    if arrival.regular:
        gap = -a * np.log1p(-1.0 / n)
        variance = n * (n - 1.0)
        together = gap * variance
        out.period_s[mine] = gap
    else:
        variance = n * (n - 1.0)
        together = (n - 1.0) * a
    through = n / (a + b)
    dispersion = (variance + through**2 * (a * a + b * b) - 2.0 * through * together) / n
    white = 0.0 if arrival.regular else np.minimum(dispersion, 1.0)
    out.white_gap_cv2[mine] = white
    slow = np.maximum(dispersion - white, 0.0)
    out.rate_variance[mine] = slow / np.maximum(2.0 * out.memory_s[mine] * rate, 1e-300)


def _high_part(arrival: ArrivalProcess) -> float:
    """The part of the time in which a process sends at the higher one of two rates.

    Gaps that change slowly make the rate 1 / gap, whose distribution over time is an inverse gamma
    of shape 2: it is above its mean 1 - 2 / e of the time.
    """
    match arrival:
        case OnOff(on_s=high, off_s=low) | MMPP(high_s=high, low_s=low):
            return min(high / (high + low), 1.0 - 1e-9)
        case _:
            return 1.0 - 2.0 / math.e


def process_variability(arrival: ArrivalProcess) -> tuple[float, float, float, float, float]:
    """Gap variation, period in mean gaps, relative rate variance, memory in s and in mean gaps.

    A kind that is not known here (a trace) is taken for Poisson.
    """
    match arrival:
        case CBR():
            return 0.0, 1.0, 0.0, 0.0, 0.0
        case Poisson(longest_gap=longest) if longest > 0:
            return _cut_exponential_cv2(longest), 0.0, 0.0, 0.0, 0.0
        case OnOff(on_s=on, off_s=off, regular=regular):
            duty = on / (on + off)
            memory = on * off / (on + off)
            return float(not regular), duty * regular, (1 - duty) / duty, memory, 0.0
        case MMPP(rate_ratio=ratio, high_s=high, low_s=low):
            duty = high / (high + low)
            mean = duty * ratio + 1 - duty
            variance = duty * (1 - duty) * ((ratio - 1) / mean) ** 2
            return 1.0, 0.0, variance, high * low / (high + low), 0.0
        case Autocorrelated(correlation=correlation) if correlation > 0:
            memory = 1 / (1 - correlation)
            return 1.0, 0.0, copula_correlation_sum(correlation) / memory, 0.0, memory
        case _:
            return 1.0, 0.0, 0.0, 0.0, 0.0


def copula_correlation_sum(correlation: float) -> float:
    """Sum over lags of the correlation of exponential gaps under a Gaussian-copula AR(1).

    The Hermite expansion of the exponential quantile function has squared coefficients 0.8158,
    0.1756 and 0.0085 (orders 1 to 3, together 0.9999): the n-th order decays as correlation^(n k).
    """
    powers = (correlation, correlation**2, correlation**3)
    return sum(c * p / (1 - p) for c, p in zip((0.8158, 0.1756, 0.0086), powers, strict=True))


def _cut_exponential_cv2(longest: float) -> float:
    """Squared coefficient of variation of an exponential of mean 1 that is cut at `longest`."""
    tail = math.exp(-longest)
    mean = 1 - longest * tail / (1 - tail)
    second = 2 - (longest**2 + 2 * longest) * tail / (1 - tail)
    return second / mean**2 - 1


@in_place
def periodic_cv2(period: float, memory: float) -> float:
    """Irregularity of many periodic flows for a queue with this memory, over that of Poisson.

    The packets of a period make a Brownian bridge: in heavy traffic the waiting work exceeds x with
    probability exp(-2 x (x / n + 1 - a)) (n D / D / 1: Hajek, Heavy traffic limit theorems for
    queues with periodic arrivals, 1994). Its mean over that of M/D/1 is the integral over y > 0 of
    exp(-y - f y^2), f = memory / period.
    """
    f = memory / period
    if f < 0.005:
        return 1.0 - 2.0 * f
    return math.sqrt(math.pi / (4.0 * f)) * math.exp(0.25 / f) * math.erfc(0.5 / math.sqrt(f))


@in_place
def modulated_variance(memory: float, horizon: float) -> float:
    """Variance of the integral over `horizon` of a process of variance 1 and this memory."""
    x = horizon / memory
    return 2.0 * memory * memory * (x + math.expm1(-x))


@in_place
def own_periodic_excess(period: float, memory: float) -> float:
    """Load of its own that a packet of a periodic flow meets, over the flow's load, minus 1.

    x / (e^x - 1) - 1: a packet of a slow periodic flow (x large) never meets its predecessor.
    """
    if period > 500.0 * memory:  # or nothing is ever there
        return -1.0
    x = period / memory
    if x < 1e-4:
        return -x / 2.0
    return x / math.expm1(x) - 1.0
