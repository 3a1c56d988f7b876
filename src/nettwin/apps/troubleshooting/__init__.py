"""Troubleshooting: from what was measured of an incident to its causes, ranked.

incident   what was measured, and before       evidence   residuals beside the twin
faults     what may be wrong, as edits         losing     traffic that does not arrive
suspects   what residuals point to             diagnosis  hypotheses, their probabilities
advice     the next measurement, the repair, hardening, in words
"""

from __future__ import annotations

from nettwin.apps.troubleshooting.diagnosis import (
    Cause,
    Diagnosis,
    Hypothesis,
    alike,
    diagnose,
)
from nettwin.apps.troubleshooting.faults import KINDS, Fault, Faulty
from nettwin.apps.troubleshooting.incident import Incident, Record, incident_of

__all__ = [
    "KINDS",
    "Cause",
    "Diagnosis",
    "Fault",
    "Faulty",
    "Hypothesis",
    "Incident",
    "Record",
    "alike",
    "diagnose",
    "incident_of",
]
