"""Signals: the compiled body is that of SQL, and whoever alters either is told."""

import itertools
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barsieve.oracle.candidates import _telling_corners
from barsieve.oracle.entries import fuse
from barsieve.signals.blocks import Gates, codes_of, first_of_blocks, passing
from barsieve.signals.envelope import extreme_score
from barsieve.signals.market import is_within, row_dtype
from barsieve.signals.parity import Relations, compare_fusion
from barsieve.signals.score import fusion_score, known_weight

DOMAINS = ("wyckoff", "liquidity", "smc", "momentum", "temporal")


def relations(connection, profile: str, **altered) -> Relations:
    """Return what is compared for one profile, some relations exchanged by SQL."""
    found = Relations(*(connection.table(name) for name in Relations._fields))
    one = found.config_symbols.filter(f"profile = '{profile}'")
    altered = {name: connection.sql(sql) for name, sql in altered.items()}
    return found._replace(config_symbols=one, **altered)


def told(connection, profile: str, **altered) -> dict[tuple[str, str | None], int]:
    """Return how many bars have which verdict and fields that differ."""
    table = compare_fusion(relations(connection, profile, **altered))
    columns = (table["verdict"].to_pylist(), table["fields_that_differ"].to_pylist())
    found: dict[tuple[str, str | None], int] = {}
    for key in zip(*columns, strict=True):
        found[key] = found.get(key, 0) + 1
    return found


def test_every_bar_of_every_profile_is_compared(demo):
    found = demo.sql(
        "select profile, count(*), count_if(verdict = 'identical') from parity_fusion "
        "group by profile order by profile"
    ).fetchall()
    assert len(found) == len(demo.table("config_symbols").fetchall())
    for profile, n_bars, n_identical in found:
        (n_fusion,) = demo.execute(
            "select count(*) from fusion_scores where profile = ?", [profile]
        ).fetchone()
        assert n_bars == n_identical == n_fusion > 0


SOME = "bar_index % 1000 = 500"
# A wrong value of each field at some bars: who finds it?
WRONG = {
    "fusion_score": "fusion_score + 1e-16 * 2",
    "domains_used": "domains_used + 1",
    "side": "if(side = 'long', 'short', 'long')",
    "confidence": "coalesce(confidence, 0.5) + 1e-9",
    "threshold": "threshold + 1.2e-16",
    "is_in_atr_band": "not is_in_atr_band",
    "is_in_study": "not is_in_study",
    "passes_gates": "not passes_gates",
    "is_eligible": "not is_eligible",
    "has_sentinel": "not has_sentinel",
    "is_macro_exit": "not is_macro_exit",
    "is_entry": "not is_entry",
}


@pytest.mark.parametrize("field", WRONG)
def test_a_wrong_value_is_named(demo, field):
    wrong = (
        f"select * replace (if({SOME} and fusion_score > 0.4, {WRONG[field]}, {field}) "
        f"as {field}) from fusion_scores"
    )
    found = told(demo, "eth_comprehensive", fusion_scores=wrong)
    assert found["identical", None] > 10_000
    assert {verdict for verdict, _ in found} == {"identical", "differs"}
    assert {fields for _, fields in found} <= {None, field, f"{field}, is_macro_exit"}


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_candidate_that_is_missing_too_many_or_too_low_is_named(demo, side):
    field = ("differs", f"candidate_{side}")
    one = (
        "select profile, min(bar_ts) as bar_ts from candidates "
        f"where side = '{side}' group by profile"
    )
    for wrong in (
        f"from candidates anti join ({one}) using (profile, bar_ts) "
        "union all by name from candidates semi join "
        f"({one}) using (profile, bar_ts) where side != '{side}'",
        "select * replace (score - 1e-15 as score) from candidates "
        f"where side = '{side}' union all by name "
        f"from candidates where side != '{side}'",
        "from candidates union all by name select profile, symbol, bar_ts, bar_index, "
        f"'{side}' as side, 0.9 as score from fusion_scores where bar_index = 3",
    ):
        found = told(demo, "eth_learned", candidates=wrong)
        assert found.pop(field) >= 1
        assert set(found) == {("identical", None)}


def test_a_bar_that_one_body_lacks_is_told(demo):
    kept = f"from fusion_scores where not ({SOME})"
    found = told(demo, "btc_live", fusion_scores=kept)
    assert sum(n for (verdict, _), n in found.items() if verdict == "missing") > 10
    kept = f"from sweep_bars where not ({SOME})"
    found = told(demo, "btc_live", sweep_bars=kept)
    assert sum(n for (verdict, _), n in found.items() if verdict == "invented") > 10


