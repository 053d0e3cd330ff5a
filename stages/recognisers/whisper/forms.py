"""Whisper in the form of Hugging Face's transformers, which every engine here converts to its own form, and the
fine-tunes that have names."""

from __future__ import annotations

from sutradhar.pipeline.models.form import Form, Release

APACHE, CREATIVE_COMMONS = "apache-2.0", "cc-by-4.0"
# Each licence is what the model's page on the hub says. A revision is pinned where it was seen to have weights as
# safetensors: for vasista22's models, whose main branch has pickles alone, that is the request by which the hub's
# own bot offers them.
FINE_TUNES = {
    "whisper-hindi-large-v2": Release("vasista22/whisper-hindi-large-v2", "refs/pr/4", APACHE, ("hi",)),
    "whisper-hindi-small": Release("vasista22/whisper-hindi-small", "refs/pr/5", APACHE, ("hi",)),
    "whisper-small-hindi": Release("collabora/whisper-small-hindi", "", CREATIVE_COMMONS, ("hi",)),
    "whisper-tiny-hindi": Release("collabora/whisper-tiny-hindi", "", CREATIVE_COMMONS, ("hi",)),
    "whisper-medium-vaani-hindi": Release("ARTPARK-IISc/whisper-medium-vaani-hindi", "", "mit", ("hi",)),
    "whisper-tiny-vaani-hindi": Release("ARTPARK-IISc/whisper-tiny-vaani-hindi", "", "mit", ("hi",)),
    "whisper-hindi2hinglish-apex": Release(
        "Oriserve/Whisper-Hindi2Hinglish-Apex", "", APACHE, ("hi",), "Hinglish in Latin letters"
    ),
    "whisper-hindi2hinglish-prime": Release(
        "Oriserve/Whisper-Hindi2Hinglish-Prime",
        "f85cf467ac948d8114851f7b1cd57a93f8ef2de2",
        APACHE,
        ("hi",),
        "Hinglish in Latin letters",
    ),
    "whisper-hindi2hinglish-swift": Release(
        "Oriserve/Whisper-Hindi2Hinglish-Swift", "", APACHE, ("hi",), "Hinglish in Latin letters"
    ),
}
HUGGING_FACE = Form(
    title="Hugging Face",
    files=(("config.json",), ("model.safetensors", "model.safetensors.index.json")),
    optional=(
        "generation_config.json",
        "model-?????-of-?????.safetensors",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "normalizer.json",
        "vocab.json",
        "merges.txt",
    ),
    releases=FINE_TUNES,
)
