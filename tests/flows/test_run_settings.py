"""Preset, file and options, in this order of authority."""

import pytest
from hysteron.core.errors import InputError, SettingsError
from hysteron.flows.run_settings import from_stored, presets, resolve, seconds


def write(tmp_path, text):
    path = tmp_path / "RUN.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("12", 12), ("0.5m", 30)]
)
def test_wall_times(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "five", "5 weeks", "-3"])
def test_what_is_no_wall_time_is_refused(text):
    with pytest.raises(ValueError, match="time"):
        seconds(text)


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_complete_and_its_components_accept_their_settings(name):
    from hysteron.flows import toolbox

    settings = resolve(options={"preset": name})
    assert settings.screen[0].name == "stability"
    for table in settings.screen:
        assert toolbox.screen(table).name == table.name
    for table in settings.generator:
        assert toolbox.generator(table).name == table.name


def test_options_override_the_file_and_the_file_the_preset(tmp_path):
    path = write(tmp_path, '[run]\nseed = 4\nbudget = "1m"\npreset = "ferroelectric"\n[rank]\ntop = 3\n')
    settings = resolve(path, {"seed": 7})
    assert (settings.run.seed, settings.run.budget, settings.run.preset) == (7, "1m", "ferroelectric")
    assert settings.rank.top == 3
    assert settings.generator[0].settings == {"polar_only": True}


def test_entries_of_a_list_are_merged_by_name(tmp_path):
    path = write(tmp_path, '[[screen]]\nname = "stability"\nenergy_above_hull_max = 0.05\n')
    settings = resolve(path)
    by_name = {table.name: table.settings for table in settings.screen}
    assert by_name["stability"] == {"energy_above_hull_max": 0.05}
    assert "ferroelectric" in by_name


def test_a_generator_of_the_preset_is_left_out_by_a_share_of_nothing(tmp_path):
    text = '[[generator]]\nname = "substitution"\nshare = 0\n'
    settings = resolve(write(tmp_path, text))
    assert {t.name: t.share for t in settings.generator} == {"substitution": 0, "tokens": 1}
    with pytest.raises(SettingsError, match="nobody proposes"):
        resolve(write(tmp_path, text + '[[generator]]\nname = "tokens"\nshare = 0\n'))


def test_fixed_work_excludes_a_budget():
    assert resolve(options={"relaxations": 40}).budget_seconds is None
    with pytest.raises(SettingsError, match="exclude each other"):
        resolve(options={"relaxations": 40, "budget": "5m"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[runs]\nseed = 1\n", r"no table \[runs\]"),
        ("[run]\nsed = 1\n", "Did you mean 'seed'"),
        ('[run]\nbudget = "soon"\n', "not a wall time"),
        ("[[generator]]\nshare = 1\n", "with a name in each"),
        ("run = 3\n", "is a table"),
        ('[export]\nformats = ["vaps"]\n', "Did you mean 'vasp'"),
        ("[export]\ntopp = 3\n", "no key 'topp'"),
        ("[export.gpaww]\ncutoff_ev = 300\n", "Did you mean 'gpaw'"),
        ("[export.gpaw]\ncutoff = 300\n", "cutoff_ev"),
    ],
)
def test_bad_files_are_sentences(tmp_path, text, says):
    with pytest.raises(SettingsError, match=says):
        resolve(write(tmp_path, text))


def test_formats_take_settings_of_their_own(tmp_path):
    text = '[export]\nformats = ["gpaw", "atomate2"]\ntop = 3\n[export.gpaw]\ncutoff_ev = 500\n'
    export = resolve(write(tmp_path, text)).export
    assert (export.formats, export.top) == (("gpaw", "atomate2"), 3)
    assert export.settings == {"gpaw": {"cutoff_ev": 500}}


def test_an_unknown_preset_proposes_the_nearest():
    with pytest.raises(SettingsError, match="Did you mean 'ferroelectric'"):
        resolve(options={"preset": "feroelectric"})


def test_stored_settings_come_back_equal():
    settings = resolve(options={"preset": "ferroelectric", "relaxations": 5})
    assert from_stored(settings.model_dump(mode="json")) == settings


def test_the_potential_table_reaches_the_relaxer(tmp_path):
    from hysteron.flows import toolbox

    path = write(
        tmp_path, '[potential]\nmethod = "fire"\nsymmetry = true\npressure_gpa = 5\ncell = "volume"\n'
    )
    settings = toolbox.relaxer(resolve(path).potential).settings
    assert (settings.method, settings.symmetry, settings.pressure_gpa, settings.cell) == (
        "fire", True, 5, "volume",
    )  # fmt: skip
    plain = toolbox.relaxer(resolve().potential)
    assert plain.version == "bfgs-springs fmax=0.05 steps=300"
    with pytest.raises(SettingsError, match="method"):
        resolve(write(tmp_path, '[potential]\nmethod = "newton"\n'))


def test_a_second_opinion_may_be_a_family_with_its_model(tmp_path):
    path = tmp_path / "RUN.toml"
    path.write_text('[potential]\nsecond_opinion = "sevennet-0"\n')
    assert resolve(path).potential.second_opinion == "sevennet-0"
    path.write_text('[potential]\nsecond_opinion = "sevenet-0"\n')
    with pytest.raises(SettingsError, match="sevennet-0"):
        resolve(path)


def test_a_question_becomes_a_plan_that_is_kept(tmp_path):
    path = write(tmp_path, '[run]\nquestion = "the 5 lead-free polar oxides with the largest band gap"\n')
    settings = resolve(path)
    assert settings.plan is not None
    assert settings.plan.filter.startswith('NOT elements HAS "Pb"')
    assert (settings.plan.sort, settings.plan.limit) == ("-band_gap", 5)
    assert any("polar" in sentence for sentence in settings.plan.assumptions)
    assert from_stored(settings.model_dump(mode="json")) == settings
    assert resolve().plan is None


@pytest.mark.parametrize(
    ("question", "says"),
    [("cheap oxides", "'cheap'"), ("synthesis of LiFePO4", "starts from known materials")],
)
def test_a_question_that_no_run_can_start_from_is_refused(tmp_path, question, says):
    with pytest.raises(InputError, match=says):
        resolve(write(tmp_path, f'[run]\nquestion = "{question}"\n'))


def test_a_plan_is_not_for_the_user_to_write(tmp_path):
    with pytest.raises(SettingsError, match=r"no table \[plan\]"):
        resolve(write(tmp_path, '[plan]\nfilter = "nsites > 0"\n'))


@pytest.mark.parametrize(
    "path", ["postgresql://me:s3cret@host/candidates", "postgresql://me@host/candidates?password=s3cret"]
)
def test_no_password_is_kept_in_a_source(tmp_path, path):
    with pytest.raises(SettingsError, match="no password belongs into an address") as caught:
        resolve(write(tmp_path, f'[[source]]\nname = "store"\npath = "{path}"\n'))
    assert "s3cret" not in str(caught.value)


def test_a_source_may_be_an_address_without_a_password(tmp_path):
    text = '[[source]]\nname = "store"\npath = "postgresql://me@host/candidates"\n'
    assert resolve(write(tmp_path, text)).source[-1].path == "postgresql://me@host/candidates"
