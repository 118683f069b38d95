"""A folder generated again: what is c2kit's follows, what is the user's stays, and nothing is touched for nothing."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from c2kit.errors import UsageError
from c2kit.scaffold.lock import LOCK, read_lock
from c2kit.scaffold.tree import Change, Fate, Tree, changes_of, write

if TYPE_CHECKING:
    from pathlib import Path

TREE = Tree(
    c2kit="1.0",
    mission="firefly",
    description="d1",
    files={"base/a.yaml": b"a: 1\n", "base/b.yaml": b"b: 1\n", "README.md": b"read me\n"},
    once={"settings.yaml": b"mesh: none\n", "overlays/local/kustomization.yaml": b"resources: []\n"},
)
AGAIN = evolve(TREE, files={"base/a.yaml": b"a: 2\n", "README.md": b"read me\n", "base/c.yaml": b"c: 1\n"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that was generated."""
    write(tmp_path / "deploy", changes_of(tmp_path / "deploy", TREE))
    return tmp_path / "deploy"


def fates(folder: Path, tree: Tree) -> dict[str, str]:
    return {change.path: change.fate.value for change in changes_of(folder, tree).changes}


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Of each file and folder, which it is and when it was changed."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder, *folder.rglob("*"))}


def test_a_new_folder_gets_all_files_and_the_lock(folder: Path) -> None:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*TREE.files, *TREE.once, LOCK}
    lock = read_lock(folder)
    assert lock is not None
    assert set(lock.files) == set(TREE.files)
    assert set(lock.once) == set(TREE.once)


def test_the_same_again_changes_nothing(folder: Path) -> None:
    before = state(folder)
    assert not changes_of(folder, TREE)
    assert state(folder) == before


def test_what_nobody_edited_follows(folder: Path) -> None:
    changes = changes_of(folder, AGAIN)
    assert fates(folder, AGAIN) == {"base/a.yaml": "changed", "base/b.yaml": "removed", "base/c.yaml": "added"}
    write(folder, changes)
    assert (folder / "base/a.yaml").read_bytes() == b"a: 2\n"
    assert not (folder / "base/b.yaml").exists()
    assert not changes_of(folder, AGAIN)


def test_what_somebody_edited_is_told_with_the_difference_and_not_overwritten_without_being_asked(folder: Path) -> None:
    (folder / "base/a.yaml").write_bytes(b"a: 1\nmine: true\n")
    changes = changes_of(folder, AGAIN)
    (refused,) = changes.of(Fate.REFUSED)
    assert refused.diff() == "--- a/base/a.yaml\n+++ b/base/a.yaml\n@@ -1,2 +1 @@\n-a: 1\n-mine: true\n+a: 2\n"
    write(folder, changes)
    assert (folder / "base/a.yaml").read_bytes() == b"a: 2\n"


def test_an_edit_is_refused_also_where_nothing_else_has_changed(folder: Path) -> None:
    (folder / "README.md").write_bytes(b"mine\n")
    assert fates(folder, TREE) == {"README.md": "edited"}


def test_an_edit_to_what_would_be_generated_is_none(folder: Path) -> None:
    (folder / "base/a.yaml").write_bytes(b"a: 2\n")
    assert "base/a.yaml" not in fates(folder, AGAIN)
    write(folder, changes_of(folder, AGAIN))
    assert not changes_of(folder, AGAIN)


def test_an_edited_file_that_is_no_longer_generated_stays_and_is_the_users(folder: Path) -> None:
    (folder / "base/b.yaml").write_bytes(b"mine\n")
    changes = changes_of(folder, AGAIN)
    assert [change.path for change in changes.of(Fate.KEPT)] == ["base/b.yaml"]
    write(folder, changes)
    assert (folder / "base/b.yaml").read_bytes() == b"mine\n"
    assert not changes_of(folder, AGAIN)


def test_a_file_of_the_user_in_the_place_of_a_new_one_is_not_overwritten_without_being_asked(folder: Path) -> None:
    (folder / "base/c.yaml").write_bytes(b"mine\n")
    assert fates(folder, AGAIN)["base/c.yaml"] == "edited"


def test_a_generated_file_that_was_deleted_comes_back(folder: Path) -> None:
    (folder / "base/a.yaml").unlink()
    assert fates(folder, TREE) == {"base/a.yaml": "added"}


