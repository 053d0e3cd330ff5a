"""A whole film through IndicTrans2: its sentences, in one stream, for each target language."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial

from pipeline import translators
from pipeline.models import ResolvedModel, resolve
from pipeline.settings import Settings
from pipeline.stage import Outcome, StageContext
from pipeline.timecode import format_ms
from pipeline.wording import counted
from stages.glossary import Glossary, read_glossary
from stages.transcript import MISSING, UNTRANSLATED, Segment, Transcript, Translations, load, save
from stages.translate.chain import Chain, Rendering, ways
from stages.translate.markup import put_back
from stages.translate.retime import as_spoken, segment_of
from stages.translate.sentences import Sentence, assemble
from stages.translate.translator import Search, open_translator

NOTE = "translated by IndicTrans2"


def translate(ctx: StageContext) -> Outcome:
    settings = ctx.settings
    source = load(ctx.read("align/transcript.json"), Transcript)
    sentences = assemble(source)
    glossary = read_glossary(ctx.job_file(settings.GLOSSARY)) if settings.GLOSSARY else Glossary(())
    search = Search(settings.INDICTRANS2_NUM_BEAMS)
    seconds = source.duration_ms / 1000
    targets = [target for target in settings.targets if target != source.language]
    models: dict[str, ResolvedModel] = {}
    done: dict[str, tuple[Transcript, list[str]]] = {}
    for direction in translators.directions(source.language, targets):  # one model at a time: two may not fit
        models[direction] = _resolve(direction, ctx)
        translator = open_translator(settings, models[direction])
        for target in [target for target in targets if translators.direction(source.language, target) == direction]:
            terms = glossary if len(targets) == 1 else glossary.fitting(target)
            chain = Chain(translator, source.language, target, search, terms)
            renderings = chain.render(sentences, partial(_progress, ctx, seconds, len(done), len(targets)))
            _log(ctx.log, target, sentences, renderings)
            segments = tuple(segments_of(sentences, renderings, target))
            done[target] = Transcript(target, source.start_ms, source.duration_ms, segments, NOTE), _report(target, renderings)
        del translator, chain
    transcripts = [done[target][0] for target in targets]
    degraded = [line for target in targets for line in done[target][1]]
    save(ctx.write("translate/transcripts.json"), Translations(tuple(transcripts)))
    if len(targets) < len(settings.targets):
        degraded.append(f"No translation to {source.language}: the speech is in it already")
    return Outcome(
        summary=f"Translation completed: {counted(len(sentences), 'sentence')} to {', '.join(targets) or 'no language'}",
        engine=_engine(settings, models),
        packages=("ctranslate2" if settings.INDICTRANS2_DEVICE != "mps" else "mlx", "indictranstoolkit", "sentencepiece"),
        degraded=tuple(degraded),
        seconds_of_media=seconds * max(1, len(targets)),
    )


def _progress(ctx: StageContext, seconds: float, target: int, targets: int, done: int, total: int) -> None:
    ctx.progress(seconds * (target + done / total), seconds * targets)


def segments_of(sentences: Sequence[Sentence], renderings: Sequence[Rendering], target: str) -> list[Segment]:
    """One for each sentence of which there is something to show; one that could not be translated shows `MISSING` and says why."""
    from msgspec.structs import replace

    segments: list[Segment] = []
    for sentence, rendering in zip(sentences, renderings, strict=True):
        if rendering.way == "as spoken":
            segments.append(as_spoken(sentence, target, len(segments)))
        elif rendering.way == "English":
            segments.append(replace(as_spoken(sentence, "en", len(segments)), note="left in English"))
        elif rendering.way == "none":
            segment = segment_of(sentence, MISSING, target, len(segments), 0.0)
            segments.append(replace(segment, note=f"{UNTRANSLATED}: {', '.join(rendering.faults)}"))
        elif text := put_back(sentence.lifted, rendering.text, target):
            segment = segment_of(sentence, text, target, len(segments), rendering.score)
            segments.append(segment if rendering.way in ("search", "label") else replace(segment, note=f"by {rendering.way}"))
    return segments


def _resolve(direction: str, ctx: StageContext) -> ResolvedModel:
    settings = ctx.settings
    ways = translators.directions(settings.SOURCE_LANGUAGE, settings.targets)
    need = dict(zip(ways, ctx.stage.models(settings), strict=True))[direction]
    return resolve(need.name, need.form, models_dir=ctx.models, offline=settings.OFFLINE, say=ctx.log.info)


def _log(log: logging.Logger, target: str, sentences: Sequence[Sentence], renderings: Sequence[Rendering]) -> None:
    """Where somebody may want to look: times, never text."""
    for sentence, rendering in zip(sentences, renderings, strict=True):
        if rendering.way == "none":
            log.info(f"{target}: {format_ms(sentence.start_ms)} not translated ({', '.join(rendering.faults)})")
        elif rendering.missing_terms:
            log.info(f"{target}: {format_ms(sentence.start_ms)} {counted(rendering.missing_terms, 'term')} of the glossary missing")


def _engine(settings: Settings, models: dict[str, ResolvedModel]) -> dict[str, str]:
    return {
        "backend": "mlx" if settings.INDICTRANS2_DEVICE == "mps" else "ctranslate2",
        "device": settings.INDICTRANS2_DEVICE,
        "model": ", ".join(model.name for model in models.values()),
        "model_revision": ", ".join(model.revision for model in models.values()),
        "compute_type": settings.INDICTRANS2_COMPUTE_TYPE,
    }


def _report(target: str, renderings: Sequence[Rendering]) -> list[str]:
    """What a person should know, a line each."""
    lines = [f"{target}: {counted(count, 'sentence')} translated by {way}, where the usual search failed" for way, count in ways(renderings)]
    failed = [rendering for rendering in renderings if rendering.way == "none"]
    if failed:
        why = ", ".join(f"{fault} {count}" for fault, count in Counter(fault for one in failed for fault in one.faults).most_common())
        lines.append(f"{target}: {len(failed)} of {counted(len(renderings), 'sentence')} not translated by IndicTrans2 ({why})")
    if english := sum(rendering.way == "English" for rendering in renderings):
        lines.append(f"{target}: {counted(english, 'sentence')} said in English left in English")
    if missing := sum(rendering.missing_terms for rendering in renderings):
        lines.append(f"{target}: {counted(missing, 'term')} of the glossary missing in the translation")
    return lines
