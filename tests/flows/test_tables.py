"""Tables by potential: which one a run gets, which ones there are, and how one is built from the command line."""

import pytest
from hysteron.core.errors import MissingDataError, SettingsError
from hysteron.core.lines import read_lines
from hysteron.flows import launch, tables, toolbox
from hysteron.flows.progress import Silent
from hysteron.predictors.hull.records import RELAXED
from hysteron.predictors.hull.table import TABLE, PhaseTable
from hysteron.screening.ferroelectric.charges import TABLE as CHARGES
from hysteron.screening.ferroelectric.charges import read_model
from toy_crystals import crystals_in


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A home of its own, and five crystals for data."""
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    crystals_in(tmp_path)
    toolbox.read_hull.cache_clear()
    yield tmp_path
    toolbox.read_hull.cache_clear()


def test_a_run_with_another_potential_is_told_how_to_make_its_table(rooms):
    assert toolbox.hull().potential_name == toolbox.potential("chgnet").name
    with pytest.raises(MissingDataError, match="'hysteron data build hull --potential other-1' makes one"):
        toolbox.hull("other-1")
    with pytest.raises(MissingDataError, match="--potential other-1"):
        launch.versions("other-1")
    assert {"catalog.jsonl.gz", TABLE} < launch.versions("chgnet").keys()


def test_the_build_begins_with_the_shipped_table_and_then_wins_over_it(rooms):
    shipped = {p.material_id: p for p in PhaseTable.load().phases}
    card = tables.build_hull("chgnet", None, None, "1h", False, Silent())
    kept = [line for line in read_lines(rooms / "home/cache/hull" / RELAXED) if line.get("kept")]
    # the five toy crystals are not the phases of the same ids; the four textbook elements are
    assert {line["id"] for line in kept} == {i for i in shipped if i.startswith("textbook")}
    built = {p.material_id: p for p in PhaseTable.load().phases}
    assert card["phases"] == len(built) == 9
    assert all(built[line["id"]] == shipped[line["id"]] for line in kept)
    assert [t.place for t in tables.listed()] == ["shipped", "own", *["shipped"] * len(tables.FITTED)]
    (rooms / "home/data/hull-other-1.csv.gz").write_bytes(b"")
    assert [t.name for t in tables.listed()][:3] == ["catalog.jsonl.gz", "hull-other-1.csv.gz", TABLE]


def test_a_limit_that_is_no_time_is_refused(rooms):
    with pytest.raises(SettingsError, match="--limit: 'soon'"):
        tables.build_hull("chgnet", None, None, "soon", False, Silent())


def test_the_time_left_is_said_now_and_then(monkeypatch):
    class Heard(Silent):
        said = []

        def say(self, sentence):
            self.said.append(sentence)

    told = tables._Told(Heard())
    told("relaxed", 10, 100, None)
    told("relaxed", 20, 100, 4000.0)
    told("relaxed", 30, 100, 3000.0)
    monkeypatch.setattr(tables, "BETWEEN_ESTIMATES", 0.0)
    told("relaxed", 40, 100, 20.0)
    assert Heard.said == [
        "relaxed: 20 of 100; about 1 h 7 min left at this pace.",
        "relaxed: 40 of 100; about 1 min left at this pace.",
    ]


@pytest.mark.parametrize("build", [tables.build_charges, tables.build_polar_difference])
def test_tables_fitted_to_dft_need_the_pairs(build, monkeypatch, tmp_path):
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    with pytest.raises(MissingDataError, match="smidt2020"):
        build(tmp_path / "out")
    monkeypatch.delenv("HYSTERON_DATA_DIR")
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        build(None)


def test_own_effective_charges_win_over_the_shipped_ones(monkeypatch, tmp_path):
    """What `build_charges` writes to HYSTERON_HOME is what the screen reads."""
    from hysteron.core.settings import data_file

    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    shipped = data_file(CHARGES).read_text()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CHARGES).write_text(shipped.replace('"pairs": 182', '"pairs": 7'))
    assert '"pairs": 7' in data_file(CHARGES).read_text()
    assert read_model(data_file(CHARGES)).ions


def test_the_names_of_fitted_tables_are_those_their_readers_know():
    from hysteron.predictors.conduction.model import TABLE as CONDUCTION
    from hysteron.predictors.polar_difference import TABLE as DIFFERENCE
    from hysteron.predictors.vacancy_correction import TABLE as VACANCIES
    from hysteron.screening.defects.barrier_error import TABLE as BARRIERS
    from hysteron.screening.synapse.assumed_accuracy import TABLE as ACCURACY

    assert (CHARGES, DIFFERENCE, VACANCIES, BARRIERS, CONDUCTION, f"synapse/{ACCURACY}") == tables.FITTED
