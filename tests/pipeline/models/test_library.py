from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models import command, downloads, library
from sutradhar.pipeline.models.folder import FORMS, forms_of
from sutradhar.pipeline.models.form import Release
from tests.pipeline.models.test_content import make_mlx

CT2_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub answers, and its cache is empty."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", UNREACHABLE)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path))
    monkeypatch.setattr(library, "CLONE", tmp_path)  # has no models of its own


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names or CT2_FILES:
        (folder / name).write_text("x")
    if any(name.startswith("weights.") for name in names):
        make_mlx(folder)
    return folder


@pytest.mark.parametrize(
    ("names", "forms"),
    [
        (CT2_FILES, ["ct2"]),
        (("model.bin", "config.json", "tokenizer.json", "vocabulary.json", "README.md"), ["ct2"]),
        (("config.json", "weights.npz"), ["mlx"]),
        (("config.json", "weights.safetensors"), ["mlx"]),
        ((*CT2_FILES, "weights.npz"), ["ct2", "mlx"]),
        (("model.bin", "config.json", "tokenizer.json"), []),
        (("pytorch_model.bin", "config.json"), []),
        (("config.json", "model.safetensors"), ["hf"]),
        (("config.json", "model.safetensors.index.json"), ["hf"]),
    ],
)
def test_a_folders_form_is_told_by_its_files(names: tuple[str, ...], forms: list[str], tmp_path: Path) -> None:
    assert forms_of(make(tmp_path / "m", *names)) == forms


def test_every_release_is_pinned_to_a_commit() -> None:
    for name, form in FORMS.items():
        if name not in ("indictrans2", "hf"):  # commits that were not seen: the newest is taken, and written down
            releases = [release for release in form.releases.values() if not release.package]
            assert all(len(release.revision) == 40 for release in releases)


def test_every_package_is_pinned_by_version_and_hash() -> None:
    packages = [release.package for form in FORMS.values() for release in form.releases.values() if release.package]
    assert packages
    for package in packages:
        assert re.fullmatch(r"[a-z-]+==[\d.]+", package.requirement)
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)


def test_order_folder_then_name_with_form_then_name_then_hub_cache(tmp_path: Path) -> None:
    here = tmp_path / "models"

    def found(name: str = "base") -> Path:
        return library.resolve(name, "ct2", models_dir=here, offline=True).path

    release = FORMS["ct2"].releases["base"]
    cached = make(tmp_path / "hub-cache" / "models--Systran--faster-whisper-base" / "snapshots" / release.revision)
    assert found() == cached
    plain = make(here / "base")
    assert found() == plain
    suffixed = make(here / "base-ct2")
    assert found() == suffixed
    own = make(tmp_path / "elsewhere" / "base")
    assert found(str(own)) == own


def test_hub_cache_of_an_unpinned_model_gives_the_newest_commit(tmp_path: Path) -> None:
    repo = tmp_path / "hub-cache" / "models--someone--whisper"
    snapshot = make(repo / "snapshots" / "abc123")
    assert not library.is_at_hand("someone/whisper", "ct2", models_dir=tmp_path)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("abc123")
    found = library.resolve("someone/whisper", "ct2", models_dir=tmp_path, offline=True)
    assert (found.path, found.revision) == (snapshot, "abc123")


def test_a_folder_in_another_form_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path / "models" / "base", "config.json", "weights.npz")
    assert library.is_at_hand("base", "mlx", models_dir=tmp_path / "models")
    assert not library.is_at_hand("base", "ct2", models_dir=tmp_path / "models")


def test_an_alias_means_the_model_it_stands_for(tmp_path: Path) -> None:
    make(tmp_path / "large-v3-turbo")
    assert library.resolve("turbo", "ct2", models_dir=tmp_path, offline=True).name == "large-v3-turbo"


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = make(tmp_path / "mine" / "tuned")
    monkeypatch.chdir(tmp_path)
    assert library.resolve("mine/tuned", "ct2", models_dir=tmp_path, offline=True).path == own
    assert library.resolve("./mine/tuned", "ct2", models_dir=tmp_path, offline=True).path == own


def refusal(name: str, folder: Path, *, form: str = "ct2", offline: bool = False) -> str:
    with pytest.raises(UsageError) as error:
        library.check(name, form, models_dir=folder, offline=offline)
    return str(error.value)


