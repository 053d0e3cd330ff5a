"""Recognise every recording of a folder, the windows of many together, and put the result of each into the store.

A result in the store is done, whoever made it; so any run goes on where another stopped. The rooms: `corpus` (the
work to do and done), `dispatcher` (who works on what), `supervisor` (keeps workers supplied and alive), `executors`
with `local` and `ray_workers` (where they run), `messages` (what they tell each other); within a worker `worker`,
`transcriber`, `prefetch`, `loading`, each calling the next, and `worker_limits` (what it may take of its machine);
`files` (what the user gets); `shard` (a part of the work, for clusters).
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import UNREADABLE, record
from sutradhar.pipeline.jobs.envfile import to_text
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, Outcome, Stage, StageContext, Standing
from sutradhar.pipeline.media import identity
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.wording import counted
from sutradhar.stages.alignment import edges
from sutradhar.stages.corpus import manifest, results
from sutradhar.stages.corpus.manifest import folder_of
from sutradhar.stages.corpus.transcript_paths import TREE
from sutradhar.stages.recognisers import declared
from sutradhar.stages.sound import hearing, windows, yamnet
from sutradhar.stages.sound.about import ALONE, KEEP
from sutradhar.stages.text import glossary

if TYPE_CHECKING:
    from sutradhar.stages.corpus.recognise.corpus import Corpus


def run(ctx: StageContext) -> Outcome:
    corpus = work(ctx)
    ctx.write("recognised").write_bytes(msgspec.json.encode(corpus.tally()))
    made_by = corpus.store.made_by()
    return Outcome(
        summary=f"Recognised {counted(corpus.pace.done, 'recording')} in this run "
        f"({corpus.pace.overall()}{corpus.notes}); {corpus.standing()}",
        engine=made_by.engine,
        packages=made_by.packages,
        degraded=corpus.degraded,
        seconds_of_media=corpus.pace.done_ms / 1000,
    )


def work(ctx: StageContext, shard: tuple[int, int] | None = None) -> Corpus:
    """Recognise all that is not done; of shard (i, n) only every nth recording, and the manifest is left alone."""
    from sutradhar.stages.corpus.recognise import executors
    from sutradhar.stages.corpus.recognise.corpus import Corpus
    from sutradhar.stages.corpus.recognise.files import Files
    from sutradhar.stages.corpus.recognise.messages import Networks, Setup

    settings = ctx.settings
    model = declared.model_of(ctx)
    prompt = glossary.prompt_of(
        settings.WHISPER_INITIAL_PROMPT, ctx.job_file(settings.GLOSSARY) if settings.GLOSSARY else None
    )
    store = results.Store(
        ctx.keep(results.FOLDER),
        _made_with(settings, model) | _glossary(settings, ctx.artifacts.parent),
        mix=settings.CORPUS_MIX,
    )
    _refuse_to_mix(store, settings)
    store.create()
    corpus = Corpus(ctx, store, Files(ctx.tree(TREE), settings), shard)
    ctx.log.info(corpus.describe())
    if corpus.tasks:
        setup = Setup(
            values=_values(settings) | {"WHISPER_INITIAL_PROMPT": prompt},
            folder=folder_of(ctx.media),
            results=store.all,
            made_with=store.made_with,
            tree=ctx.tree(TREE),
            model=model,
            spool=ctx.scratch,
            networks=Networks(hearing.segmentation_of(ctx), yamnet.yamnet_of(ctx)),
        )
        executors.run(setup, corpus)
    corpus.close()
    return corpus


def _values(settings: Settings) -> dict[str, Any]:
    return {key: getattr(settings, key) for key in (*STAGE.settings, *STAGE.tuning)}


def _made_with(settings: Settings, model: ResolvedModel) -> dict[str, str]:
    """Return all that decides what a result says, but for the glossary."""
    files = sorted(path for path in model.path.iterdir() if path.is_file())
    return _settings_made_with(settings) | {
        results.key_of_model_file(path.name): identity(path).sha256 for path in files
    }


def _settings_made_with(settings: Settings) -> dict[str, str]:
    made_with = {key: to_text(getattr(settings, key)) for key in RESULT_SETTINGS}
    # As before there was a choice; folders have no other alignment than edges.
    usual = {"SPEECH_DETECTOR": (ALONE,), "ALIGNMENT_MODEL": ("auto", "edges"), "MUSIC": (KEEP,)}
    made_with = {key: value for key, value in made_with.items() if value not in usual.get(key, ())}
    made_with["CORPUS_TIMESTAMPS"] = "none" if settings.CORPUS_TIMESTAMPS == "none" else "segment or word"
    return made_with


def _glossary(settings: Settings, job: Path) -> dict[str, str]:
    """Return the checksum of the glossary in the job's folder, where there is one. Raises OSError."""
    return {GLOSSARY: record(job / settings.GLOSSARY).sha256} if settings.GLOSSARY else {}


