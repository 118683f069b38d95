"""Text that is not a dictionary at all is refused with file, line and column."""

import subprocess
import sys
from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import DefinitionError

PACKETS = b"packets: {P: {items: {A: u8}}}\n"


def refusal(folder: Path, data: bytes) -> DefinitionError:
    path = folder / "defs.yaml"
    path.write_bytes(data)
    with pytest.raises(DefinitionError) as caught:
        Dictionary.load(path)
    assert caught.value.source is not None
    assert caught.value.source.file == str(path)
    return caught.value


@pytest.mark.parametrize(
    ("data", "line", "column", "wrong"),
    [
        (b"", 1, 1, "the file is empty"),
        (b"# nothing but a comment\n", 1, 1, "the file is empty"),
        (b"\xef\xbb\xbf", 1, 1, "the file is empty"),
        (b"target: A\npackets:\n\tP: {}\n", 3, 1, "indent with spaces"),
        (b"target: A\npackets: {P: {items: {A: u8}}\n", 3, 1, "brackets"),
        (b"target: A\npackets: {P: {items: {A: u8}}}}\n", 2, 31, "YAML syntax"),
        (b'target: "A\n', 2, 1, "quotes"),
        (b"target: A\n target: B\n", 2, 8, "indentation"),
        (b"target: @A\n", 1, 9, "in quotes"),
        (b"target: A\nunits: %\n", 2, 8, "in quotes"),
        (b"target: A\n--- \ntarget: B\n", 2, 1, "one document a file"),
        (b"target: A\nd\xc3\xa9: \xff\n", 2, 5, "byte 0xff; save the file as UTF-8"),
        ("target: Ä\n".encode("utf-16"), 1, 1, "not UTF-8"),
        (b"target: A\ndescription: \xc3\xa9\x07\n", 2, 15, "control characters are not allowed"),
        (b"target: A\ntarget: B\n", 2, 1, "target stands twice in a dictionary file"),
        (b"target: A\n? [x]\n: y\n", 2, 3, "must be a name"),
        (b"target: A\n<<: {packets: {}}\n", 2, 1, "has no '<<'"),
        (b"[target, A]\n", 1, 1, "must be a mapping"),
        (b"target\n", 1, 1, "must be a mapping"),
        (b"target: A\npackets: &p {P: {items: {A: u8}}}\n", 2, 10, "anchors and aliases are not part of the format"),
        (b"target: A\nstates: {X: {a: 1}}\nlimits: *x\n", 3, 9, "share what stands twice by a name"),
        (b"target: A\npackets: {P: {items: {A: !int u8}}}\n", 2, 26, "tags are not part of the format"),
        (b"target: A\npackets: {P: {items: {A: !!str u8}}}\n", 2, 26, "tags are not part of the format"),
        (b"target: A\npacket: {}\n", 2, 1, "did you mean packets"),
        (b"target: A\npackets: 5\n", 2, 10, "packets must be a mapping, expected name: value pairs, found '5'"),
        (b"target: A\npackets:\n", 2, 9, "found nothing"),
        (b"target: A\npackets: {P: }\n", 2, 14, "found nothing"),
    ],
)
def test_it_is_refused_where_it_goes_wrong(tmp_path: Path, data: bytes, line: int, column: int, wrong: str) -> None:
    error = refusal(tmp_path, data)
    assert wrong in str(error)
    assert error.source is not None
    assert (error.source.line, error.source.column) == (line, column)
    assert str(error).startswith(f"{tmp_path / 'defs.yaml'}:{line}:{column}: ")


@pytest.mark.parametrize(
    "description",
    ["C&DH & EPS", "5 * 3 *", "Stop!", "a !b", "'*quoted'", '"&quoted !x"', "| \n  *block*\n  &text !tag"],
)
def test_text_may_hold_what_yaml_uses_for_anchors_and_tags(tmp_path: Path, description: str) -> None:
    path = tmp_path / "defs.yaml"
    path.write_bytes(b"target: A\ndescription: " + description.encode() + b"\n" + PACKETS)
    assert len(Dictionary.load(path)["A"].packets) == 1


def test_a_small_file_cannot_become_a_large_dictionary(tmp_path: Path) -> None:
    laughs = "target: A\nstates:\n  a0: &a0 {X: 1}\n"
    for number in range(1, 30):
        laughs += f"  a{number}: &a{number} [*a{number - 1}, *a{number - 1}]\n"
    assert "anchors" in str(refusal(tmp_path, laughs.encode()))


@pytest.mark.parametrize("bracket", [b"[", b"{", b"[{a: ", b"- ", b"? "])
def test_deep_nesting_is_refused_and_not_a_crash(tmp_path: Path, bracket: bytes) -> None:
    error = refusal(tmp_path, b"target: A\npackets: " + bracket * 100_000)
    assert error.source is not None
    assert error.source.line >= 1


def test_what_is_quoted_in_errors_is_cut(tmp_path: Path) -> None:
    long = b"x" * 100_000
    for data in (
        b"target: " + long,
        b"target: A\n? " + long + b"\n: 1\n",
        b"target: A\npackets:\n  P:\n    items:\n      A: " + long,
        b"target: A\npackets:\n  P:\n    items:\n      A: {type: u8, states: {B: " + long + b"}}",
        b"target: A\npackets: {P: {items: {A: u8, ? " + long + b"\n : u8}}}",
    ):
        assert len(str(refusal(tmp_path, data))) < 2_000


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    target = tmp_path / "gone.yaml"
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DefinitionError, match=r"gone\.yaml: no such file"):
        Dictionary.load(target)


def test_a_file_that_resists_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "defs.yaml"
    path.write_bytes(b"target: A\n")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DefinitionError, match=r"defs\.yaml:1:1: cannot be read: Permission denied"):
        Dictionary.load(path)


def test_without_the_c_parser_everything_is_the_same(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    script = """
import sys, yaml
yaml.__with_libyaml__ = sys.argv[1] == "c"
from c2kit.dictionaries import Dictionary
from c2kit.dictionaries.yaml import text
from c2kit.errors import DefinitionError
assert issubclass(text._Composer, yaml.CSafeLoader if sys.argv[1] == "c" else yaml.SafeLoader)
print(Dictionary.load(sys.argv[2]).hashes)
for text in ("", "a: &a 1", "target: A\\npackets: {P: {items: {A: u99}}}", "- " * 1000, "target: A\\n\\tb: 1"):
    with open("defs.yaml", "w") as file:
        file.write(text)
    try:
        Dictionary.load("defs.yaml")
    except DefinitionError as error:
        print(error.source)
"""
    told = [
        subprocess.run(
            [sys.executable, "-c", script, parser, str(root / "examples/dictionary")],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        ).stdout
        for parser in ("c", "python")
    ]
    assert told[0] == told[1]
    assert told[0].count("defs.yaml:") == 5
