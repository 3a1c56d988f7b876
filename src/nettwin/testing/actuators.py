"""What everything that makes changes on devices must do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nettwin.observation import configuration
from nettwin.physical.actuator import Actuator
from nettwin.scenario.changes import Change, ScaleTraffic
from nettwin.scenario.changes.undoing import undone


class ActuatorContract:
    """Tests of one actuator. Give the fixtures `actuator` and `changes`: two changes or more that
    it can make, each with an effect."""

    @pytest.fixture
    def actuator(self) -> Actuator:
        """The actuator, new for each test."""
        raise NotImplementedError("give the fixture `actuator`: one that is new")

    @pytest.fixture
    def changes(self, actuator: Actuator) -> Sequence[Change]:
        """Changes that it can make."""
        raise NotImplementedError("give the fixture `changes`: two changes that it can make")

    def test_it_is_an_actuator(self, actuator: Actuator, changes: Sequence[Change]) -> None:
        assert isinstance(actuator, Actuator)
        assert actuator.name
        for change in changes:
            assert actuator.refuses(change) == ""

    def test_it_refuses_what_is_no_configuration(self, actuator: Actuator) -> None:
        """No device makes people send more."""
        assert actuator.refuses(ScaleTraffic(2.0))

    def test_changes_are_made_and_read_back(
        self, actuator: Actuator, changes: Sequence[Change]
    ) -> None:
        wanted = actuator.configured()
        for change in changes:
            wanted = change.apply(wanted)
            actuator.make(change)
            actuator.settle()
            assert configuration(actuator.configured()) == configuration(wanted)

    def test_twice_is_once(self, actuator: Actuator, changes: Sequence[Change]) -> None:
        actuator.make(changes[0])
        once = configuration(actuator.configured())
        actuator.make(changes[0])
        assert configuration(actuator.configured()) == once

    def test_changes_are_taken_back(self, actuator: Actuator, changes: Sequence[Change]) -> None:
        before = actuator.configured()
        for change in changes:
            actuator.make(change)
        for change in undone(before, changes):
            actuator.make(change)
        actuator.settle()
        assert configuration(actuator.configured()) == configuration(before)