def test_refuses_with_the_remedy(tmp_path: Path) -> None:
    here = tmp_path / "models"
    assert refusal("large-v3", here) == (
        "Model 'large-v3' is not in models/ and the hub cannot be reached."
        " Put its CTranslate2 folder there as models/large-v3-ct2 (or one for Hugging Face as models/large-v3), or fetch it where there is a network (./scripts/get-model.sh large-v3)"
    )
    assert refusal("someone/whisper-q4", here, form="mlx") == (
        "Model 'someone/whisper-q4' is not in models/ and the hub cannot be reached."
        " Put its MLX folder there as models/someone--whisper-q4-mlx"
        " (or one for Hugging Face or CTranslate2 as models/someone--whisper-q4),"
        " or fetch it where there is a network (./scripts/get-model.sh someone/whisper-q4 --form mlx)"
    )
    assert (
        "Put its MLX folder there as models/large-v3-q4-mlx (or one for Hugging Face or CTranslate2 as models/large-v3), or"
        in refusal("large-v3-q4", here, form="mlx")
    )
    make(here / "base")
    assert (
        refusal("large-v3", here)
        == "Model 'large-v3' is not in models/ and the hub cannot be reached. Put its CTranslate2 folder there as models/large-v3-ct2"
        " (or one for Hugging Face as models/large-v3), or use WHISPER_MODEL=base (--model base)"
    )
    assert "and OFFLINE is on." in refusal("large-v3", here, offline=True)
    assert "and OFFLINE is on." in refusal("someone/whisper", here, offline=True)


def test_refuses_a_typo_with_the_closest_name(tmp_path: Path) -> None:
    assert refusal("larg-v3", tmp_path) == "No model 'larg-v3': did you mean large-v3?"
    assert refusal("Turbo", tmp_path) == "No model 'Turbo': did you mean turbo?"
    make(tmp_path / "hindi-tuned")
    assert refusal("hindi_tuned", tmp_path) == "No model 'hindi_tuned': did you mean hindi-tuned?"
    assert "known are tiny, tiny.en, base" in refusal("qqq", tmp_path)


@pytest.mark.parametrize("form", ["ct2", "mlx"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            "base-q5",
            "quantised models are -q4 and -q8 (base-q4, base-q8), with WHISPER_BACKEND=mlx (--backend mlx); in full it is base",
        ),
        (
            "base-Q4",
            "quantised models are -q4 and -q8 (base-q4, base-q8), with WHISPER_BACKEND=mlx (--backend mlx); in full it is base",
        ),
        (
            "turbo-fp32",
            "quantised models are -q4 and -q8 (turbo-q4, turbo-q8), with WHISPER_BACKEND=mlx (--backend mlx); in full it is turbo",
        ),
        (
            "large-v3-4bit",
            "quantised models are -q4 and -q8 (large-v3-q4, large-v3-q8), with WHISPER_BACKEND=mlx (--backend mlx); in full it is large-v3",
        ),
        (
            "base-q4-mlx",
            "that is what its folder is called; the model is base-q4, with WHISPER_BACKEND=mlx (--backend mlx)",
        ),
        ("base-mlx", "that is what its folder is called; the model is base, with WHISPER_BACKEND=mlx (--backend mlx)"),
        (
            "large-v3-ct2",
            "that is what its folder is called; the model is large-v3, with WHISPER_BACKEND=whisperx (--backend whisperx)",
        ),
        (
            "tuned-mlx",
            "that is what its folder is called; the model is tuned, with WHISPER_BACKEND=mlx (--backend mlx)",
        ),
        (
            "tuned-q6",
            "quantised models are -q4 and -q8 (tuned-q4, tuned-q8), with WHISPER_BACKEND=mlx (--backend mlx); in full it is tuned",
        ),
    ],
)
def test_refuses_a_name_that_says_too_much_with_the_one_to_use(name: str, hint: str, form: str, tmp_path: Path) -> None:
    make(tmp_path / "tuned", "config.json", "model.safetensors")
    assert refusal(name, tmp_path, form=form) == f"No model '{name}': {hint}"


def test_refuses_a_form_that_the_hub_does_not_have(tmp_path: Path) -> None:
    assert refusal("large-v2", tmp_path, form="hf").startswith(
        "Model 'large-v2' has no hf form on the hub, only ct2, mlx;"
    )
    assert refusal("large-v2-q4", tmp_path) == (
        "Model 'large-v2-q4' has no CTranslate2 form: -q4 and -q8 are for MLX. Add WHISPER_BACKEND=mlx (--backend mlx), to get-model.sh --form mlx, or take large-v2"
    )


