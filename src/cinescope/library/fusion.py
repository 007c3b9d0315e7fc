"""Several answers as one. Knows ranks; nothing of how words, passages or pictures are found.

What was found by words, by meaning and in pictures is joined by reciprocal ranks (Cormack, Clarke & Buettcher 2009): a
moment is worth the sum of 1 / (60 + its rank) over the lists that it is in. Moments with all the words count more,
those with some of them less. Similarities of two models are never compared, only ranks.

Whether something is absent is decided on words and passages alone: every question has nearest pictures, and of most
picture models nobody measured how near is near. So a picture neither proves nor disproves anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cinescope.library import absence
from cinescope.library.hybrid import MEANING, Near
from cinescope.types import Moment, SearchResult, Span

RANKS = 60  # Cormack et al.'s constant: how slowly a rank's worth falls
ALL_WORDS, SOME_WORDS = 1.5, 0.5  # how much a moment with all, or only some, of the words counts beside a near one


def fused(words: SearchResult, looks: Sequence[Near], share: float, limit: int) -> SearchResult:
    """One result of what the words gave and the `looks` that could be made; without any, the words' own.

    `share`: how much of the question's words the best single row has, 0 to 1. Moments' scores are relative to the best
    one's. What lies in a moment that is there already is evidence for it.
    """
    looks = [look for look in looks if not look.why]
    if not looks:
        return words
    moments = list(words.moments)
    worth = [
        (ALL_WORDS if moment.score >= 0.5 else SOME_WORDS) / (RANKS + rank) for rank, moment in enumerate(moments, 1)
    ]
    by_words = len(moments)
    for look in looks:
        _join(moments, worth, look)
    best = max(worth, default=1.0)
    rated = [_rated(m, value / best, by_words > i) for i, (m, value) in enumerate(zip(moments, worth, strict=True))]
    order = sorted(range(len(rated)), key=lambda i: (-worth[i], i))
    says = next((v for v in (_verdict(look, share) for look in looks) if v is not None and v.absent), None)
    return replace(
        words,
        moments=tuple(rated[i] for i in order[:limit]),
        note=_note(words, looks, says),
        total=words.total + len(moments) - by_words,
        looked_at=(*words.looked_at, *(look.kind for look in looks)),
        absent=says is not None,
    )


def _join(moments: list[Moment], worth: list[float], look: Near) -> None:
    rank = 0
    for evidence, video_id in look.hits:
        same = _overlapping(moments, video_id, evidence.span)
        if same is None:
            rank += 1
            moments.append(Moment(video_id, evidence.span, 0.0, {}, (evidence,)))
            worth.append(1.0 / (RANKS + rank))
        elif look.kind not in {e.kind for e in moments[same].evidence}:
            rank += 1
            moments[same] = replace(moments[same], evidence=(*moments[same].evidence, evidence))
            worth[same] += 1.0 / (RANKS + rank)


def _verdict(look: Near, share: float) -> absence.Verdict | None:
    if look.kind != MEANING:
        return None
    return absence.verdict(look.encoder, look.strength, share, look.size)


def _rated(moment: Moment, score: float, has_words: bool) -> Moment:
    """The moment with its score shared out evenly: to the words (as among their modalities), and to each other kind."""
    near = [k for k in dict.fromkeys(e.kind for e in moment.evidence) if k not in moment.by_modality]
    if not has_words:
        return replace(moment, score=score, by_modality=dict.fromkeys(near, score / len(near)))
    whole = sum(moment.by_modality.values()) or 1.0
    part = score / (len(near) + 1)
    words = {k: part * v / whole for k, v in moment.by_modality.items()}
    return replace(moment, score=score, by_modality=words | dict.fromkeys(near, part))


def _overlapping(moments: list[Moment], video_id: str, span: Span) -> int | None:
    return next((i for i, m in enumerate(moments) if m.video_id == video_id and m.span.overlaps(span)), None)


def _note(words: SearchResult, looks: Sequence[Near], says: absence.Verdict | None) -> str:
    """`says`: the verdict that it is absent, None where it is there or nothing can be said."""
    found = {look.kind for look in looks if look.hits}
    seen = bool(found - {MEANING})
    if says is not None:
        nothing = "nothing like that" if says.sure else "probably nothing like that"
        if seen:
            return f"{nothing} is said or written in these videos; the nearest pictures are shown"
        return f"{nothing} in these videos" + ("; the nearest are shown" if found or words.moments else "")
    if found and not any(m.score >= 0.5 for m in words.moments):
        near = "come near in meaning or look most like it" if seen else "come near in meaning"
        return f"no moment has all the words; these {near if MEANING in found else 'look most like it'}"
    return words.note
