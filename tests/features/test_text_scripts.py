from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.features.text.scripts import english_words, language_of, script_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("River Mountain Report", "en"),
        ("It's a wonderful life", "en"),
        ("新闻联播 CCTV", "zh"),
        ("東京の天気", "ja"),
        ("カメラ", "ja"),
        ("Привет, мир", "ru"),
        ("안녕하세요", "ko"),
        ("مرحبا", "ar"),
        ("Guten Morgen und willkommen", ""),
        ("Les enfants du paradis", ""),
        ("La vida es sueño", ""),
        ("El tiempo de hoy", ""),
        ("Ευχαριστώ", ""),
        ("12:30", ""),
        ("PTS = 1.0s", ""),
        ("", ""),
    ],
)
def test_guesses_the_language_by_script_and_words(text: str, language: str) -> None:
    if language == "en" and not english_words():
        pytest.skip("pocketsphinx, whose word list tells English, is not installed")
    assert language_of(text) == language


@given(st.text(max_size=40))
def test_any_text_has_one_of_the_known_languages(text: str) -> None:
    assert language_of(text) in {"zh", "ja", "ko", "ru", "ar", "en", ""}


@given(st.characters())
def test_only_letters_have_a_script(character: str) -> None:
    assert bool(script_of(character)) == character.isalpha()
