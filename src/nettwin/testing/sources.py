"""What every telemetry source must do."""

from __future__ import annotations

import numpy as np
import pytest

from nettwin.errors import NettwinError
from nettwin.telemetry.quantities import QUANTITIES
from nettwin.telemetry.series import Series
from nettwin.telemetry.source import ALWAYS_S, TIERS, Source, SourceChoice


class SourceContract:
    """Tests of one kind of telemetry source. Give the fixtures `choice`: how people choose it,
    `source`: one that is open and has samples, `span_s`: a stretch of time in which it has some,
    and `broken`: one that is open and whose server, file or device is not there."""

    @pytest.fixture
    def choice(self) -> SourceChoice:
        """The choice in the registry."""
        raise NotImplementedError("give the fixture `choice`: a SourceChoice")

    @pytest.fixture
    def source(self) -> Source:
        """A source with samples, opened for each test."""
        raise NotImplementedError("give the fixture `source`: an open source")

    @pytest.fixture
    def span_s(self) -> tuple[float, float]:
        """Since and until; by default always."""
        return ALWAYS_S

    @pytest.fixture
    def broken(self) -> Source:
        """A source that cannot answer."""
        raise NotImplementedError("give the fixture `broken`: a source that cannot answer")

    def test_it_is_a_source_with_a_tier(self, choice: SourceChoice, source: Source) -> None:
        assert isinstance(source, Source)
        assert choice.name and choice.title
        assert choice.quality.tier in TIERS

    def test_it_tests_its_connection(self, source: Source) -> None:
        """In a sentence about what it is."""
        assert len(source.test().split()) > 2

    def test_it_declares_units(self, source: Source, span_s: tuple[float, float]) -> None:
        """Every series is of a declared quantity, and no value is of another kind."""
        found = list(source.read(*span_s))
        assert found, "the source must have samples"
        for one in found:
            assert one.quantity in QUANTITIES
            assert one.port.device and one.port.interface
            assert one.time_s.dtype == one.value.dtype == np.float64
            assert one.time_s.shape == one.value.shape
            assert np.isfinite(one.time_s).all()
            if QUANTITIES[one.quantity].kind == "counter":
                assert not (one.value < 0).any()

    def test_times_are_those_asked_for(self, source: Source, span_s: tuple[float, float]) -> None:
        for one in source.read(*span_s):
            assert ((one.time_s >= span_s[0]) & (one.time_s < span_s[1])).all()

    def test_it_back_fills(
        self, choice: SourceChoice, source: Source, span_s: tuple[float, float]
    ) -> None:
        """A stretch that is read again, or in two parts, has the same samples. A source that keeps
        nothing (its quality says so) says that it cannot tell of the past."""
        if not choice.quality.back_fills:
            with pytest.raises(NettwinError, match="past"):
                list(source.read(0.0, 1e9))
            return
        whole = _samples(list(source.read(*span_s)))
        assert whole == _samples(list(source.read(*span_s)))
        times = sorted({at for _, _, at, _ in whole})
        middle = times[len(times) // 2]
        parts = [*source.read(span_s[0], middle), *source.read(middle, span_s[1])]
        assert _samples(parts) == whole

    def test_an_outage_is_said(self, broken: Source) -> None:
        """By an error of nettwin's that says what to do, and never by no samples."""
        for ask in (broken.test, lambda: list(broken.read(0.0, 1e9))):
            with pytest.raises(NettwinError) as caught:
                ask()
            assert len(str(caught.value).split()) > 3

    def test_it_may_be_closed_twice(self, source: Source) -> None:
        source.close()
        source.close()


def _samples(found: list[Series]) -> list[tuple[str, str, float, float]]:
    """Every sample, in an order of its own; what is not a number is given as -1."""
    return sorted(
        (str(one.port), one.quantity, float(t), -1.0 if np.isnan(v) else float(v))
        for one in found
        for t, v in zip(one.time_s, one.value, strict=True)
    )
