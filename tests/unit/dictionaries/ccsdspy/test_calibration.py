"""Calibrations in the cells of a CSV: states and polynomials, in JSON."""

import pytest

from c2kit.dictionaries.ccsdspy.calibration import read_calibration
from c2kit.dictionaries.ccsdspy.table import Cell, Row
from c2kit.errors import DefinitionError
from c2kit.model.conversions import Conversion, Polynomial, State, States
from c2kit.model.source import Source


def read(text: str) -> Conversion | None:
    return read_calibration(Row({"calibration": Cell(text, Source("defs.csv", 7, 9))}, Source("defs.csv", 7, 1)))


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("0", 0, 0),
        (" 103 ", 103, 103),
        ("-4", -4, -4),
        ("0x1F", 31, 31),
        ("010", 10, 10),
        ("18446744073709551615", 2**64 - 1, 2**64 - 1),
        ("[1,3]", 1, 3),
        ("[ -6 , -1 ]", -6, -1),
        ("[101,101]", 101, 101),
        ("3-5", 3, 5),
        ("-5--3", -5, -3),
        ("0x10..0x1f", 16, 31),
        ("1:2", 1, 2),
    ],
)
def test_a_state_is_of_a_value_or_of_a_range(key: str, low: int, high: int) -> None:
    assert read(f'{{"{key}": "ON"}}') == States((State("ON", low, high),))


def test_states_stay_in_their_order() -> None:
    states = read('{"0":"INVALID","[1,3]":"POSITIVE","[6,100]":"NEGATIVE","103":"NO_OVERFLOW"}')

    assert isinstance(states, States)
    assert [state.name for state in states.states] == ["INVALID", "POSITIVE", "NEGATIVE", "NO_OVERFLOW"]
    assert [states.name_of(raw) for raw in (0, 2, 5, 100, 103)] == [
        "INVALID",
        "POSITIVE",
        None,
        "NEGATIVE",
        "NO_OVERFLOW",
    ]


def test_a_polynomial_has_coefficients_by_power() -> None:
    polynomial = read('{"0":2000,"1":-0.002766,"2":0.0000535,"3":-0.00000000162}')

    assert polynomial == Polynomial((2000.0, -0.002766, 0.0000535, -0.00000000162))
    assert read('{"2": 1e-3, "0": 4}') == Polynomial((4.0, 0.0, 0.001))


def test_a_list_is_a_polynomial_from_the_highest_power_down_as_in_ccsdspys_poly_converter() -> None:
    assert read("[3, 2, 1]") == Polynomial((1.0, 2.0, 3.0))


def test_without_a_calibration_there_is_no_conversion() -> None:
    assert read("") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("OFF/ON", "not JSON"),
        ('{"0": "OFF"', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"0": "OFF", "0": "ON"}', "a key stands twice"),
        ('{"0": NaN}', "NaN is not a number"),
        ('{"0": -Infinity}', "not a number"),
        ("{}", "no such calibration"),
        ("[]", "no such calibration"),
        ("null", "no such calibration"),
        ("3", "no such calibration"),
        ('{"0": true}', "no such calibration"),
        ('{"0": "OFF", "1": 2}', "no such calibration"),
        ('{"0": ["OFF"]}', "no such calibration"),
        ('{"off": "OFF"}', "no value"),
        ('{"1.5": "OFF"}', "no value"),
        ('{"[1,2,3]": "OFF"}', "no value"),
        ('{"[1,2)": "OFF"}', "no value"),
        ('{"": "OFF"}', "no value"),
        ('{"[3,1]": "OFF"}', "ends before it begins"),
        ('{"18446744073709551616": "OFF"}', "out of range"),
        ('{"-9223372036854775809": "OFF"}', "out of range"),
        ('{"0": ""}', "no name"),
        ('{"-1": 2.0}', "no such power"),
        ('{"65": 2.0}', "no such power"),
        ('{"[0,1]": 2.0}', "no such power"),
        ('{"1": 2.0, "01": 3.0}', "a power stands twice"),
        (f"[{','.join(['1'] * 66)}]", "too long"),
        ("[1e999]", "too large"),
        (f"[{'9' * 400}]", "too large"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(DefinitionError, match=says) as refused:
        read(text)

    assert str(refused.value).startswith("defs.csv:7:9: ")
    assert len(str(refused.value)) < 500