def _refuse_to_mix(store: results.Store, settings: Settings) -> None:
    """Raise UsageError where the job has results of other settings, and nobody said that this is meant."""
    others = store.others()
    if not others or settings.CORPUS_MIX:
        return
    other = others[-1]
    key = next((key for key in (*store.made_with, *other) if other.get(key) != store.made_with.get(key)), "version")
    was, back = (
        f"{key}={other.get(key, '')}, and it is {store.made_with.get(key, '')} now",
        f"Set it back with --set {key}={other.get(key, '')}",
    )
    if file := results.model_file_of(key):
        was = f"other weights than those of WHISPER_MODEL={settings.WHISPER_MODEL} now ({file} differs)"
        back = "Set WHISPER_MODEL back with --set"
    elif key == GLOSSARY:
        was, back = "another glossary", "Put the old one back"
    raise UsageError(
        f"This job has results made with {was}. {back}; or"
        " prepare a new job; or do only the rest in the new way, with --set CORPUS_MIX=true; "
        f"or remove {store.all} to begin anew"
    )


def check(settings: Settings) -> None:
    from sutradhar.stages.corpus.recognise.formats import OWN, formats_of
    from sutradhar.stages.cues.rules import rules_for

    declared.check(settings)
    edges.check(settings.ALIGNMENT_MODEL)
    if formats_of(settings).keys() - OWN.keys():
        rules_for(settings.SUBTITLE_PROFILE, settings.SOURCE_LANGUAGE, settings.SUBTITLE_FPS)


def standing(job: Path, settings: Settings) -> Standing | None:
    """Count the recordings that have a result, made by any worker, shards of a cluster too. `job` is its folder."""
    try:
        rows = manifest.read(job / manifest.FILE).values()
        there = results.ids_of(
            job / results.FOLDER, _settings_made_with(settings) | _glossary(settings, job), mix=settings.CORPUS_MIX
        )
    except OSError:
        return None
    wanted = {row.id for row in rows if row.status not in manifest.NO_RECORDING}
    if not wanted:
        return None
    total = min(len(wanted), settings.CORPUS_LIMIT or len(wanted))
    text = (
        f"{min(len(wanted & there), total):,} of {counted(total, 'recording')} have a result, a transcript or a failure"
    )
    return Standing(text, is_new=manifest.digest(rows) != _digest_when_done(job))


def _digest_when_done(job: Path) -> str:
    with contextlib.suppress(*UNREADABLE):
        return msgspec.json.decode((job / "stages" / DONE).read_bytes(), type=results.Tally).rows
    return ""


def engines_of(settings: Settings) -> tuple[EngineNeed, ...]:
    """Return the engines to check here: none for Ray, whose workers see for themselves where they run."""
    return () if settings.CORPUS_EXECUTOR == "ray" else declared.engines_of(settings)


DONE = "recognise/done.json"
GLOSSARY = "GLOSSARY"  # key of the glossary's checksum in `made_with`; the setting has the same name
# These tell results apart; CORPUS_TIMESTAMPS=none does so as well.
RESULT_SETTINGS = (
    *declared.SETTINGS,
    *windows.SETTINGS,
    "ALIGNMENT_MODEL",
    "MUSIC",
    "CORPUS_CHANNELS",
)
STAGE = Stage(
    name="recognise",
    run=run,
    check=check,
    writes=("recognised",),
    keeps=(manifest.FILE, results.FOLDER),
    trees=(TREE,),
    settings=(
        *RESULT_SETTINGS,
        *results.FILE_SETTINGS,
        GLOSSARY,
        "ALLOW_TRUNCATED",
        "CORPUS_LIMIT",
        "CORPUS_ORDER",
        "CORPUS_SEED",
        "CORPUS_MIX",
        "CORPUS_ATTEMPTS",
    ),
    tuning=(
        *declared.TUNING,
        "CORPUS_EXECUTOR",
        "CORPUS_WORKERS",
        "CUDA_VISIBLE_DEVICES",
        "CORPUS_WORKER_GB",
    ),
    always=True,
    models=lambda settings: (*declared.models_of(settings), *hearing.models_of(settings), *yamnet.models_of(settings)),
    files=lambda settings: settings.user_files,
    check_file=glossary.read_glossary,
    standing=standing,
    engines=engines_of,
)
