"""Units as people write and read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettwin import units
from nettwin.errors import InputError


@pytest.mark.parametrize(
    ("text", "bps"),
    [
        ("10G", 10e9),
        ("45 Mbit/s", 45e6),
        ("2.5e9", 2.5e9),
        ("64kbps", 64e3),
        ("1Tb/s", 1e12),
        (" .5 k ", 500.0),
        ("-3M", -3e6),
    ],
)
def test_rates(text, bps) -> None:
    assert units.rate_bps(text) == pytest.approx(bps)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20ms", 0.02),
        ("3 s", 3),
        ("0.5", 0.5),
        ("5us", 5e-6),
        ("5µs", 5e-6),
        ("2min", 120),
        ("1h", 3600),
        ("7ns", 7e-9),
    ],
)
def test_times(text, seconds) -> None:
    assert units.time_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("1500B", 12000),
        ("1500", 12000),
        ("64kB", 512e3),
        ("12000bit", 12000),
        ("12000 bits", 12000),
        ("3b", 3),
        ("2 bytes", 16),
        ("1 byte", 8),
        ("8kbit", 8000),
        ("1MB", 8e6),
    ],
)
def test_sizes(text, bits) -> None:
    assert units.size_bits(text) == pytest.approx(bits)


@pytest.mark.parametrize(("text", "part"), [("60%", 0.6), ("0.6", 0.6), ("150 %", 1.5), ("0", 0.0)])
def test_shares(text, part) -> None:
    assert units.share(text) == pytest.approx(part)


@pytest.mark.parametrize("read", [units.rate_bps, units.time_s, units.size_bits, units.share])
@pytest.mark.parametrize(
    "text", ["", "fast", "G10", "10 parsecs", "1e999", "nan", "inf", "1,5", "--3"]
)
def test_anything_else_is_told_with_an_example(read, text) -> None:
    with pytest.raises(InputError, match=r"Write .*"):
        read(text)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (units.rate(45e6), "45 Mbit/s"),
        (units.rate(999.7e6), "1 Gbit/s"),
        (units.rate(1.234e3), "1.23 kbit/s"),
        (units.rate(12.0), "12 bit/s"),
        (units.rate(1.2345e15), "1234 Tbit/s"),
        (units.rate(-3e15), "-3000 Tbit/s"),
        (units.rate(math.nan), "-"),
        (units.duration(0.023412), "23.41 ms"),
        (units.duration(0.99999), "1.00 s"),
        (units.duration(1234.5), "1234 s"),
        (units.duration(250e-6), "250.0 µs"),
        (units.duration(3e-9), "3.00 ns"),
        (units.duration(0.0), "0 ms"),
        (units.duration(math.inf), "-"),
        (units.size(0.0), "0 B"),
        (units.size(12000.0), "1500 B"),
        (units.size(80000.0), "10.0 kB"),
        (units.size(8e9), "1000.0 MB"),
        (units.size(1.0), "0.12 B"),
        (units.size(math.inf), "no limit"),
        (units.size(math.nan), "-"),
        (units.percent(0.8134), "81.3 %"),
        (units.percent(1e-7), "<0.1 %"),
        (units.percent(1e-7, 2), "<0.01 %"),
        (units.percent(0.0), "0.0 %"),
        (units.percent(math.nan), "-"),
        (units.change(10.0, 11.0), "+10.0 %"),
        (units.change(10.0, 5.0), "-50.0 %"),
        (units.change(0.0, 1.0), "new"),
        (units.change(0.0, 0.0), ""),
        (units.change(math.nan, 1.0), "-"),
        (units.count(1234567), "1,234,567"),
    ],
)
def test_for_people(words, value) -> None:
    assert words == value


@given(st.floats(1e-3, 1e18))
def test_a_rate_reads_back_to_three_digits(bps) -> None:
    assert units.rate_bps(units.rate(bps)) == pytest.approx(bps, rel=6e-3)


@given(st.floats(1e-9, 1e4))
def test_a_time_reads_back(seconds) -> None:
    assert units.time_s(units.duration(seconds)) == pytest.approx(seconds, rel=6e-3)
