"""What of a folder is to do, and what becomes of what is told. No recogniser, no process."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import StageContext
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.corpus import manifest, recognise
from sutradhar.stages.corpus.recognise import executors, files
from sutradhar.stages.corpus.recognise.corpus import Corpus
from sutradhar.stages.corpus.recognise.dispatcher import FailedForGood
from sutradhar.stages.corpus.recognise.files import Files
from sutradhar.stages.corpus.recognise.messages import (
    Begun,
    Degraded,
    Done,
    Note,
    Ready,
    Retiring,
    Setup,
    Task,
    WindowsDone,
)
from sutradhar.stages.corpus.results import Maker, Store
from tests.stages.corpus.recognise.support import Folder, result, row, segment, sha

THREE = (row("a.wav", 1000), row("b.wav", 3000), row("c.wav", 2000))


def corpus(folder: Folder, store: Store | None = None, **settings: object) -> Corpus:
    ctx = folder.context(CORPUS_FORMATS="txt", **settings)
    return Corpus(ctx, store or folder.store(), Files(ctx.tree(recognise.TREE), ctx.settings))


def to_do(corpus: Corpus) -> list[str]:
    return [task.paths[0] for task in corpus.tasks]


# --- What there is to do


def test_the_longest_come_first_and_copies_are_one_task(tmp_path: Path) -> None:
    rows = [
        *THREE,
        row("in/copy.wav", 1000, of="a.wav"),
        row("empty.wav", status="empty"),
        row("text.wav", status="unsupported"),
    ]
    whole = corpus(Folder(tmp_path, rows))
    assert to_do(whole) == ["b.wav", "c.wav", "a.wav"]
    assert whole.tasks[-1] == Task(
        id=sha("a.wav"), paths=("a.wav", "in/copy.wav"), stamps=((100, 1), (100, 1)), duration_ms=1000
    )
    assert whole.describe() == "3 recordings to recognise, 0:06 of sound"


def test_a_limit_takes_the_first_in_order(tmp_path: Path) -> None:
    assert to_do(corpus(Folder(tmp_path, THREE), CORPUS_LIMIT=2)) == ["b.wav", "c.wav"]


def test_a_higher_limit_adds_to_what_a_lower_one_took(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [row(f"{number}.wav") for number in range(100)])
    few, many = (to_do(corpus(folder, CORPUS_ORDER="shuffled", CORPUS_LIMIT=limit)) for limit in (5, 20))
    assert many[:5] == few


def test_what_comes_later_changes_nothing_in_the_order_of_the_rest(tmp_path: Path) -> None:
    rows = [row(f"{number}.wav", 1000) for number in range(30)]
    fewer, more = (
        to_do(corpus(Folder(tmp_path / name, rows[:end]), CORPUS_ORDER="shuffled"))
        for name, end in (("fewer", 29), ("more", 30))
    )
    assert [path for path in more if path != "29.wav"] == fewer
    assert fewer != [f"{number}.wav" for number in range(29)]


def test_shuffling_is_the_same_every_time_and_another_with_another_seed(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [row(f"{number}.wav", 1000 * number) for number in range(100)])
    longest, first, again, other = (
        to_do(corpus(folder, CORPUS_ORDER=order, CORPUS_SEED=seed))
        for order, seed in [("longest", 1), ("shuffled", 1), ("shuffled", 1), ("shuffled", 2)]
    )
    assert first == again
    assert len({tuple(order) for order in (longest, first, other)}) == 3
    assert set(first) == set(other) == set(longest)


def test_what_has_a_result_is_done_whoever_did_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    folder.store().write(result("b.wav", segment("Hello.")))
    whole = corpus(folder)
    assert to_do(whole) == ["c.wav", "a.wav"]
    assert folder.statuses() == {"a.wav": "pending", "b.wav": "done", "c.wav": "pending"}
    assert (folder.tree / "b.wav.txt").read_text() == "Hello.\n"
    assert whole.describe().endswith("; 1 done before")


def test_a_result_that_is_torn_is_none(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    store = folder.store()
    store.write(result("b.wav"))
    (place,) = store.folder.glob("??/*.json")
    place.write_bytes(place.read_bytes()[:-9])
    assert to_do(corpus(folder)) == ["b.wav", "c.wav", "a.wav"]


def test_a_result_that_was_damaged_later_is_seen_where_every_file_is_to_be_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE[:1])
    store = folder.store()
    store.write(result("a.wav", segment("Hello.")))
    assert to_do(corpus(folder)) == []
    (place,) = store.folder.glob("??/*.json")
    place.write_bytes(b"\xff" + place.read_bytes()[1:])
    assert to_do(corpus(folder)) == []
    ctx = dataclasses.replace(folder.context(CORPUS_FORMATS="txt"), verify=True)
    assert to_do(Corpus(ctx, store, Files(ctx.tree(recognise.TREE), ctx.settings))) == ["a.wav"]


@pytest.mark.parametrize(("failures", "again"), [(1, True), (2, False), (5, False)])
def test_what_failed_is_tried_until_it_failed_often_enough_whatever_was_killed_meanwhile(
    failures: int, again: bool, tmp_path: Path
) -> None:
    folder = Folder(tmp_path, [replace(one, status="failed", reason="odd", attempts=7) for one in THREE[:1]])
    folder.store().write(replace(result("a.wav", status="failed", reason="odd", attempts=7), failures=failures))
    whole = corpus(folder, CORPUS_ATTEMPTS=2)
    assert [(task.attempts, task.failures) for task in whole.tasks] == [(7, failures)] * again
    assert folder.statuses() == {"a.wav": "failed"}
    assert not list(tmp_path.rglob("*.txt"))


def test_what_failed_once_and_was_done_since_is_done(tmp_path: Path) -> None:
    """The run was killed between the result and its row."""
    folder = Folder(tmp_path, [replace(THREE[0], status="failed", reason="odd", attempts=1)])
    folder.store().write(result("a.wav", segment("Hello."), attempts=2))
    assert to_do(corpus(folder)) == []
    (now,) = manifest.read(folder.manifest).values()
    assert (now.status, now.reason, now.attempts) == ("done", "", 2)
    assert (folder.tree / "a.wav.txt").read_text() == "Hello.\n"


def test_files_that_are_gone_are_made_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    for one in THREE:
        folder.store().write(result(one.path, segment(one.path)))
    corpus(folder)
    (folder.tree / "b.wav.txt").unlink()
    (folder.tree / "c.wav.txt").write_text("edited")
    assert to_do(corpus(folder)) == []
    assert [(folder.tree / f"{name}.wav.txt").read_text() for name in "abc"] == ["a.wav\n", "b.wav\n", "edited"]


def test_a_file_that_became_a_copy_of_another_gets_its_text(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    for one in THREE:
        folder.store().write(result(one.path, segment(one.path)))
    corpus(folder)
    rows = manifest.read(folder.manifest)
    manifest.rewrite(folder.manifest, [rows["a.wav"], rows["c.wav"], row("b.wav", of="a.wav")])
    assert to_do(corpus(folder)) == []
    assert (folder.tree / "b.wav.txt").read_text() == "a.wav\n"


def test_a_folder_that_is_done_is_known_by_its_manifest_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path, THREE)
    for one in THREE:
        folder.store().write(result(one.path))
    corpus(folder).close()
    before = folder.manifest.read_bytes()
    monkeypatch.setattr(Store, "read", lambda store, recording: pytest.fail("it was read"))
    whole = corpus(folder)
    assert to_do(whole) == []
    whole.close()
    assert folder.manifest.read_bytes() == before


def test_what_a_limit_leaves_out_is_pending_and_what_it_leaves_out_but_is_done_stays_done(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [THREE[0], THREE[1], replace(THREE[2], status="done")])
    folder.store().write(result("a.wav"))
    assert to_do(corpus(folder, CORPUS_LIMIT=1)) == ["b.wav"]
    assert folder.statuses() == {"a.wav": "done", "b.wav": "pending", "c.wav": "pending"}


# --- Results of other settings


def refused(folder: Folder, **settings: object) -> str:
    with pytest.raises(UsageError) as error:
        recognise.run(folder.context(**settings))
    return str(error.value)


def made_with(ctx: StageContext) -> dict[str, str]:
    model = ctx.models / "base"
    model.mkdir(exist_ok=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        if not (model / name).exists():
            (model / name).write_bytes(b"{}")
    return recognise._made_with(ctx.settings, ResolvedModel(model, "base", "", "ct2"))


def test_results_of_other_weights_of_the_same_name_are_not_mixed_in(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    folder.store(made_with(folder.context()) | {"model model.bin": "0123"}).write(result("a.wav"))
    assert refused(folder).startswith(
        "This job has results made with other weights than those of WHISPER_MODEL=base now (model.bin differs). Set WHISPER_MODEL back"
    )


def test_results_of_other_settings_are_not_mixed_in(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    folder.store(made_with(folder.context(SOURCE_LANGUAGE="en"))).write(result("a.wav"))
    message = refused(folder, SOURCE_LANGUAGE="hi")
    assert message.startswith(
        "This job has results made with SOURCE_LANGUAGE=en, and it is hi now. Set it back with --set SOURCE_LANGUAGE=en; or prepare a new job;"
    )
    assert "CORPUS_MIX=true" in message
    assert refused(folder, SOURCE_LANGUAGE="en", CORPUS_CHANNELS="split").startswith(
        "This job has results made with CORPUS_CHANNELS=mix"
    )
    assert refused(folder, SOURCE_LANGUAGE="en", SILERO_THRESHOLD=0.3).startswith(
        "This job has results made with SILERO_THRESHOLD=auto"
    )


def test_results_of_another_glossary_are_not_mixed_in_and_its_names_steer_the_recogniser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path, THREE)
    setups: list[Setup] = []
    monkeypatch.setattr(executors, "run", lambda setup, corpus: setups.append(setup))
    names = tmp_path / "job" / "glossary.tsv"
    names.write_text("Daniel\tDaniel\nDahisar\tDahisar\n")
    with_glossary = folder.context(GLOSSARY="glossary.tsv", WHISPER_INITIAL_PROMPT="Calls.")
    made_with(with_glossary)
    recognise.run(with_glossary)
    assert setups[0].settings.WHISPER_INITIAL_PROMPT == "Calls. Daniel, Dahisar"
    Store(tmp_path / "job" / "results", setups[0].made_with).write(result("a.wav"))
    recognise.run(with_glossary)
    names.write_text("Daniel\tDaniel\n")
    message = "This job has results made with another glossary. Put the old one back; or prepare a new job;"
    assert refused(folder, GLOSSARY="glossary.tsv", WHISPER_INITIAL_PROMPT="Calls.").startswith(message)
    assert refused(folder, WHISPER_INITIAL_PROMPT="Calls.").startswith(message)
    assert recognise.standing(tmp_path / "job", with_glossary.settings) is not None


def test_a_replaced_model_has_another_fingerprint(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    before = made_with(folder.context())
    (tmp_path / "base" / "model.bin").write_bytes(b"[]")
    after = made_with(folder.context())
    assert [key for key in before if before[key] != after[key]] == ["model model.bin"]


@pytest.mark.parametrize(
    "settings", [{"BATCH_SIZE": 2}, {"CORPUS_WORKERS": 3}, {"CORPUS_ORDER": "shuffled"}, {"CORPUS_FORMATS": "srt"}]
)
def test_settings_that_change_no_result_change_no_fingerprint(settings: dict[str, object], tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    assert made_with(folder.context(**settings)) == made_with(folder.context())


def test_mixing_keeps_what_is_there_and_does_the_rest_anew(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    small = {"WHISPER_MODEL": "small"}
    folder.store().write(result("b.wav", segment("Hello.")))
    assert to_do(corpus(folder, folder.store(small, mix=True))) == ["c.wav", "a.wav"]
    assert (folder.tree / "b.wav.txt").read_text() == "Hello.\n"
    assert to_do(corpus(folder, folder.store(small))) == ["b.wav", "c.wav", "a.wav"]


# --- What happens


def test_what_is_done_is_in_the_manifest_at_once_for_every_copy(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [*THREE, row("copy.wav", of="a.wav")])
    whole = corpus(folder)
    whole.tell(Done(sha("a.wav"), attempts=1, degraded=("cut short",)))
    assert folder.statuses() == {"a.wav": "done", "copy.wav": "done", "b.wav": "pending", "c.wav": "pending"}
    assert (whole.pace.done, whole.pace.done_ms, whole.degraded) == (1, 1000, ("a.wav: cut short",))


def test_notes_are_counted_and_degrade_nothing(tmp_path: Path) -> None:
    whole = corpus(Folder(tmp_path, THREE))
    for name in ("a.wav", "b.wav"):
        whole.tell(Done(sha(name), notes=("both channels hold the same",)))
    assert (whole.degraded, whole.notes) == ((), "; of 2 recordings both channels hold the same")


def test_notes_that_differ_in_their_numbers_are_counted_together(tmp_path: Path) -> None:
    whole = corpus(Folder(tmp_path, THREE))
    for name, there in (("a.wav", "144,000"), ("b.wav", "96,000")):
        whole.tell(
            Done(
                sha(name),
                notes=(f"its header tells of 32,000 bytes of sound, and {there} are there: all of it was taken",),
            )
        )
    assert whole.notes == "; of 2 recordings its header tells of … bytes of sound, and … are there: all of it was taken"


def test_what_is_given_up_is_in_the_manifest_and_the_store_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Folder(tmp_path, THREE)
    whole = corpus(folder)
    whole.tell(
        FailedForGood(replace(whole.tasks[0], attempts=2, failures=1), "the worker ended on it: ended by SIGSEGV")
    )
    (failed,) = [one for one in manifest.read(folder.manifest).values() if one.status == "failed"]
    assert (failed.path, failed.reason, failed.attempts) == ("b.wav", "the worker ended on it: ended by SIGSEGV", 2)
    stored = folder.store().read(sha("b.wav"))
    assert stored
    assert (stored.status, stored.reason, stored.attempts, stored.failures, stored.duration_ms) == (
        "failed",
        failed.reason,
        2,
        2,
        3000,
    )
    assert caplog.messages == ["b.wav: the worker ended on it: ended by SIGSEGV"]
    assert to_do(corpus(folder)) == ["c.wav", "a.wav"]


def test_a_failure_is_no_result(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    whole = corpus(folder)
    folder.store().write(result("a.wav", status="failed"))
    folder.store().write(result("b.wav"))
    assert [bool(whole.made(sha(f"{name}.wav"))) for name in "abc"] == [False, True, False]


def test_who_wrote_a_result_may_have_died_before_its_files(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [*THREE, row("copy.wav", 1000, of="a.wav")])
    whole = corpus(folder)
    folder.store().write(result("a.wav", segment("Hello.")))
    assert whole.made(sha("a.wav")) == Done(sha("a.wav"))
    assert [(folder.tree / f"{name}.txt").read_text() for name in ("a.wav", "copy.wav")] == ["Hello.\n", "Hello.\n"]


def test_a_failure_that_cannot_be_written_stands_in_the_manifest_and_costs_no_other(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    whole = corpus(folder)
    store = folder.store().folder
    (store / sha("b.wav")[:2] / f"{sha('b.wav')}.json").mkdir(parents=True)
    whole.tell(FailedForGood(whole.tasks[0], "its result could not be written (Is a directory)"))
    whole.tell(Done(sha("a.wav")))
    rows = manifest.read(folder.manifest)
    assert (rows["b.wav"].status, rows["b.wav"].reason) == (
        "failed",
        "its result could not be written (Is a directory)",
    )
    assert rows["a.wav"].status == "done"
    assert "b.wav" in to_do(corpus(folder))


def test_how_far_it_is_can_be_seen_by_the_results(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [*THREE, row("copy.wav", of="a.wav"), row("empty.wav", status="empty")])
    job = folder.manifest.parent

    store = folder.store(made_with(folder.context()))

    def standing(job: Path = job, **settings: int | str | bool) -> str:
        found = recognise.standing(job, Settings(**settings))  # type: ignore[arg-type]
        return found.text.removesuffix(" have a result, a transcript or a failure") if found else ""

    assert standing() == "0 of 3 recordings"
    store.write(result("a.wav"))
    store.write(result("b.wav", status="failed"))
    store.write(result("gone.wav"))
    assert (standing(), standing(CORPUS_LIMIT=2), standing(CORPUS_LIMIT=1)) == (
        "2 of 3 recordings",
        "2 of 2 recordings",
        "1 of 1 recording",
    )
    assert standing(SOURCE_LANGUAGE="hi") == "0 of 3 recordings"
    assert standing(SOURCE_LANGUAGE="hi", CORPUS_MIX=True) == "2 of 3 recordings"
    assert standing(tmp_path / "elsewhere") == ""
    folder.manifest.unlink()
    folder.manifest.mkdir()
    assert standing() == ""


def test_what_is_new_since_the_stage_was_done_is_known_by_its_rows(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    job = folder.manifest.parent
    whole = corpus(folder)
    whole.tell(Done(sha("a.wav")))
    whole.close()

    def is_new() -> bool | None:
        found = recognise.standing(job, Settings())
        return found and found.is_new

    assert is_new()  # it was not done yet
    (job / "stages" / "recognise").mkdir()
    (job / "stages" / "recognise" / "done.json").write_bytes(msgspec.json.encode(whole.tally()))
    assert is_new() is False
    manifest.rewrite(folder.manifest, [*manifest.read(folder.manifest).values(), row("new.wav")])
    assert is_new()


def test_edited_files_are_told_of_in_one_line(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    for one in THREE:
        folder.store().write(result(one.path, segment(one.path)))
    corpus(folder)
    for one in THREE:
        (folder.tree / f"{one.path}.txt").write_text("edited")
        folder.store().write(result(one.path, segment("Another.")))
    rows = manifest.read(folder.manifest)
    manifest.rewrite(folder.manifest, [replace(row, status="pending") for row in rows.values()])
    assert corpus(folder).degraded == (
        "b.wav and 2 more: its txt had been edited: that version is kept beside it as ….edited-1.txt",
    )


def test_what_workers_say_of_themselves_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    folder = Folder(tmp_path, THREE)
    whole = corpus(folder)
    slower = Degraded("Recognition ran on the CPU")
    events = (
        Ready({"device": "cpu"}, ("ctranslate2",)),
        slower,
        slower,
        Retiring(3_100_000_000),
        Note(logging.INFO, "x"),
        Note(logging.WARNING, "y"),
    )
    for event in events:
        whole.tell(event)
    assert caplog.messages == ["A worker that held 3.1 GB is replaced by a new one", "y"]
    whole.tell(Ready({"device": "cuda"}, ("ctranslate2",)))
    assert whole.degraded == (slower.line,)
    assert folder.store().made_by().packages == ("ctranslate2",)
    assert set(folder.store().made_by().engine["device"].split(" and ")) == {"cpu", "cuda"}
    made_by = [path.read_text() for path in (folder.store().folder / "made-by").iterdir()]
    assert len(made_by) == 3
    assert '{"degraded":"Recognition ran on the CPU","engine":{},"packages":[]}' in made_by


def test_what_cannot_be_noted_of_workers_costs_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = Folder(tmp_path, THREE)
    (folder.store().folder / "made-by").touch()
    whole = corpus(folder)
    whole.tell(Ready({"device": "cpu"}, ()))
    assert caplog.messages[0].startswith("What recognises cannot be noted beside the results: ")
    assert whole.store.made_by() == Maker()


def test_a_file_that_cannot_be_written_is_written_by_a_later_run(tmp_path: Path) -> None:
    folder = Folder(tmp_path, [*THREE, row("in/copy.wav", of="a.wav")])
    corpus(folder)
    in_the_way = folder.tree / "in" / "copy.wav.txt"
    in_the_way.mkdir(parents=True)
    folder.store().write(result("a.wav", segment("Hello.")))
    whole = corpus(folder)
    reason = "its txt could not be written (Is a directory)"
    assert whole.degraded == (f"in/copy.wav: {reason}",)
    rows = manifest.read(folder.manifest)
    assert [(rows[name].status, rows[name].reason) for name in ("a.wav", "in/copy.wav")] == [
        ("done", ""),
        ("done", reason),
    ]
    assert to_do(whole) == ["b.wav", "c.wav"]
    in_the_way.rmdir()
    assert corpus(folder).degraded == ()
    assert in_the_way.read_text() == "Hello.\n"
    assert manifest.read(folder.manifest)["in/copy.wav"].reason == ""


def test_old_files_that_could_not_be_replaced_are_by_a_later_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path, [row("a.wav")])
    folder.store().write(result("a.wav", segment("Hello.")))
    corpus(folder)
    assert (folder.tree / "a.wav.txt").read_text() == "Hello.\n"
    folder.store().write(result("a.wav", segment("Other sound.")))
    manifest.rewrite(folder.manifest, [row("a.wav")])  # as scan does where a recording holds something else
    with monkeypatch.context() as closed:
        closed.setattr(files, "write_whole", refuse)
        corpus(folder)
    assert manifest.read(folder.manifest)["a.wav"].reason == "its txt could not be written (Permission denied)"
    assert corpus(folder).degraded == ()
    assert (folder.tree / "a.wav.txt").read_text() == "Other sound.\n"


def refuse(path: Path, content: bytes, *, sync: bool) -> None:
    if path.suffix == ".txt":
        raise PermissionError(13, "Permission denied")


def test_progress_counts_what_was_done_before_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path, [*THREE, row("copy.wav", 1000, of="a.wav")])
    folder.store().write(result("b.wav"))
    whole = corpus(folder)
    monkeypatch.setattr("sutradhar.stages.corpus.recognise.corpus.TOLD", 0.0)
    whole.tell(Done(sha("a.wav")))
    whole.tell(FailedForGood(whole.tasks[0], "odd"))
    first, second = folder.told
    assert (first.done, first.total, first.already) == (4.0, 6.0, 3.0)
    assert first.note == "2 of 3 files, 0:04 of 0:06"
    assert (second.done, second.note) == (6.0, "3 of 3 files, 1 failed, 0:06 of 0:06")


@pytest.mark.parametrize(("executor", "now"), [("local", "GPU 80 %"), ("ray", "")], ids=["here", "elsewhere"])
def test_progress_tells_of_the_gpus_of_this_machine(
    tmp_path: Path, executor: str, now: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path, THREE)
    monkeypatch.setattr("sutradhar.stages.corpus.recognise.corpus.gpu_use", lambda chosen: 80)
    whole = corpus(folder, WHISPERX_DEVICE="cuda", CORPUS_EXECUTOR=executor)
    monkeypatch.setattr("sutradhar.stages.corpus.recognise.corpus.TOLD", 0.0)
    whole.tell(Done(sha("a.wav")))
    assert folder.told[0].now == now
    assert folder.told[0].left is not None


def test_the_manifest_has_a_row_a_file_in_the_end(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    whole = corpus(folder)
    before = whole.tally()
    whole.tell(Done(sha("a.wav")))
    assert folder.manifest.read_bytes().count(b"\n") == 4
    whole.close()
    assert folder.manifest.read_bytes().count(b"\n") == 3
    assert folder.statuses() == {"a.wav": "done", "b.wav": "pending", "c.wav": "pending"}
    assert whole.tally().statuses == {"done": 1, "pending": 2}
    assert whole.tally().rows != before.rows


def test_what_killed_workers_left_half_written_is_removed(tmp_path: Path) -> None:
    folder = Folder(tmp_path, THREE)
    folder.store().write(result("a.wav"))
    corpus(folder)
    (folder.tree / "in").mkdir()
    halves = [folder.store().folder / sha("a.wav")[:2] / ".tmp-1-x.json", folder.tree / "in" / ".tmp-0a1b2c-a.wav.txt"]
    for then in (lambda: corpus(folder), corpus(folder).close):  # killed in an earlier run, or in this one
        for half in halves:
            half.write_text("{")
        then()
        assert not any(half.exists() for half in halves)


def test_progress_counts_what_is_in_hand_and_forgets_it_when_it_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path, THREE)  # 1, 3 and 2 s
    whole = corpus(folder)
    monkeypatch.setattr("sutradhar.stages.corpus.recognise.corpus.TOLD", 0.0)
    for event in (
        WindowsDone(sha("b.wav"), 0.5),
        Begun(sha("b.wav")),
        WindowsDone(sha("b.wav"), 0.25),
        Done(sha("b.wav")),
    ):
        whole.tell(event)
    assert [progress.done for progress in folder.told] == [1.5, 0.0, 0.75, 3.0]
