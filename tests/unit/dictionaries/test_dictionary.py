"""Dictionaries of many files and targets: what is loaded, what it is called, and what its hash depends on."""

import gc
import itertools
import random
from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import DefinitionError, UnknownName, UsageError
from c2kit.model.fields import Fixed
from tests.definitions import write

ONE = "target: ONE\npackets: {P: {items: {A: u8}}}\n"
TWO = "target: TWO\npackets: {P: {items: {A: u8}}}\n"


def names(dictionary: Dictionary) -> dict[str, list[str]]:
    return {target.name: [packet.name for packet in target.packets] for target in dictionary.targets}


def refusal(*paths: Path) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        Dictionary.load(paths)
    return caught.value


class TestAccess:
    def test_targets_are_sorted_and_found_by_name(self, tmp_path: Path) -> None:
        dictionary = Dictionary.load([write(tmp_path, TWO, "a.yaml"), write(tmp_path, ONE, "b.yaml")])
        assert [target.name for target in dictionary.targets] == ["ONE", "TWO"]
        assert list(dictionary) == ["ONE", "TWO"]
        assert len(dictionary) == 2
        assert "ONE" in dictionary
        assert "THREE" not in dictionary
        assert dictionary["TWO"] is dictionary.target("TWO") is dictionary.targets[1]
        assert dictionary.hashes == {"ONE": dictionary["ONE"].hash, "TWO": dictionary["TWO"].hash}

    def test_a_target_that_is_not_there_is_answered_with_the_nearest(self, tmp_path: Path) -> None:
        dictionary = Dictionary.load(write(tmp_path, ONE))
        with pytest.raises(UnknownName, match="no target 'ON'; did you mean ONE"):
            dictionary["ON"]

    def test_it_cannot_be_changed(self, tmp_path: Path) -> None:
        dictionary = Dictionary.load(write(tmp_path, ONE))
        with pytest.raises(AttributeError):
            dictionary.targets = ()  # type: ignore[misc]