# --- Conversion


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str, int]]:
    """A converter that writes down what it is asked for; all downloads do so too."""
    asked: list[tuple[str, str, str, int]] = []

    def convert(target: Path, source: Path, form: str, bits: int) -> None:
        make(target, "config.json", "weights.safetensors")
        asked.append(("convert", target.name, source.name, bits))

    def fetch(target: Path, release: Release, form: str, say: object) -> None:
        make(target, *([names[0] for names in FORMS[form].files]))
        asked.append(("fetch", target.name, release.repo, 0))

    monkeypatch.setattr(downloads, "convert", convert)
    monkeypatch.setattr(downloads, "fetch_release", fetch)
    monkeypatch.setattr(
        downloads, "fetch_starter", lambda target, release, say: fetch(target, Release("starter"), "ct2", say)
    )
    monkeypatch.setattr(library, "can_convert", lambda form: form == "mlx")
    return asked


Asked = list[tuple[str, str, str, int]]


@pytest.mark.parametrize(
    ("here", "name", "hub", "asked"),
    [
        ({"base": "ct2"}, "base", False, [("convert", "base-mlx", "base", 0)]),
        ({"base": "ct2"}, "base", True, [("convert", "base-mlx", "base", 0)]),
        ({"base": "ct2"}, "base-q4", False, [("convert", "base-q4-mlx", "base", 4)]),
        ({"base": "ct2", "base-mlx": "mlx"}, "base-q8", False, [("convert", "base-q8-mlx", "base-mlx", 8)]),
        ({"large-v3-turbo": "ct2"}, "turbo-q4", True, [("convert", "large-v3-turbo-q4-mlx", "large-v3-turbo", 4)]),
        ({"mine": "hf"}, "mine", False, [("convert", "mine-mlx", "mine", 0)]),
        ({"mine-q4": "mlx"}, "mine-q4", False, []),
        ({}, "base", True, [("fetch", "base-mlx", "mlx-community/whisper-base-mlx", 0)]),
        ({}, "base", False, [("fetch", "base", "starter", 0), ("convert", "base-mlx", "base", 0)]),
        ({}, "base-q4", False, [("fetch", "base", "starter", 0), ("convert", "base-q4-mlx", "base", 4)]),
        ({}, "large-v3-q4", True, [("fetch", "large-v3-q4-mlx", "mlx-community/whisper-large-v3-mlx-4bit", 0)]),
        (
            {},
            "small-q8",
            True,
            [("fetch", "small-mlx", "mlx-community/whisper-small-mlx", 0), ("convert", "small-q8-mlx", "small-mlx", 8)],
        ),
        (
            {},
            "medium.en",
            True,
            [
                ("fetch", "medium.en", "Systran/faster-whisper-medium.en", 0),
                ("convert", "medium.en-mlx", "medium.en", 0),
            ],
        ),
        (
            {},
            "mlx-community/whisper-x-q4",
            True,
            [("fetch", "mlx-community--whisper-x-q4-mlx", "mlx-community/whisper-x-q4", 0)],
        ),
    ],
)
def test_a_model_is_converted_or_else_fetched(
    here: dict[str, str],
    name: str,
    hub: bool,
    asked: Asked,
    converter: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library, "_hub_answers", lambda: hub)
    folder = tmp_path / "models"
    for model, form in here.items():
        make(folder / model, *(names[0] for names in FORMS[form].files))
    told: list[str] = []
    library.check(name, "mlx", models_dir=folder, offline=False)
    assert converter == []
    found = library.resolve(name, "mlx", models_dir=folder, offline=False, say=told.append)
    assert converter == asked
    assert found.form == "mlx"
    assert forms_of(found.path) == ["mlx"]
    assert sum("this once" in line for line in told) == sum(step == "convert" for step, *_ in asked)
    assert library.check(name, "mlx", models_dir=folder, offline=True) == found


def test_a_hub_id_means_itself_whatever_it_ends_in(tmp_path: Path) -> None:
    repo = tmp_path / "hub-cache" / "models--someone--whisper"
    make(repo / "snapshots" / "abc123", "config.json", "weights.npz")
    make(repo / "refs", "main").joinpath("main").write_text("abc123")
    assert library.is_at_hand("someone/whisper", "mlx", models_dir=tmp_path)
    assert library.find_original("someone/whisper-q4", "mlx", models_dir=tmp_path) is None


