"""A whole film through a translator: its sentences, in one stream, for each target language."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sutradhar.pipeline.jobs.pieces import NOTHING_KEPT, Pieces
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, StageContext
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.timecode import format_ms
from sutradhar.pipeline.wording import counted
from sutradhar.stages.film.translate import needs
from sutradhar.stages.film.translate.about import TranslatorAbout
from sutradhar.stages.film.translate.chain import USUAL_WAYS, Chain, Rendering, Way, ways
from sutradhar.stages.film.translate.kept import SCHEMA, KeptTranslator
from sutradhar.stages.film.translate.markup import put_back
from sutradhar.stages.film.translate.opening import open_translator
from sutradhar.stages.film.translate.retime import as_spoken, segment_of
from sutradhar.stages.film.translate.sentences import Sentence, assemble
from sutradhar.stages.film.translate.translator import BeamSearch
from sutradhar.stages.text.glossary import Glossary, read_glossary
from sutradhar.stages.transcript import (
    MISSING,
    Segment,
    Transcript,
    Translations,
    load,
    note_of_translator,
    note_of_untranslated,
    save,
)

Models = Mapping[str, ResolvedModel | None]  # by direction; None for a translator without models


def translate(ctx: StageContext, about: TranslatorAbout) -> Outcome:
    settings = ctx.settings
    source = load(ctx.read("transcript"), Transcript)
    targets = [target for target in settings.targets if target != source.language]
    directions = about.directions(source.language, targets)
    models = {direction: _resolve(about, direction, ctx) for direction in directions}
    sentences = assemble(source)
    done = _rendered(sentences, source, targets, about, models, ctx)
    for target in targets:
        _log(ctx.log, target, sentences, done[target])
    degraded = [line for target in targets for line in _report(target, done[target], about.title)]
    segments = {target: tuple(segments_of(sentences, done[target], target)) for target in targets}
    note = note_of_translator(about.title)
    transcripts = tuple(
        Transcript(target, source.start_ms, source.duration_ms, segments[target], note) for target in targets
    )
    save(ctx.write("translations"), Translations(transcripts))
    if len(targets) < len(settings.targets):
        degraded.append(f"No translation to {source.language}: the speech is in it already")
    return Outcome(
        summary=f"Translation completed: {counted(len(sentences), 'sentence')} "
        f"to {', '.join(targets) or 'no language'}",
        engine=_engine(about, settings, models),
        packages=needs.packages_of(about, settings),
        degraded=tuple(degraded),
        seconds_of_media=source.duration_ms / 1000 * max(1, len(targets)),
    )


def _rendered(
    sentences: Sequence[Sentence],
    source: Transcript,
    targets: Sequence[str],
    about: TranslatorAbout,
    models: Models,
    ctx: StageContext,
) -> dict[str, list[Rendering]]:
    """Translate the sentences into each target language. Translations are kept, so that an interrupted run goes on
    with the rest."""
    settings = ctx.settings
    glossary = read_glossary(ctx.job_file(settings.GLOSSARY)) if settings.GLOSSARY else Glossary(())
    done: dict[str, list[Rendering]] = {}
    with Pieces(ctx.pieces, SCHEMA, needs.packages_of(about, settings)) as pieces:
        progress = FilmProgress(ctx, source.duration_ms / 1000, targets, is_first=pieces.is_first)
        for direction, model in models.items():  # one model at a time: two may not fit
            translator = KeptTranslator(partial(open_translator, settings, model), pieces, progress.tell_known)
            for target in [target for target in targets if about.direction(source.language, target) == direction]:
                terms = glossary if len(targets) == 1 else glossary.fitting(target)
                chain = Chain(translator, source.language, target, _search(about, settings), terms)
                done[target] = chain.render(sentences, progress.begin(target))
            del translator, chain
    return done


def _search(about: TranslatorAbout, settings: Settings) -> BeamSearch:
    return BeamSearch(getattr(settings, about.beams)) if about.beams else BeamSearch()


class FilmProgress:
    """A report of the progress, in seconds of the film for each target language."""

    def __init__(self, ctx: StageContext, seconds: float, targets: Sequence[str], *, is_first: bool) -> None:
        self._ctx, self._seconds, self._total = ctx, seconds, seconds * len(targets)
        self._before, self._already = -seconds, 0.0  # of the languages before this one; of earlier runs
        self._target, self._is_told, self._known = (
            "",
            True,
            0,
        )  # of its first search: whether that is told of, and what was there
        self._is_again = not is_first  # and nothing of the attempt before has been found

    def begin(self, target: str) -> Callable[[int, int], None]:
        """Begin a target language. Returns the function to be told how many sentences are done, and of how many."""
        self._before += self._seconds
        self._target, self._is_told, self._known = target, False, 0
        return self._tell

    def _tell(self, done: int, total: int) -> None:
        done = max(done, self._known)  # earlier sentences are counted once more, batch by batch
        kept = f"{done} of {counted(total, 'sentence')} to {self._target}"
        self._ctx.progress(self._before + self._seconds * done / total, self._total, already=self._already, kept=kept)

    def tell_known(self, known: int, total: int) -> None:
        """Tell how many sentences are there already, in a language's first search alone: later ones are not counted."""
        if self._is_told:
            return
        self._is_told = True
        if known:
            self._ctx.log.info(f"Going on: {known} of {counted(total, 'sentence')} to {self._target} are there already")
            self._already += self._seconds * known / total
            self._known = known
            self._tell(known, total)
        elif self._is_again:
            self._ctx.log.info(NOTHING_KEPT)
        self._is_again = False