class TestFiles:
    def test_a_directory_is_all_its_yaml_files_however_deep(self, tmp_path: Path) -> None:
        write(tmp_path, ONE, "b.yml")
        write(tmp_path, TWO, "deep/er/a.YAML")
        write(tmp_path, "target: ONE\npackets: {Q: {items: {A: u8}}}\n", "c.yaml")
        write(tmp_path, "not a definition", "notes.txt")
        write(tmp_path, "not a definition", ".hidden.yaml")
        write(tmp_path, "not a definition", ".git/config.yaml")
        write(tmp_path, "name,data_type,bit_length\nA,uint,8\n", "unused.csv")
        assert names(Dictionary.load(str(tmp_path))) == {"ONE": ["P", "Q"], "TWO": ["P"]}

    def test_a_file_that_is_given_twice_counts_once(self, tmp_path: Path) -> None:
        path = write(tmp_path, ONE)
        assert names(Dictionary.load([path, tmp_path, f"{tmp_path}/./defs.yaml"])) == {"ONE": ["P"]}

    def test_a_packet_that_is_defined_twice_is_told_with_both_places(self, tmp_path: Path) -> None:
        first = write(tmp_path, ONE, "a.yaml")
        second = write(tmp_path, "\n" + ONE.replace("packets: {P", "packets: {  P"), "b.yaml")
        error = refusal(first, second)
        assert str(error) == (
            f"{second}:2:13: packet ONE P is defined twice, found the first at {first}:2:11; "
            "rename or remove one of the two"
        )

    def test_a_command_that_is_defined_twice_is_told_with_both_places(self, tmp_path: Path) -> None:
        files = [write(tmp_path, "target: A\ncommands: {C: {}}\n", f"{name}.yaml") for name in "ab"]
        assert "command A C is defined twice" in str(refusal(*files))

    def test_targets_that_differ_by_case_only_are_refused(self, tmp_path: Path) -> None:
        files = [write(tmp_path, ONE, "a.yaml"), write(tmp_path, ONE.replace("ONE", "One"), "b.yaml")]
        assert "target One differs from another by case only" in str(refusal(*files))

    def test_a_target_is_described_once(self, tmp_path: Path) -> None:
        a = write(tmp_path, "target: A\ndescription: x\n", "a.yaml")
        b = write(tmp_path, "target: A\n", "b.yaml")
        c = write(tmp_path, "target: A\ndescription: y\n", "c.yaml")
        assert Dictionary.load([b, a])["A"].description == "x"
        assert "target A is described twice" in str(refusal(a, c))

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("nowhere", "no such file or directory"),
            ("defs.txt", "not a kind of definition"),
            ("empty", "no definitions in this directory"),
        ],
    )
    def test_paths_that_cannot_be_loaded_are_named(self, tmp_path: Path, name: str, wrong: str) -> None:
        write(tmp_path, "x", "defs.txt")
        (tmp_path / "empty").mkdir()
        error = refusal(tmp_path / name)
        assert str(error).startswith(f"{tmp_path / name}: {wrong}")

    def test_no_paths_and_no_such_offsets_are_a_wrong_call(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no dictionary to load"):
            Dictionary.load([])
        with pytest.raises(UsageError, match="offsets_from"):
            Dictionary.load(write(tmp_path, ONE), offsets_from="header")  # type: ignore[arg-type]

    @pytest.mark.parametrize("text", ["states: {A: {B: 1}}\n", "packets: {P: {items: {A: u8}}}\n"])
    def test_definitions_without_a_target_are_refused(self, tmp_path: Path, text: str) -> None:
        path = write(tmp_path, text)
        assert str(refusal(path)).startswith(f"{path}:1:1: ")
        assert "target: NAME" in str(refusal(path))

    @pytest.mark.parametrize("name", ["''", "-A", "A_B", "A B", "Ä", "A" * 41, "[A]"])
    def test_a_target_is_named_like_a_host(self, tmp_path: Path, name: str) -> None:
        assert refusal(write(tmp_path, f"target: {name}\n")).source is not None
        assert "target" in str(refusal(write(tmp_path, f"target: {name}\n")))

    def test_the_collector_is_left_as_it_was_found(self, tmp_path: Path) -> None:
        assert gc.isenabled()
        Dictionary.load(write(tmp_path, ONE))
        assert gc.isenabled()
        refusal(write(tmp_path, "target: ["))
        assert gc.isenabled()
        gc.disable()
        try:
            Dictionary.load(write(tmp_path, ONE))
            assert not gc.isenabled()
        finally:
            gc.enable()


class TestInclude:
    def test_shared_definitions_are_known_where_they_are_included(self, tmp_path: Path) -> None:
        write(tmp_path, "states: {OFF_ON: {OFF: 0, ON: 1}}\n", "shared/states.yaml")
        write(
            tmp_path, "include: states.yaml\nheaders: {H: {items: {S: {type: u8, states: OFF_ON}}}}\n", "shared/h.yaml"
        )
        path = write(tmp_path, "target: A\ninclude: [shared/h.yaml]\npackets: {P: {extends: H}}\n")
        item = Dictionary.load(path)["A"].packet("P").items[0]
        assert item.name == "S"
        assert item.conversion is not None
        assert str(item.source) == f"{tmp_path / 'shared/h.yaml'}:2:23"

    def test_an_included_file_does_not_see_who_includes_it(self, tmp_path: Path) -> None:
        part = write(tmp_path, "packets: {P: {items: {S: {type: u8, states: MINE}}}}\n", "part.yaml")
        path = write(tmp_path, "target: A\ninclude: part.yaml\nstates: {MINE: {X: 1}}\n")
        error = refusal(path)
        assert "no set of states 'MINE' is defined here or included" in str(error)
        assert error.source is not None
        assert error.source.file == str(part)

    def test_two_targets_can_include_the_same_packets(self, tmp_path: Path) -> None:
        write(tmp_path, "packets: {P: {items: {A: u8}}}\ncommands: {C: {}}\n", "common.yaml")
        for name in ("SAT-1", "SAT-2"):
            write(tmp_path, f"target: {name}\ninclude: common.yaml\n", f"{name}.yaml")
        dictionary = Dictionary.load(tmp_path)
        assert names(dictionary) == {"SAT-1": ["P"], "SAT-2": ["P"]}
        assert dictionary["SAT-1"].packets == dictionary["SAT-2"].packets
        assert [command.name for command in dictionary["SAT-2"].commands] == ["C"]

    def test_packets_that_come_by_several_ways_are_the_same_packets(self, tmp_path: Path) -> None:
        write(tmp_path, "packets: {P: {items: {A: u8}}}\nstates: {S: {X: 1}}\n", "base.yaml")
        write(tmp_path, "include: base.yaml\n", "left.yaml")
        write(tmp_path, "include: base.yaml\n", "right.yaml")
        path = write(tmp_path, "target: A\ninclude: [left.yaml, right.yaml, base.yaml]\n")
        assert names(Dictionary.load(path)) == {"A": ["P"]}

    def test_two_definitions_of_one_name_are_told_with_both_places(self, tmp_path: Path) -> None:
        left = write(tmp_path, "states: {S: {X: 1}}\n", "left.yaml")
        right = write(tmp_path, "states: {S: {X: 1}}\n", "right.yaml")
        path = write(tmp_path, "target: A\ninclude:\n  - left.yaml\n  - right.yaml\n")
        assert str(refusal(path)).startswith(
            f"{path}:4:5: set of states S is defined by two included files, found {left}:1:10 and {right}:1:10"
        )
        path = write(tmp_path, "target: A\ninclude: left.yaml\nstates:\n  S: {Y: 1}\n")
        assert f"{path}:4:3: set of states S is defined twice, found the first at {left}:1:10" in str(refusal(path))

    @pytest.mark.parametrize(
        ("include", "wrong", "column"),
        [
            ("nowhere.yaml", "no such file", 10),
            ("[states.yaml, nowhere.yaml]", "no such file", 24),
            ("other.yaml", "a file with a target (OTHER) cannot be included", 10),
            ("defs.yaml", "include each other in a circle", 10),
            (".", "no such file", 10),
            ("/dev/zero", "no such file", 10),
            ('"\\0"', "no such file", 10),
            ("x" * 5000, "no such file", 10),
            ("{a: b}", "include must be a list", 10),
            ("[[a]]", "a file to include must be a name", 11),
            ("", "must be a name", 10),
        ],
    )
    def test_what_cannot_be_included_is_refused(self, tmp_path: Path, include: str, wrong: str, column: int) -> None:
        write(tmp_path, "states: {S: {X: 1}}\n", "states.yaml")
        write(tmp_path, "target: OTHER\n", "other.yaml")
        error = refusal(write(tmp_path, f"target: A\ninclude: {include} \n"))
        assert wrong in str(error)
        assert error.source is not None
        assert (error.source.file, error.source.line) == (str(tmp_path / "defs.yaml"), 2)
        assert error.source.column >= column or not include

    def test_a_circle_of_files_is_told_where_it_closes(self, tmp_path: Path) -> None:
        write(tmp_path, "include: b.yaml\n", "a.yaml")
        b = write(tmp_path, "include: a.yaml\n", "b.yaml")
        error = refusal(write(tmp_path, "target: A\ninclude: a.yaml\n"))
        assert str(error).startswith(f"{b}:1:10: files include each other in a circle")

    def test_what_goes_wrong_late_in_an_included_header_is_told(self, tmp_path: Path) -> None:
        common = (
            "headers:\n  H: {items: {A: u8}, trailer: {CRC: u16}}\n  T: {items: {A: u8, B: {type: u8, scale: 0}}}\n"
        )
        header = write(tmp_path, common, "common.yaml")
        packet = "target: SAT\ninclude: common.yaml\npackets: {P: {extends: H, items: {CRC: u8}}}\n"
        path = write(tmp_path, packet)
        assert str(refusal(path)) == (
            f"{header}:2:33: CRC stands twice, found the first at {path}:3:35; rename one of the two"
        )

    def test_files_in_files_have_a_bound(self, tmp_path: Path) -> None:
        for number in range(400):
            write(tmp_path, f"include: f{number + 1}.yaml\n", f"f{number}.yaml")
        assert "too deep" in str(refusal(write(tmp_path, "target: A\ninclude: f0.yaml\n")))

    def test_a_broken_file_is_reported_once_and_not_all_that_needs_it(self, tmp_path: Path) -> None:
        broken = write(tmp_path, "headers: {H: {items: {A: u8}}\n", "common.yaml")
        files = [
            write(tmp_path, "target: A\ninclude: common.yaml\npackets: {P: {extends: H}}\n", f"{name}.yaml")
            for name in "abc"
        ]
        error = refusal(*files)
        assert error.others == ()
        assert error.source is not None
        assert error.source.file == str(broken)


class TestManyProblems:
    def test_all_that_is_wrong_is_told_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            """
            target: SAT
            headers:
              H: {items: {APID: u11x}}
            conversions:
              C: {polynomial: []}
            packets:
              A:
                extends: H
                items: {X: u8}
              B:
                items:
                  X: u99
                  Y: {type: u8, conversion: C}
                  Z: {type: u8, unit: V}
              C: {items: {X: {type: u8, only_if: {W: 1}}, W: u8}, extends: NOBODY}
            commands:
              D: {fixed: {X: 1}}
            """,
        )
        error = refusal(path)
        lines = str(error).splitlines()
        assert [line.removeprefix(f"{path}:").split(":")[0] for line in lines] == ["3", "5", "12", "14", "15", "17"]
        assert [str(other) for other in error.others] == lines[1:]

    def test_a_file_that_is_wrong_all_over_is_told_in_a_screen(self, tmp_path: Path) -> None:
        path = write(
            tmp_path, "target: A\npackets:\n  P:\n    items:\n" + "".join(f"      A{n}: x8\n" for n in range(500))
        )
        error = refusal(path)
        assert len(error.others) == 499
        assert str(error).splitlines()[-1] == "... and 449 more"