@pytest.mark.parametrize(
    ("name", "fetched"),
    [
        ("indictrans2-indic-en-1B", ("fetch", "indictrans2-indic-en-1B", "ai4bharat/indictrans2-indic-en-1B", 0)),
        ("someone/finetuned", ("fetch", "someone--finetuned", "someone/finetuned", 0)),
    ],
)
def test_what_only_our_converter_makes_is_fetched_in_the_form_that_it_takes(
    name: str, fetched: tuple[str, str, str, int], converter: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "can_convert", lambda form: True)
    monkeypatch.setattr(library, "_hub_answers", lambda: True)
    library.resolve(name, "indictrans2-int8", models_dir=tmp_path, offline=False)
    assert converter == [fetched, ("convert", f"{fetched[1]}-indictrans2-int8", fetched[1], 0)]


def test_what_is_here_is_converted_offline_too(converter: Asked, tmp_path: Path) -> None:
    make(tmp_path / "base")
    assert library.is_at_hand("base-q4", "mlx", models_dir=tmp_path)
    assert not library.is_at_hand("small", "mlx", models_dir=tmp_path)
    assert library.check("base-q4", "mlx", models_dir=tmp_path, offline=True) is None
    assert library.resolve("base-q4", "mlx", models_dir=tmp_path, offline=True).path == tmp_path / "base-q4-mlx"
    assert "and OFFLINE is on." in refusal("small", tmp_path, form="mlx", offline=True)


def test_without_mlx_a_conversion_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "can_convert", lambda form: False)
    make(tmp_path / "base")
    assert not library.is_at_hand("base", "mlx", models_dir=tmp_path)
    message = "Model 'base-q4' has to be converted to its mlx form. MLX is not installed; run ./install-mlx.sh"
    assert refusal("base-q4", tmp_path, form="mlx") == message
    assert refusal("base-q4", tmp_path, form="mlx", offline=True) == message
    assert refusal("base-q4", tmp_path / "empty", form="mlx") == message  # of the starter
    monkeypatch.setattr(library, "_hub_answers", lambda: True)
    assert library.check("base", "mlx", models_dir=tmp_path, offline=False) is None  # it can be downloaded
    assert refusal("medium.en", tmp_path, form="mlx").startswith("Model 'medium.en' has to be converted")


def test_a_folder_of_another_form_is_converted_and_refused_with_the_command_where_that_cannot_be(
    converter: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, here = make(tmp_path / "own"), tmp_path / "models"
    assert library.check(str(own), "mlx", models_dir=here, offline=True) is None
    library.resolve(str(own), "mlx", models_dir=here, offline=True)
    (asked,) = converter
    assert (asked[1].startswith("own-"), asked[1].endswith("-mlx"), asked[2]) == (True, True, "own")
    monkeypatch.setattr(library, "can_convert", lambda form: False)
    assert refusal(str(own), here, form="mlx").endswith(
        f". To make one of it: scripts/convert-model.sh {own}, and then WHISPER_MODEL=own (--model own)"
    )
    assert "convert-model" not in refusal(str(make(tmp_path / "other", "config.json", "weights.npz")), here)


def test_a_folder_in_models_given_by_its_path_is_the_model_of_its_name(
    converter: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, folder = tmp_path / "models", make(tmp_path / "models" / "base")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        found = library.resolve("./models/base", "mlx", models_dir=here, offline=True)
        assert (found.path, found.name) == (here / "base-mlx", "base")
    assert converter == [("convert", "base-mlx", "base", 0)]
    assert library.resolve("./models/base", "ct2", models_dir=here, offline=True).path == folder
    assert library.is_at_hand("models/base", "mlx", models_dir=here)
    assert refusal("models/base-mlx", here).endswith("the model is base, with WHISPER_BACKEND=mlx (--backend mlx)")


def test_the_converter_is_a_child_whose_last_words_are_passed_on(tmp_path: Path) -> None:
    pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")
    make(tmp_path / "models" / "base")
    with pytest.raises(UsageError, match=r"base cannot be converted: its config\.json is damaged$"):
        library.resolve("base", "mlx", models_dir=tmp_path / "models", offline=True)
    assert [path.name for path in (tmp_path / "models").iterdir() if path.is_dir()] == ["base"]


def test_refuses_a_folder_that_is_no_model(tmp_path: Path) -> None:
    own = make(tmp_path / "own", "model.bin", "config.json", "vocabulary.txt")
    assert (
        refusal(str(own), tmp_path)
        == "models/own is no ct2 model: tokenizer.json is missing. Get or convert the model again, or choose another"
    )
    assert refusal("./none", tmp_path).endswith("none is no ct2 model: there is no such folder")


def test_refuses_a_folder_that_was_cut_short(tmp_path: Path) -> None:
    folder = make(tmp_path / "base")
    files = {name: {"size": 9 if name == "model.bin" else 1, "mtime_ns": 0, "sha256": ""} for name in CT2_FILES}
    source = {"repo": "", "revision": "", "form": "ct2", "via": "", "licence": "", "fetched_at": "", "files": files}
    (folder / "source.json").write_text(json.dumps(source))
    assert refusal("base", tmp_path, offline=True).startswith(
        "models/base is incomplete (model.bin has 1 of 9 bytes) and OFFLINE is on."
    )


def test_a_damaged_folder_of_somebody_elses_is_refused_and_never_replaced(tmp_path: Path) -> None:
    """Whether there is something to make it of, or not."""
    make(tmp_path / "base")
    for name in ("dmg", "base"):
        folder = make_mlx(tmp_path / f"{name}-mlx")
        (folder / "config.json").write_text("{")
        damaged = f"models/{name}-mlx is no mlx model: its config.json is damaged. Get or convert the model again, or choose another"
        assert refusal(name, tmp_path, form="mlx", offline=True) == damaged
        (folder / "weights.safetensors").unlink()
        assert "weights.safetensors or weights.npz is missing." in refusal(name, tmp_path, form="mlx")


@pytest.mark.parametrize("name", ["../base", "/etc", "..", "a/b/c", "-rf", "", "base\n", "x" * 300])
def test_a_name_never_leaves_the_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "base")
    (tmp_path / "a" / "working").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "working")  # names that begin with a dot are folders seen from there
    assert refusal(name, tmp_path / "models")