def test_a_study_has_its_end_and_not_its_start():
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
    closes = np.array([at.timestamp() * 1e6 for at in (start, end)])
    assert is_within(closes, start, end).tolist() == [False, True]
    assert is_within(closes + 1, start, end).tolist() == [True, False]
    assert is_within(closes, None, None).all()


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 6), st.booleans())
def test_the_oracles_telling_corners_are_all_that_it_needs(data, n, is_aligned):
    names = [f"d{k}" for k in range(n)]
    drawn = st.none() | st.sampled_from([0.2, 0.5, 0.7]) | st.floats(0, 1)
    found = dict(
        zip(names, data.draw(st.lists(drawn, min_size=n, max_size=n)), strict=True)
    )
    edges = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda e: tuple(sorted(e)))
    box = dict(
        zip(names, data.draw(st.lists(edges, min_size=n, max_size=n)), strict=True)
    )

    def ends(corners) -> list[float]:
        fused = [
            fuse(found, dict(zip(box, corner, strict=True)), is_aligned)
            for corner in corners
        ]
        known = [score for score in fused if score is not None]
        return [min(known), max(known)] if known else []

    few, all_ = _telling_corners(found, box), itertools.product(*box.values())
    assert ends(few) == pytest.approx(ends(all_), abs=1e-12)


scores = st.none() | st.floats(0, 1)


def row_of(found: list[float | None], is_aligned: bool) -> np.record:
    row = np.zeros(1, row_dtype(len(found))).view(np.recarray)[0]
    for bit, score in enumerate(found):
        row.scores[bit] = score or 0.0
        row.knows |= (score is not None) << bit
    row.factor = 1.0 if is_aligned else 0.8
    return row


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 7), st.booleans())
def test_the_sorted_bound_is_that_of_all_corners(data, n, is_aligned):
    """By the oracle's formula at each of up to 128 corners, ties and nulls included."""
    drawn = st.none() | st.sampled_from([0.2, 0.5, 0.7]) | st.floats(0, 1)
    found = data.draw(st.lists(drawn, min_size=n, max_size=n))
    weight = st.sampled_from([0.0, 0.1, 0.4]) | st.floats(0, 1)
    edges = st.tuples(weight, weight).map(sorted)
    box = np.array(data.draw(st.lists(edges, min_size=n, max_size=n)))
    names = [f"d{k}" for k in range(n)]
    fused = [
        fuse(
            dict(zip(names, found, strict=True)),
            dict(zip(names, w, strict=True)),
            is_aligned,
        )
        for w in itertools.product(*box.tolist())
    ]
    known = [score for score in fused if score is not None]
    row, room = row_of(found, is_aligned), np.empty(n)
    for sign, best in ((1, max), (-1, min)):
        ours = extreme_score(box, row, sign, room)
        assert (
            ours == pytest.approx(best(known), abs=1e-12) if known else np.isnan(ours)
        )


@settings(deadline=None)
@given(
    st.lists(scores, min_size=5, max_size=5),
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.4]), min_size=5, max_size=5),
    st.booleans(),
)
def test_the_score_is_the_mean_of_the_definition(found, weights, is_aligned):
    row, own = row_of(found, is_aligned), np.array(weights)
    ours = fusion_score(own, row, known_weight(own, int(row.knows)))
    named = dict(zip(DOMAINS, found, strict=True))
    theirs = fuse(named, dict(zip(DOMAINS, weights, strict=True)), is_aligned)
    assert (
        np.isnan(ours) if theirs is None else ours == pytest.approx(theirs, rel=1e-12)
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30))
def test_the_first_of_a_block_to_pass_is_the_first(drawn):
    bars = [(block, passes) for block, passes in sorted(drawn, key=lambda b: b[0])]
    bars = [b for at, b in enumerate(bars) if at < 4 or bars[at - 4][0] != b[0]]
    seen, expected = set(), []
    for block, passes in bars:
        expected.append(passes and block not in seen)
        seen |= {block} if passes else set()
    block = np.array([block for block, _ in bars], int)
    passes = np.array([passes for _, passes in bars], bool)
    assert first_of_blocks(block, passes).tolist() == expected


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, np.nan]), st.booleans())),
    st.sampled_from([0.0, 0.1, 0.15, 0.2]),
    st.sampled_from([0.2, 0.25, 0.3, 1.0]),
    st.integers(0, 1),
)
def test_gates_are_two_comparisons_and_an_alignment(bars, floor, cap, is_required):
    rank = np.array([rank for rank, _ in bars], float)
    aligned = np.array([is_aligned for _, is_aligned in bars], bool)
    found = passing(codes_of(rank, aligned), Gates(floor, cap, is_required))
    assert found.tolist() == [
        bool(floor <= rank <= cap and (is_aligned or not is_required))
        for rank, is_aligned in bars
    ]