class TestHash:
    def test_it_does_not_depend_on_files_order_or_formatting(self, tmp_path: Path) -> None:
        headers = "headers: {H: {identify: {A: 1}, items: {A: u8, B: u16}}}\n"
        packets = {
            "P": "{extends: H, identify: {B: 2}, items: {C: {type: u8, states: {OFF: 0, ON: 1}}}}",
            "Q": "{extends: H, identify: {B: 3}, items: {C: {type: u8, limits: {red_low: 1, red_high: 2}}}}",
        }
        one = "target: SAT\n" + headers + "packets:\n" + "".join(f"  {key}: {body}\n" for key, body in packets.items())
        hashes = {Dictionary.load(write(tmp_path, one, "one/all.yaml"))["SAT"].hash}
        for order in itertools.permutations(packets):
            folder = f"split-{'-'.join(order)}"
            write(tmp_path, headers, f"{folder}/common.yaml")
            for number, key in enumerate(order):
                text = f"target: SAT\ninclude: common.yaml\npackets:\n\n    {key}:   {packets[key]}   # a comment\n"
                write(tmp_path, text, f"{folder}/{number}.yaml")
            hashes.add(Dictionary.load(tmp_path / folder)["SAT"].hash)
        block = """
            packets:
                "Q":
                    items:
                        'C':
                            limits: {red_high: 0x2, red_low: 1.0}
                            type: "u8"
                    identify: {B: 0b11, A: 1}
                    extends: H
                P:
                    items: {C: {states: {"ON": 1, "OFF": 0..0}, type: u8}}
                    identify: {B: 2}
                    extends: H
            headers: {H: {items: {A: u8, B: u16}, identify: {A: 0x01}}}
            target: SAT
        """
        hashes.add(Dictionary.load(write(tmp_path, block, "block.yaml"))["SAT"].hash)
        crlf = tmp_path / "crlf.yaml"
        crlf.write_bytes(b"\xef\xbb\xbf" + one.replace("\n", "\r\n").encode())
        hashes.add(Dictionary.load(crlf)["SAT"].hash)
        assert len(hashes) == 1

    @pytest.mark.parametrize(
        "changed",
        [
            "target: SAT2\npackets: {P: {items: {A: u8, B: u8}}}\n",
            "target: SAT\npackets: {Q: {items: {A: u8, B: u8}}}\n",
            "target: SAT\npackets: {P: {items: {B: u8, A: u8}}}\n",
            "target: SAT\npackets: {P: {items: {A: u8, B: i8}}}\n",
            "target: SAT\npackets: {P: {items: {A: u8, B: {type: u8, units: V}}}}\n",
            "target: SAT\npackets: {P: {items: {A: u8, B: u8}, overlaps: true}}\n",
            "target: SAT\npackets: {P: {items: {A: u8, B: u8}}}\ncommands: {C: {}}\n",
        ],
    )
    def test_it_depends_on_what_is_defined(self, tmp_path: Path, changed: str) -> None:
        one = "target: SAT\npackets: {P: {items: {A: u8, B: u8}}}\n"
        before, after = (Dictionary.load(write(tmp_path, text, "x.yaml")) for text in (one, changed))
        assert set(before.hashes.values()).isdisjoint(after.hashes.values())
        assert before != after

    def test_equal_dictionaries_are_equal_wherever_they_came_from(self, tmp_path: Path) -> None:
        a, b = (Dictionary.load(write(tmp_path, ONE, f"{name}.yaml")) for name in "ab")
        assert a == b
        assert hash(a) == hash(b)


