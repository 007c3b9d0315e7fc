"""Words as the index has them, stems as the index makes them, and where they stand in a text."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.library.matching import Text, joined, units_of
from cinescope.library.normal import folded, normalised, pairs, tokens
from cinescope.library.query import parse
from cinescope.library.schema import WORD_INDEXES
from cinescope.library.stemming import stem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("State-of-the-art, l’été", "state of the art l ete"),
        ("don’t DON'T dont", "dont dont dont"),
        ("O'Brien's car's", "o brien s car s"),
        ("C++ and C# (c++)", "cplusplus and csharp cplusplus"),
        ("3.14 and 1,000 or 10,00", "3 14 and 1000 or 10 00"),
        ("bob@example.com foo_bar.py", "bob example com foo bar py"),
        ("Ｆｕｌｌ ﬁne straße Ærøskøbing İstanbul naïve", "full fine strasse aeroskobing istanbul naive"),
        ("我们 去北\n京 in 2024", "我们去北京 in 2024"),
        ("co\u00adoperate हिन्दी ภาษาไทย", "cooperate हिन्दी ภาษาไทย"),
        ("🎉 !!", ""),
    ],
)
def test_words_of_a_text(text: str, words: str) -> None:
    assert normalised(text) == words


def test_pairs_of_a_text() -> None:
    assert pairs("I saw 去北京 and ジョン・スミス") == "去 去北 北 北京 京 | ジ ジョ ョ ョン ン | ス スミ ミ ミス ス"
    assert pairs("北\n京") == "北 北京 京"
    assert pairs("ｶﾞ") == "ガ"
    assert pairs("no such letters") == ""


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60))
def test_words_stand_where_they_are_said_to_stand(text: str) -> None:
    found = list(tokens(text))
    assert all(0 <= t.start < t.end <= len(text) for t in found)
    assert all(a.end <= b.start or (a.start, a.end) == (b.start, b.end) for a, b in pairwise(found))
    # What has been through once stays as it is: a query and a row meet in the same form.
    assert normalised(normalised(text)).replace(" ", "") == normalised(text).replace(" ", "")
    assert all(t.form for t in found)


@pytest.mark.parametrize("form", ["straße", "ŒUVRE", "Ǆ", "İ", "ΌΣΟΣ", "é", "e\u0301", "½"])
def test_folding_twice_changes_nothing(form: str) -> None:
    assert folded(folded(form)) == folded(form)


WORDS = [
    "run",
    "running",
    "runs",
    "runner",
    "cars",
    "car's",
    "caresses",
    "ponies",
    "ties",
    "cats",
    "feed",
    "agreed",
    "plastered",
    "motoring",
    "conflated",
    "troubled",
    "sized",
    "hopping",
    "tanned",
    "falling",
    "hissing",
    "fizzed",
    "failing",
    "filing",
    "happy",
    "sky",
    "cry",
    "say",
    "relational",
    "conditional",
    "rational",
    "valenci",
    "digitizer",
    "conformabli",
    "radically",
    "differently",
    "vileli",
    "analogously",
    "vietnamization",
    "predication",
    "operator",
    "feudalism",
    "decisiveness",
    "hopefulness",
    "callousness",
    "formaliti",
    "sensitiviti",
    "sensibiliti",
    "triplicate",
    "formative",
    "formalize",
    "electriciti",
    "electrical",
    "hopeful",
    "goodness",
    "revival",
    "allowance",
    "inference",
    "airliner",
    "gyroscopic",
    "adjustable",
    "defensible",
    "irritant",
    "replacement",
    "adjustment",
    "dependent",
    "adoption",
    "communism",
    "activate",
    "angulariti",
    "homologous",
    "effective",
    "bowdlerize",
    "probate",
    "rate",
    "cease",
    "controll",
    "roll",
    "skies",
    "dying",
    "lying",
    "news",
    "inning",
    "outing",
    "proceed",
    "succeed",
    "generate",
    "generously",
    "communication",
    "arsenal",
    "gently",
    "early",
    "only",
    "singly",
    "yes",
    "youth",
    "boyish",
    "toy",
    "flying",
    "beautifully",
    "kindness",
    "cameras",
    "filmed",
    "scenes",
    "lovely",
    "loveliest",
]


def test_stems_are_those_of_the_index(tmp_path: Path) -> None:
    """Every word finds, through the index's stemmer, exactly the words that have the same stem here."""
    import lance
    import pyarrow as pa
    from lance.query import MatchQuery

    words = sorted({w.replace("'", "") for w in WORDS})
    uri = str(tmp_path / "words.lance")
    lance.write_dataset(pa.table({"word": words}), uri)
    options: dict[str, Any] = WORD_INDEXES["stems"]
    lance.dataset(uri).create_scalar_index("word", "INVERTED", **options)
    data = lance.dataset(uri)
    for word in words:
        found = data.to_table(full_text_query=MatchQuery(word, "word"), limit=len(words))["word"].to_pylist()
        assert sorted(found) == [w for w in words if stem(w) == stem(word)], word


def places(query: str, text: str, language: str = "en") -> list[str]:
    match = Text(text, language).match(units_of(parse(query).wanted))
    return [text[a:b] for a, b in match.offsets]


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("car", "Cars, a CAR and a carpet", ["Cars", "CAR"]),
        ('"car"', "Cars, a CAR and a carpet", ["CAR"]),
        ('"red car"', "a red, car is red car", ["red, car", "red car"]),
        ("e-mail", "an email or E-mail", ["email", "E-mail"]),
        ("cafe", "Das Café", ["Café"]),
        ("Café", "das cafe", ["cafe"]),
        ("dont", "I don’t", ["don’t"]),
        ("C++", "C or C++", ["C++"]),
        ("去北京", "我们去北\n京", ["去北\n京"]),
        ("去北京吃饭", "我们去北京", ["去北京"]),
        ("iphone手机", "new iPhone 手机!", ["iPhone 手机"]),
        ("ไทย", "ภาษาไทยง่าย", ["ไทย"]),
        ("heute", "Heute, heutig", ["Heute"]),
    ],
)
def test_places_of_a_query_in_a_text(query: str, text: str, marked: list[str]) -> None:
    assert places(query, text) == marked


def test_other_languages_are_not_stemmed() -> None:
    assert places("cars", "le car", "fr") == []
    assert places("cars", "the car", "en-GB") == ["car"]


def test_half_a_chinese_word_is_a_part_of_a_match() -> None:
    match = Text("我们去北京").match(units_of(parse("去北京吃饭").wanted))
    assert 0.4 < match.covered[0] < 1
    assert not Text("北京").match(units_of(parse('"去北京吃饭"').wanted)).covered


def test_equal_words_are_one() -> None:
    assert len(units_of(parse('Car car CAR "car"').wanted)) == 2


def test_joined() -> None:
    assert joined([(5, 7), (0, 3), (2, 4), (4, 5)]) == ((0, 4), (4, 5), (5, 7))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_plain_english_is_cut_as_it_is_beside_other_scripts(text: str) -> None:
    """ASCII texts have an expression of their own, which is quicker to load."""
    beside = [t for t in tokens(text + " é") if t.form != "e" or t.start < len(text)]
    assert list(tokens(text)) == beside
