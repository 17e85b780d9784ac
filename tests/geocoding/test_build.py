"""The index is written all or nothing and knows whether it is current."""

import sqlite3

import pytest

from registry.geocoding import build


def test_an_index_is_current_until_its_sources_change(gazetteer_path, monkeypatch):
    assert build.is_current(gazetteer_path)
    monkeypatch.setattr(build, "version", lambda package: "0")
    assert not build.is_current(gazetteer_path)


def test_what_is_no_index_is_not_current(tmp_path):
    assert not build.is_current(tmp_path / "none")
    (tmp_path / "broken").write_bytes(b"not a database" * 100)
    assert not build.is_current(tmp_path / "broken")
    sqlite3.connect(tmp_path / "empty").close()
    assert not build.is_current(tmp_path / "empty")


def test_a_build_that_fails_leaves_the_old_index_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "gazetteer.sqlite3"
    path.write_bytes(b"the old one")

    def fail(db, progress):
        raise OSError("disk full")

    monkeypatch.setattr(build, "_fill", fail)
    with pytest.raises(OSError, match="disk full"):
        build.build_index(path)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]