def test_the_starter_is_not_asked_of_the_hub(tmp_path: Path) -> None:
    assert library.check("base", "ct2", models_dir=tmp_path, offline=False) is None


def test_list_shows_what_is_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["list"]) == 0
    assert "Nothing is in" in capsys.readouterr().err
    make(tmp_path / "models" / "base")
    make(tmp_path / "models" / "half", "model.bin")
    make(
        tmp_path
        / "hub-cache"
        / "models--mlx-community--whisper-tiny-mlx"
        / "snapshots"
        / FORMS["mlx"].releases["tiny"].revision,
        "config.json",
        "weights.npz",
    )
    assert command.main(["list"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["MODEL", "FORM", "SIZE", "FROM"],
        ["base", "ct2", "0.0", "MB"],
        ["half", "incomplete:", "config.json", "is", "missing", "0.0", "MB"],
        ["tiny", "mlx", "hub", "cache,", "6caf9c55"],
    ]


def test_fetch_of_what_is_here_downloads_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path / "models" / "small")
    assert command.main(["fetch", "small"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (f"{folder}\n", "[INFO] Model 'small' is here already\n")


def test_fetch_ends_with_usage_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["fetch", "larg-v3"]) == 2
    assert command.main(["fetch", "./folder"]) == 2
    assert command.main(["fetch", "someone/whisper"]) == 2
    assert (
        "and the hub cannot be reached. Put its CTranslate2 folder there as models/someone--whisper-ct2 (or one"
        in capsys.readouterr().err
    )


def test_help_names_the_script_that_people_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["fetch", "--help"])
    assert capsys.readouterr().out.startswith("usage: scripts/get-model.sh [-h]")


def test_lists_the_tuned_models_of_a_language_with_source_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["fetch", "--list", "Hindi"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "whisper-hindi-large-v2        hi        apache-2.0  vasista22/whisper-hindi-large-v2" in lines
    assert (
        "whisper-hindi2hinglish-swift  hi        apache-2.0  Oriserve/Whisper-Hindi2Hinglish-Swift (Hinglish in Latin letters)"
        in lines
    )
    assert not any(line.startswith("segmentation-3.0") for line in lines)
    assert command.main(["fetch", "--list"]) == 0
    assert (
        "segmentation-3.0              any       mit         pyannote/segmentation-3.0 (finds speech)"
        in capsys.readouterr().out.splitlines()
    )
    assert command.main(["fetch", "--list", "fr"]) == 2
    assert "No model here is tuned for fr; sizes such as large-v3 know most languages" in capsys.readouterr().err


def test_tuned_models_say_their_licence() -> None:
    tuned = [release for form in FORMS.values() for release in form.releases.values() if release.languages]
    assert len(tuned) >= 9
    assert all(release.licence in ("apache-2.0", "cc-by-4.0", "mit") for release in tuned)
