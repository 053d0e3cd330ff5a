"""The recogniser that runs on CTranslate2, as WhisperX does."""
