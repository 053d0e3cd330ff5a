"""IndicTrans2: between English and the languages of India, on CTranslate2 and, on Apple GPUs, on MLX."""

from __future__ import annotations

from sutradhar.pipeline.models.form import Converter, Form, Release
from sutradhar.stages.film.translate.about import TranslatorAbout, TranslatorModels

ENGLISH = "en"
LANGUAGES = (
    *("as", "bn", "brx", "doi", "gom", "gu", "hi", "kn", "kok", "ks", "mai", "ml"),
    *("mni", "mr", "ne", "or", "pa", "sa", "sat", "sd", "ta", "te", "ur"),
)
SIZES = {
    "1B": {way: f"indictrans2-{way}-1B" for way in ("indic-en", "en-indic", "indic-indic")},
    "distilled": {
        "indic-en": "indictrans2-indic-en-dist-200M",
        "en-indic": "indictrans2-en-indic-dist-200M",
        "indic-indic": "indictrans2-indic-indic-dist-320M",
    },
}
CHOSEN_BY = "INDICTRANS2_MODEL={name}"
# The hub's form, behind a form to agree to there: HF_TOKEN opens it.
CHECKPOINT = Form(
    title="IndicTrans2",
    files=(
        ("config.json",),
        ("dict.SRC.json",),
        ("dict.TGT.json",),
        ("model.SRC",),
        ("model.TGT",),
        ("model.safetensors",),
    ),
    releases={name: Release(f"ai4bharat/{name}") for ways in SIZES.values() for name in ways.values()},
    is_plain=True,
    family="indictrans2",
    chosen_by=CHOSEN_BY,
)


def _for_ctranslate(numbers: str) -> Form:
    """Return CTranslate2's form. Ready-made ones may have model.SRC and model.TGT in another folder beside."""
    return Form(
        title=f"IndicTrans2 {numbers}",
        files=(("model.bin",), ("config.json",), ("source_vocabulary.json",), ("target_vocabulary.json",)),
        optional=("model.SRC", "model.TGT"),
        converter=Converter(
            module="sutradhar.stages.film.translate.indictrans2.convert",
            packages=("ctranslate2",),
            remedy="Run scripts/bootstrap.sh",
            takes=("indictrans2",),
            by_hand=f"cp -r {{path}} models/, and then {CHOSEN_BY}",
            options=("--form", f"indictrans2-{numbers}"),
        ),
        chosen_by=CHOSEN_BY,
    )


def direction(source: str, target: str) -> str:
    """Return a checkpoint's one way: from English, into English, or between the languages of India."""
    if source == ENGLISH:
        return "en-indic"
    return "indic-en" if target == ENGLISH else "indic-indic"


def form(device: str, compute_type: str) -> str:
    """Return the form to load: MLX takes the hub's own, CTranslate2 one in its numbers."""
    if device == "mps":
        return "indictrans2"
    return {"int8": "indictrans2-int8", "float32": "indictrans2-float32"}.get(compute_type, "indictrans2-float16")


MODELS = TranslatorModels(
    model="INDICTRANS2_MODEL",
    device="INDICTRANS2_DEVICE",
    compute_type="INDICTRANS2_COMPUTE_TYPE",
    direction=direction,
    sizes=SIZES,
    compute_types={
        "cpu": ("int8", "float32"),
        "cuda": ("int8", "float16", "bfloat16", "float32"),
        "mps": ("float16", "bfloat16", "float32"),
    },
    backends={"cpu": "whisperx", "cuda": "whisperx", "mps": "mlx"},
    libraries={"cpu": "ctranslate2", "cuda": "ctranslate2", "mps": "mlx"},
    forms={
        "indictrans2": CHECKPOINT,
        **{f"indictrans2-{numbers}": _for_ctranslate(numbers) for numbers in ("int8", "float16", "float32")},
    },
    form=form,
)
ABOUT = TranslatorAbout(
    name="indictrans2",
    title="IndicTrans2",
    scope="22 Indian languages and English",
    languages=(ENGLISH, *LANGUAGES),
    settings=(MODELS.model, MODELS.device, MODELS.compute_type, "INDICTRANS2_NUM_BEAMS"),
    beams="INDICTRANS2_NUM_BEAMS",
    packages=("indictranstoolkit", "sentencepiece"),
    models=MODELS,
)
