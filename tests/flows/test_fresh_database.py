"""The empty database of a private server is kept once, copied into each next home, and dropped where it does no good."""

import sqlite3
from contextlib import closing

from hysteron.flows import fresh_database


def tables_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]


def test_it_is_kept_once_and_laid_into_the_next_home(own_home, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    fresh_database.lay_in(first)
    assert list(first.iterdir()) == [], "the first server makes its own"
    with closing(sqlite3.connect(first / fresh_database.NAME)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE flow_run (id)")
        fresh_database.keep(first)
        connection.execute("CREATE TABLE later (id)")
        connection.commit()
    fresh_database.keep(first)
    fresh_database.lay_in(second)
    assert tables_of(second / fresh_database.NAME) == ["flow_run"]
    fresh_database.drop()
    assert not fresh_database.kept().exists()


def test_a_home_without_a_database_is_no_harm(own_home, tmp_path):
    fresh_database.keep(tmp_path / "nowhere")
    assert list(fresh_database.kept().parent.iterdir()) == []