def test_what_is_made_once_is_never_touched_again_whether_edited_or_deleted(folder: Path) -> None:
    (folder / "settings.yaml").write_bytes(b"mesh: sidecar\n")
    (folder / "overlays/local/kustomization.yaml").unlink()
    once = {path: data + b"# more\n" for path, data in TREE.once.items()}
    later = evolve(TREE, once={**once, "overlays/production/kustomization.yaml": b"new\n"})
    assert fates(folder, later) == {"overlays/production/kustomization.yaml": "added"}


def test_settings_that_were_deleted_come_back_since_nothing_goes_without_them(folder: Path) -> None:
    (folder / "settings.yaml").unlink()
    assert fates(folder, TREE) == {"settings.yaml": "added"}


def test_a_topic_keeps_its_partitions_also_while_it_is_generated_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "deploy"
    write(folder, changes_of(folder, evolve(TREE, partitions={"m.a": 1, "m.b": 2})))
    write(folder, changes_of(folder, evolve(TREE, partitions={"m.b": 2, "m.new": 5})))
    before = state(folder)
    for other in ({"m.a": 2}, {"m.b": 1}, {"m.a": 1, "m.b": 2, "m.new": 4}):
        with pytest.raises(UsageError, match=r"another number of partitions, .* nothing was written, expected m"):
            changes_of(folder, evolve(AGAIN, partitions=other))
    with pytest.raises(
        UsageError, match=r"expected m\.a: 1, m\.new: 5, found m\.a: 3, m\.new: 6; compose the mission as"
    ):
        changes_of(folder, evolve(TREE, partitions={"m.new": 6, "m.b": 2, "m.a": 3}))
    assert state(folder) == before
    write(folder, changes_of(folder, evolve(AGAIN, partitions={"m.a": 1, "m.b": 2, "m.new": 5})))


def test_files_of_the_user_stay(folder: Path) -> None:
    (folder / "images/wheels").mkdir(parents=True)
    (folder / "images/wheels/own.whl").write_bytes(b"wheel")
    assert not changes_of(folder, TREE)
    write(folder, changes_of(folder, AGAIN))
    assert (folder / "images/wheels/own.whl").read_bytes() == b"wheel"


def test_another_version_that_makes_the_same_is_noted_in_the_lock_alone(folder: Path) -> None:
    changes = changes_of(folder, evolve(TREE, c2kit="1.1"))
    assert changes
    assert changes.changes == ()


def test_settings_may_be_there_before_anything_else_is(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_bytes(b"mesh: sidecar\n")
    assert "settings.yaml" not in fates(tmp_path, TREE)
    write(tmp_path, changes_of(tmp_path, TREE))
    assert (tmp_path / "settings.yaml").read_bytes() == b"mesh: sidecar\n"
    assert not changes_of(tmp_path, TREE)


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert fates(other, TREE)
    (other / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"is not one that c2kit made, .* found thesis\.tex; give another folder"):
        changes_of(other, TREE)
    with pytest.raises(UsageError, match="holds another mission, expected hornet, found firefly"):
        changes_of(folder, evolve(TREE, mission="hornet"))
    with pytest.raises(UsageError, match="expected a folder"):
        changes_of(other / "thesis.tex", TREE)


def test_what_is_in_the_way_is_refused(folder: Path) -> None:
    (folder / "base/c.yaml").mkdir()
    with pytest.raises(UsageError, match=r"base/c\.yaml is in the way of a file"):
        changes_of(folder, AGAIN)
    (folder / "base/c.yaml").rmdir()
    (folder / "base").rename(folder.parent / "elsewhere")
    (folder / "base").symlink_to(folder.parent / "elsewhere")
    with pytest.raises(UsageError, match="base is in the way of a folder that c2kit makes, found a link"):
        changes_of(folder, AGAIN)


@pytest.mark.parametrize(
    ("old", "new"), [(b"a\nb\nc\n", b"a\nB\nc\n"), (b"a\nb", b"a\nc\n"), (b"a\n", b"a"), (b"a\n", None), (None, b"a\n")]
)
def test_a_diff_is_one_that_patch_takes(tmp_path: Path, old: bytes | None, new: bytes | None) -> None:
    if old is not None:
        (tmp_path / "f").write_bytes(old)
    diff = Change(path="f", fate=Fate.CHANGED, old=old, new=new).diff()
    subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=tmp_path, check=True, capture_output=True)  # noqa: S607
    assert ((tmp_path / "f").read_bytes() if (tmp_path / "f").exists() else None) == new


def test_what_is_no_text_has_no_diff() -> None:
    assert Change(path="f", fate=Fate.CHANGED, old=b"\xff", new=b"a").diff() == "f differs, and is no text\n"
