from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs import envfile
from sutradhar.pipeline.jobs.settings import Settings


def read(text: str | bytes) -> Settings:
    data = text if isinstance(text, bytes) else text.encode()
    return envfile.build(envfile.parse(data, "job.env"), "job.env")


@pytest.mark.parametrize(
    "title",
    [
        "$(touch X)",
        "`id`",
        "a;b",
        "Tom & Jerry",
        "it's",
        '"quoted"',
        "${HOME}",
        "दीवार 🎬",
        " lead",
        "a\\'b\\\\",
        "#x # y",
        "a\nb",
        "",
    ],
)
def test_values_are_stored_literally(title: str) -> None:
    assert read(envfile.render(Settings(TITLE=title), "Job", {})).TITLE == title


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r")))
def test_any_text_survives_the_file(title: str) -> None:
    assert read(envfile.render(Settings(TITLE=title), "Job", {})).TITLE == title


def test_every_setting_is_written_with_what_it_means() -> None:
    text = envfile.render(Settings(), "Job x", {"WHISPER_MODEL": "it is\nhere"})
    assert (
        "as many as fit. Lower it when memory runs out. A whole number from 1 to 512, or auto.\nBATCH_SIZE=8\n" in text
    )
    assert "# Chosen: it is here\nWHISPER_MODEL=base\n" in text
    assert read(text) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# c\nWISPER_MODEL=x\n", "job.env line 2: unknown setting WISPER_MODEL; did you mean WHISPER_MODEL?"),
        ("TITLE=a\n\nTITLE=b\n", "job.env line 3: TITLE is set twice (first in line 1); remove one of them"),
        ("TITLE=a\n\nTITLE='b\n", "job.env line 3: not a setting"),
        ("BATCH_SIZE\n", "job.env line 1: not a setting"),
        ("\n\nTITLE=${HOME}\n", "job.env line 3: variables are not expanded here"),
        (b"TITLE=a\nSOURCE_LANGUAGE=\xff\n", "job.env line 2: not UTF-8 text"),
        ("BATCH_SIZE=0", "job.env: BATCH_SIZE='0' does not fit: it must be a whole number from 1 to 512, or auto"),
        (
            "BATCH_SIZE=many",
            "job.env: BATCH_SIZE='many' does not fit: it must be a whole number from 1 to 512, or auto",
        ),
        ("WHISPERX_DEVICE=tpu", "does not fit: it must be one of cpu, cuda, mps"),
        ("WHISPER_TEMPERATURE=warm", "does not fit: it must be numbers below 2 separated by commas, such as 0.0,0.2"),
        (
            "TRANSLATION_ENGINE=indictrans",
            "'indictrans' does not fit: it must be one of indictrans2, whisper; did you mean indictrans2?",
        ),
        ("SILERO_THRESHOLD=1", "does not fit: it must be a number above 0, below 1"),
        ("OFFLINE=perhaps", "does not fit: it must be true or false"),
        ("WHISPER_MODEL=", "does not fit: it must be some text"),
        (
            "SOURCE_LANGUAGE='hi\n'",
            "SOURCE_LANGUAGE='hi\\n' does not fit: it must be a language (Hindi) or its ISO 639 code (hi), or auto",
        ),
    ],
)
def test_refuses_with_the_line(text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert message in str(caught.value)


def test_accepts_windows_line_ends_and_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbfBATCH_SIZE=3\r\nTITLE=x\r\n") == Settings(BATCH_SIZE=3, TITLE="x")


def test_words_of_ours_may_be_in_capitals_and_free_text_stays() -> None:
    found = read(
        "BATCH_SIZE=AUTO\nWHISPER_BACKEND=MLX\nSOURCE_LANGUAGE=HI\nOFFLINE=True\nTITLE=Sholay\nWHISPER_MODEL=./Mine\n"
    )
    assert found == Settings(
        BATCH_SIZE="auto",
        WHISPER_BACKEND="mlx",
        SOURCE_LANGUAGE="hi",
        OFFLINE=True,
        TITLE="Sholay",
        WHISPER_MODEL="./Mine",
    )
    assert envfile.parse_assignments(["WHISPER_BACKEND=MLX", "TITLE=X"]) == {"WHISPER_BACKEND": "mlx", "TITLE": "X"}


def test_languages_may_be_given_by_name() -> None:
    changes = envfile.parse_assignments(["SOURCE_LANGUAGE=Hindi", "TARGET_LANGUAGES=English, தமிழ்,mr"])
    assert changes == {"SOURCE_LANGUAGE": "hi", "TARGET_LANGUAGES": "en,ta,mr"}
    assert read("SOURCE_LANGUAGE=Hindi") == Settings(SOURCE_LANGUAGE="hi")
    assert read("SOURCE_LANGUAGE=auto\nTARGET_LANGUAGES=\n") == Settings()
    for bad in ("xxqq", "Hindi,Tamil"):
        with pytest.raises(UsageError, match=f"SOURCE_LANGUAGE='{bad}' does not fit: it must be a language"):
            read(f"SOURCE_LANGUAGE={bad}")


def test_change_leaves_the_rest_as_it_was() -> None:
    text = "# mine\nBATCH_SIZE=3  # small\nTITLE=x\n"
    assert envfile.change(text, {"BATCH_SIZE": "4"}, "now") == "# mine\n# Chosen: now\nBATCH_SIZE=4\nTITLE=x\n"
    assert envfile.change(text, {"OFFLINE": "true"}, "now") == text + "# Chosen: now\nOFFLINE=true\n"


def test_change_replaces_why_the_old_value_was_chosen() -> None:
    text = envfile.render(Settings(), "Job", {"WHISPER_BACKEND": "it is faster", "WHISPER_MODEL": "it is here"})
    changed = envfile.change(text, {"WHISPER_BACKEND": "mlx"}, "with --set")
    assert changed == text.replace(
        "# Chosen: it is faster\nWHISPER_BACKEND=whisperx\n", "# Chosen: with --set\nWHISPER_BACKEND=mlx\n"
    )
    assert envfile.change(changed, {"WHISPER_BACKEND": "mlx"}, "with --set") == changed


def test_change_knows_values_of_several_lines() -> None:
    text = "TITLE='a\nBATCH_SIZE=3'\nBATCH_SIZE=4\n"
    assert envfile.change(text, {"BATCH_SIZE": "5"}, "now") == "TITLE='a\nBATCH_SIZE=3'\n# Chosen: now\nBATCH_SIZE=5\n"


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_numbers_are_finite(value: str) -> None:
    with pytest.raises(UsageError, match="WHISPER_COMPRESSION_RATIO_THRESHOLD"):
        read(f"WHISPER_COMPRESSION_RATIO_THRESHOLD={value}\n")


def test_assignments_need_a_known_key() -> None:
    assert envfile.parse_assignments(["TITLE=a=b"]) == {"TITLE": "a=b"}
    with pytest.raises(UsageError, match="write --set KEY=VALUE"):
        envfile.parse_assignments(["TITLE"])
    with pytest.raises(UsageError, match="did you mean BATCH_SIZE"):
        envfile.parse_assignments(["BATCHSIZE=1"])
