"""The canonical form, held against JSON written by hand and an independent parser."""

import json
import math

import pytest

from c2kit.model.canonical import canonical_json
from c2kit.model.conversions import Extrapolation, PiecewiseLinear, Polynomial, State, States
from c2kit.model.fields import Encoding, Fixed, Text
from c2kit.model.limits import Limits
from c2kit.model.packets import Item, Match, Packet
from c2kit.model.source import Source
from c2kit.model.target import Target
from c2kit.model.time import Cuc, Epoch, PacketTime, Scale


def test_classes_are_named_defaults_and_sources_left_out_and_keys_sorted() -> None:
    item = Item(name="MODE", bit_length=3, encoding=Encoding.BOOLEAN, source=Source("a.yaml", 7))
    assert canonical_json(item) == b'{"bit_length":3,"encoding":"boolean","is":"Item","name":"MODE"}'


def test_every_kind_of_value_has_a_form() -> None:
    item = Item(
        name="\u00c4",
        length=Fixed((2, 3)),
        text=Text(padding=b"\xff\0"),
        conversion=States((State("ON", 1, 1),)),
        limits=(Limits(red_low=-1.5),),
    )
    packet = Packet(name="P", items=(item,), time=PacketTime(Cuc("A"), Epoch("own", 2**70, Scale.TAI)))
    plain = json.loads(canonical_json(packet))
    assert plain["items"][0]["name"] == "\u00c4"
    assert plain["items"][0]["length"] == {"is": "Fixed", "shape": [2, 3]}
    assert plain["items"][0]["text"] == {"is": "Text", "padding": {"is": "bytes", "hex": "ff00"}}
    assert plain["items"][0]["conversion"]["states"] == [{"is": "State", "name": "ON", "low": 1, "high": 1}]
    assert plain["items"][0]["limits"] == [{"is": "Limits", "red_low": -1.5}]
    assert plain["time"]["epoch"] == {"is": "Epoch", "name": "own", "posix_ns": 2**70, "scale": "tai"}


def test_a_whole_number_is_the_same_however_it_was_written() -> None:
    assert canonical_json(Polynomial((1, 2))) == canonical_json(Polynomial((1.0, 2.0)))
    assert canonical_json(Polynomial((1.0, 2.0))) != canonical_json(Polynomial((1.0, 2.5)))
    assert json.loads(canonical_json(Polynomial((2.0**60, -0.0, 0.1))))["coefficients"] == [2.0**60, 0, 0.1]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_cannot_say_is_said_in_words(value: float) -> None:
    plain = json.loads(canonical_json(Polynomial((value,))))
    assert plain["coefficients"] == [{"is": "float", "value": str(value)}]


def test_classes_with_equal_attributes_stay_apart() -> None:
    assert canonical_json(Match("A", 1)) != canonical_json(Match("A", b"\x01"))
    points = ((0.0, 0.0), (1.0, 1.0))
    forms = {canonical_json(PiecewiseLinear(points, extrapolation)) for extrapolation in Extrapolation}
    assert len(forms) == len(Extrapolation)


def test_equal_targets_have_equal_forms() -> None:
    def target(line: int) -> Target:
        packets = [Packet(name=name, items=(), source=Source("t.yaml", line)) for name in ("B", "A")]
        return Target(name="FIREFLY", packets=packets if line else packets[::-1])

    assert canonical_json(target(0)) == canonical_json(target(9))