class TestCsv:
    TABLE = "name,data_type,bit_length\nA,uint,8\nB,uint,16\n"

    def test_a_lone_csv_is_one_packet_that_any_bytes_match(self, tmp_path: Path) -> None:
        dictionary = Dictionary.load(write(tmp_path, self.TABLE, "my table_v1.2.csv"))
        target = dictionary["MY-TABLE-V1-2"]
        (packet,) = target.packets
        assert packet.name == "MY_TABLE_V1_2"
        assert packet.identification == ()
        assert packet.overlaps
        assert [item.name for item in packet.items] == ["A", "B"]

    @pytest.mark.parametrize("name", ["__.csv", "é.csv", f"{'long' * 20}.CSV"])
    def test_any_file_name_gives_a_target_a_name(self, tmp_path: Path, name: str) -> None:
        (target,) = Dictionary.load(write(tmp_path, self.TABLE, name)).targets
        assert 1 <= len(target.name) <= 40
        assert target.name.replace("-", "").isalnum()

    def test_choices_that_were_made_are_noted(self, tmp_path: Path) -> None:
        path = write(tmp_path, "name,data_type,bit_offset,bit_length\nA,uint,0,8\nB,uint(2),8,16\n", "t.csv")
        assumed, told = Dictionary.load(path), Dictionary.load(path, offsets_from="packet")
        assert [item.bit_offset for item in assumed["T"].packets[0].items] == [48, 56]
        assert any("offsets" in note for note in assumed.notes)
        assert [item.bit_offset for item in told["T"].packets[0].items] == [0, 8]
        assert told["T"].packets[0].items[1].length == Fixed((2,))

    def test_several_csv_files_are_several_targets(self, tmp_path: Path) -> None:
        files = [write(tmp_path, self.TABLE, f"{name}.csv") for name in ("b", "a")]
        assert list(Dictionary.load([*files, write(tmp_path, ONE)])) == ["A", "B", "ONE"]

    def test_a_csv_that_is_wrong_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = write(tmp_path, "name,data_type,bit_length\nA,uint,8\nB,uint,nine\n", "t.csv")
        error = refusal(path)
        assert error.source is not None
        assert (error.source.file, error.source.line) == (str(path), 3)


def test_ten_thousand_items_in_shuffled_files_are_the_same_dictionary(tmp_path: Path) -> None:
    shuffled = random.Random(7)
    packets = [
        f"  P{number}: {{items: {{{', '.join(f'I{k}: u{shuffled.randint(1, 64)}' for k in range(100))}}}}}\n"
        for number in range(100)
    ]
    hashes = set()
    for order in ("sorted", "shuffled"):
        for number in range(10):
            text = "target: BIG\npackets:\n" + "".join(packets[number::10])
            write(tmp_path, text, f"{order}/{number if order == 'sorted' else 9 - number}.yaml")
        hashes.add(Dictionary.load(tmp_path / order)["BIG"].hash)
    assert len(hashes) == 1
