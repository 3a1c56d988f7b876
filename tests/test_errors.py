"""Errors: what they say, and that one tree holds them."""

from __future__ import annotations

import pytest

from nettwin import errors


@pytest.mark.parametrize(
    "error", [errors.FormatError, errors.ScenarioError, errors.ChangeError, errors.UnknownNameError]
)
def test_wrong_input_is_input_error(error: type[Exception]) -> None:
    assert issubclass(error, errors.InputError)


@pytest.mark.parametrize(
    "error", [errors.InputError, errors.UnsupportedError, errors.MissingExtraError]
)
def test_one_tree(error: type[Exception]) -> None:
    assert issubclass(error, errors.NettwinError)


def test_fault_names_element_value_allowed_and_remedy() -> None:
    issue = errors.ValidationIssue("weight of link A->B", -1, "must be above 0", "Give a weight.")
    assert str(issue) == "weight of link A->B is -1: must be above 0. Give a weight."


def test_scenario_error_shows_the_first_and_counts_the_rest() -> None:
    issues = [errors.ValidationIssue(f"link {i}", i, "must be x", "Mend.") for i in range(25)]
    error = errors.ScenarioError(issues)
    text = str(error)
    assert error.issues == tuple(issues)
    assert text.startswith("25 issues")
    assert "link 19 is" in text and "link 20 is" not in text
    assert "and 5 more" in text
    assert str(errors.ScenarioError(issues[:1])).startswith("1 issue in")


def test_format_error_without_a_place() -> None:
    assert (
        str(errors.FormatError("a.gml", "", "is empty", "Fill it.")) == "a.gml: is empty. Fill it."
    )
    assert str(errors.FormatError("a.gml", "line 3", "no end", "End it.")).startswith(
        "a.gml, line 3: "
    )


def test_unknown_name_offers_near_names_or_the_first() -> None:
    assert "did you mean: Berlin" in str(
        errors.UnknownNameError("node", "Berlni", ["Berlin", "Paris"])
    )
    far = str(errors.UnknownNameError("node", "zzzz", [f"N{i}" for i in range(20)]))
    assert "known are: N0" in far and "and 12 more" in far
    assert "known are: none" in str(errors.UnknownNameError("node", "x", []))


def test_unsupported_and_extra() -> None:
    assert "theory does not support this scenario: a; b" in str(
        errors.UnsupportedError("theory", ["a", "b"])
    )
    assert "pip install 'nettwin[plot]'" in str(errors.MissingExtraError("a weathermap", "plot"))
