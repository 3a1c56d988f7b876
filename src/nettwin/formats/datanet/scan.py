"""Scanning the long lines of datanet files: bytes in, arrays of numbers out, at memory speed.

The lines hold one record for each pair of nodes, millions of numbers together; the functions here
are compiled and walk over the bytes once. Where a record is malformed they stop and give its index
and one of the codes in `REASONS`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

COMMA, SEMICOLON, COLON, MINUS, PLUS, POINT, SPACE = 44, 59, 58, 45, 43, 46, 32
RESULT_FIELDS = 11
GOOD, BAD_NUMBER, FEW_FIELDS, MANY_FIELDS, BAD_KIND, NO_PARAMETER = 0, 1, 2, 3, 4, 5
REASONS = {
    BAD_NUMBER: "has a field that is not a number",
    FEW_FIELDS: "has too few fields",
    MANY_FIELDS: "has too many fields",
    BAD_KIND: "has an inter-arrival distribution that is not 0 to 7",
    NO_PARAMETER: "ends within the parameters of its distributions",
}
# parameters after the kind, by inter-arrival distribution 0 to 6
PARAMETERS = np.array([3, 2, 3, 3, 5, 7, 1], np.int64)
MAX_PARAMETERS = 7


@njit(cache=True)
def _number(text: Any, at: Any, end: Any) -> Any:
    """The decimal number at `at` and where it ends; it ends at `at` if there is none."""
    start = at
    sign = 1.0
    if at < end and (text[at] == MINUS or text[at] == PLUS):
        if text[at] == MINUS:
            sign = -1.0
        at += 1
    digits = np.int64(0)
    scale = 0
    seen = 0
    kept = 0
    point = False
    while at < end:
        c = text[at]
        if 48 <= c <= 57:
            seen += 1
            if kept < 18:
                digits = digits * 10 + (np.int64(c) - 48)
                if digits > 0:
                    kept += 1
                if point:
                    scale -= 1
            elif not point:
                scale += 1
        elif c == POINT and not point:
            point = True
        else:
            break
        at += 1
    if seen == 0:
        return 0.0, start
    if at + 1 < end and (text[at] == 101 or text[at] == 69):
        k = at + 1
        negative = False
        if text[k] == MINUS or text[k] == PLUS:
            negative = text[k] == MINUS
            k += 1
        first = k
        power = 0
        while k < end and 48 <= text[k] <= 57:
            power = min(power * 10 + (np.int64(text[k]) - 48), 9999)
            k += 1
        if k > first:
            scale += -power if negative else power
            at = k
    value = np.float64(digits)
    if scale < 0:
        value = value / 10.0**-scale if scale >= -300 else 0.0
    elif scale > 0:
        value = value * 10.0**scale if scale <= 300 else np.inf
    return sign * value, at


@njit(cache=True)
def numbers(text: Any, begin: Any, end: Any, width: Any) -> Any:
    """Records of `width` numbers each, of pairs separated by `;`, the flows of a pair by `:`.

    Returns the values [records, width], the pair of each record [records], how many pairs there
    are, and the first bad record and why.
    """
    count = 1
    for k in range(begin, end):
        if text[k] == SEMICOLON or text[k] == COLON:
            count += 1
    values = np.empty((count, width), np.float64)
    pair = np.empty(count, np.int64)
    record, pairs = 0, 0
    at = begin
    while at < end:
        for field in range(width):
            value, after = _number(text, at, end)
            if after == at:
                return values[:0], pair[:0], pairs, record, BAD_NUMBER
            values[record, field] = value
            at = after
            more = at < end and text[at] == COMMA
            if field < width - 1 and not more:
                ended = at >= end or text[at] == SEMICOLON or text[at] == COLON
                return values[:0], pair[:0], pairs, record, FEW_FIELDS if ended else BAD_NUMBER
            if field == width - 1 and more:
                return values[:0], pair[:0], pairs, record, MANY_FIELDS
            if more:
                at += 1
        pair[record] = pairs
        record += 1
        if at < end:
            if text[at] == SEMICOLON:
                pairs += 1
            elif text[at] != COLON:
                return values[:0], pair[:0], pairs, record - 1, BAD_NUMBER
            at += 1
    if record > 0 and text[end - 1] != SEMICOLON:
        pairs += 1
    return values[:record], pair[:record], pairs, -1, GOOD


@njit(cache=True)
def _interned(text: Any, begin: Any, end: Any, table: Any, spans: Any, known: Any) -> Any:
    """The number of the text `begin:end` among the distinct ones met so far."""
    mix = np.uint64(14695981039346656037)
    for k in range(begin, end):
        mix = (mix ^ np.uint64(text[k])) * np.uint64(1099511628211)
    slots = np.uint64(table.size - 1)
    slot = mix & slots
    while True:
        number = table[slot]
        if number < 0:
            table[slot] = known
            spans[known, 0], spans[known, 1] = begin, end
            return known, known + 1
        first = spans[number, 0]
        if spans[number, 1] - first == end - begin:
            same = True
            for k in range(end - begin):
                if text[first + k] != text[begin + k]:
                    same = False
                    break
            if same:
                return number, known
        slot = (slot + np.uint64(1)) & slots


@njit(cache=True)
def flows(text: Any, begin: Any, end: Any, parameter_count: Any) -> Any:
    """The flows of a traffic line: `kind,parameters...,size distribution...,ToS`.

    Records of kind -1 (no flow) are passed over but counted. Returns, per flow, its record, pair,
    kind, parameters [flows, MAX_PARAMETERS], ToS and the number of its size text; the spans of the
    distinct size texts; how many records and pairs there are; and the first bad record and why.

    Of kind 7, whose parameters have names that the file does not tell, only the rate is read; its
    size distribution is what follows the second number, so those texts keep the parameters.
    """
    most = 1
    for k in range(begin, end):
        if text[k] == SEMICOLON or text[k] == COLON:
            most += 1
    slots = 16
    while slots < 2 * most:
        slots *= 2
    table = np.full(slots, -1, np.int64)
    spans = np.empty((most, 2), np.int64)
    record_of = np.empty(most, np.int64)
    pair = np.empty(most, np.int64)
    kind = np.empty(most, np.int8)
    parameters = np.zeros((most, MAX_PARAMETERS), np.float64)
    tos = np.empty(most, np.float64)
    size = np.empty(most, np.int64)
    known, flow, record, pairs, bad, why = 0, 0, 0, 0, -1, GOOD
    at = begin
    while at < end:
        stop = at
        last = -1
        while stop < end and text[stop] != SEMICOLON and text[stop] != COLON:
            if text[stop] == COMMA:
                last = stop
            stop += 1
        value, after = _number(text, at, stop)
        if after == at or (after < stop and text[after] != COMMA):
            bad, why = record, BAD_NUMBER
            break
        if value != -1.0:
            if not (0 <= value <= 7) or value != np.floor(value):
                bad, why = record, BAD_KIND
                break
            which = int(value)
            wanted = parameter_count[which] if which < 7 else 1
            at = after
            for p in range(wanted):
                if at >= stop or text[at] != COMMA:
                    why = NO_PARAMETER
                    break
                value, after = _number(text, at + 1, stop)
                if after == at + 1:
                    why = BAD_NUMBER
                    break
                parameters[flow, p] = value
                at = after
            if why == GOOD and (at >= stop or last <= at):
                why = NO_PARAMETER
            elif why == GOOD and text[at] != COMMA:
                why = BAD_NUMBER
            if why == GOOD:
                value, after = _number(text, last + 1, stop)
                if after != stop or stop == last + 1:
                    why = BAD_NUMBER
            if why != GOOD:
                bad = record
                break
            tos[flow] = value
            size[flow], known = _interned(text, at + 1, last, table, spans, known)
            record_of[flow], pair[flow], kind[flow] = record, pairs, which
            flow += 1
        record += 1
        at = stop
        if at < end:
            if text[at] == SEMICOLON:
                pairs += 1
            at += 1
    if bad < 0 and end > begin and text[end - 1] != SEMICOLON:
        pairs += 1
    return (
        record_of[:flow],
        pair[:flow],
        kind[:flow],
        parameters[:flow],
        tos[:flow],
        size[:flow],
        spans[:known],
        record,
        pairs,
        bad,
        why,
    )