def segments_of(sentences: Sequence[Sentence], renderings: Sequence[Rendering], target: str) -> list[Segment]:
    """Return a segment for each sentence with something to show; one that could not be translated shows `MISSING` and
    says why."""
    from msgspec.structs import replace

    segments: list[Segment] = []
    for sentence, rendering in zip(sentences, renderings, strict=True):
        if rendering.way is Way.AS_SPOKEN:
            segments.append(as_spoken(sentence, target, len(segments)))
        elif rendering.way is Way.ENGLISH:
            segments.append(replace(as_spoken(sentence, "en", len(segments)), note="left in English"))
        elif rendering.way is Way.NONE:
            segment = segment_of(sentence, MISSING, target, len(segments), 0.0)
            segments.append(replace(segment, note=note_of_untranslated(", ".join(rendering.faults))))
        elif text := put_back(sentence.lifted, rendering.text, target):
            segment = segment_of(sentence, text, target, len(segments), rendering.score)
            segments.append(
                segment if rendering.way in USUAL_WAYS else replace(segment, note=f"by {rendering.way.value}")
            )
    return segments


def _resolve(about: TranslatorAbout, direction: str, ctx: StageContext) -> ResolvedModel | None:
    return ctx.model(needs.model_of(about.models, ctx.settings, direction)) if about.models else None


def _log(log: logging.Logger, target: str, sentences: Sequence[Sentence], renderings: Sequence[Rendering]) -> None:
    """Log the places that somebody may want to look at: times, never text."""
    for sentence, rendering in zip(sentences, renderings, strict=True):
        if rendering.way is Way.NONE:
            log.info(f"{target}: {format_ms(sentence.start_ms)} not translated ({', '.join(rendering.faults)})")
        elif rendering.missing_terms:
            log.info(
                f"{target}: {format_ms(sentence.start_ms)} "
                f"{counted(rendering.missing_terms, 'term')} of the glossary missing"
            )


def _engine(about: TranslatorAbout, settings: Settings, models: Models) -> dict[str, str]:
    if about.models is None:
        return {"backend": about.name}
    device, found = getattr(settings, about.models.device), [model for model in models.values() if model]
    return {
        "backend": about.models.libraries[device],
        "device": device,
        "model": ", ".join(model.name for model in found),
        "model_revision": ", ".join(model.revision for model in found),
        "compute_type": getattr(settings, about.models.compute_type),
    }


def _report(target: str, renderings: Sequence[Rendering], title: str) -> list[str]:
    """Return what a person should know, a line each."""
    lines = [
        f"{target}: {counted(count, 'sentence')} translated by {way.value}, where the usual search failed"
        for way, count in ways(renderings)
    ]
    failed = [rendering for rendering in renderings if rendering.way is Way.NONE]
    if failed:
        why = ", ".join(
            f"{fault} {count}"
            for fault, count in Counter(fault for one in failed for fault in one.faults).most_common()
        )
        lines.append(
            f"{target}: {len(failed)} of {counted(len(renderings), 'sentence')} not translated by {title} ({why})"
        )
    if english := sum(rendering.way is Way.ENGLISH for rendering in renderings):
        lines.append(f"{target}: {counted(english, 'sentence')} said in English left in English")
    if missing := sum(rendering.missing_terms for rendering in renderings):
        lines.append(f"{target}: {counted(missing, 'term')} of the glossary missing in the translation")
    return lines
