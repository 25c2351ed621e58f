"""Settings given to one replay are held to what a build accepts."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barsieve.core.errors import InputError
from barsieve.core.model_lists import model_lists
from barsieve.profiles.check import check_document
from barsieve.profiles.overrides import apply, changed, leaves, parse, settings_of
from barsieve.profiles.resolution import complete
from barsieve.profiles.schema import is_list_of_text, load_schema
from conftest import PROJECT

LISTS = model_lists(PROJECT)
DOCUMENT = json.loads((PROJECT / "configs/eth_comprehensive.json").read_text())
LEAVES = leaves(load_schema("profile"))
KEYS = sorted(set(LEAVES) - {"profile"})


def refusal(*settings: str) -> str:
    with pytest.raises(InputError) as caught:
        apply(DOCUMENT, parse(settings), LISTS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("exits.stop_art=2", "exits.stop_atr"),
        ("stop_atr=2", "did you mean exits.stop_atr?"),
        ("entry.entry_treshold=0.5", "entry.entry_threshold"),
        ("weights.hob=0.2", "'hob' is 'liquidity' here"),
        ("nothing_like_it=1", "keys look like exits.stop_atr"),
        ("exits=3", "keys look like"),
        ("exits.stop_atr", "section.key=value"),
        ("=3", "section.key=value"),
        ("profile=other", "a key of the profile schema"),
        ("exits.stop_atr=-1", "more than 0"),
        ("exits.stop_atr=wide", 'the type "number"'),
        ("exits.stop_atr=NaN", 'the type "number"'),
        ("exits.stop_atr=1e999", 'the type "number"'),
        ("exits.stop_atr=", 'the type "number"'),
        ("exits.time_stop_bars=2.5", 'the type "integer"'),
        ("exits.time_stop_bars=99999999999", "at most 2147483647"),
        ("entry.cadence=2h", '["1h", "4h"]'),
        ("entry.alignment_required=yes", 'the type "boolean"'),
        ("weights.smc=0.5", "set others as well (weights.wyckoff"),
        ("entry.atr_rank_floor=0.99", "atr_rank_floor <= atr_rank_cap"),
        ("entry.entry_threshold=0.99", "no bar could ever pass it"),
        ("screen.method=sentinel", "within"),
        ("screen.envelope.entry_threshold=0.9", "at most the profile's own"),
        ("study.start=tomorrow", "ISO 8601"),
        ("symbol=ETH", "did you mean symbols?"),
        ("risk.start_balance=5000", "did you mean wallet.start_balance?"),
        ("start_balance=5000", "wallet.start_balance"),
        ("symbols=", "text that matches"),
        ("symbols=BTC,BTC", "each name once"),
        ("symbols=[]", "at least one name"),
        ("symbols=5", 'the type "array"'),
        ('symbols=["*", "BTC"]', "'*' alone"),
        ("wallet.kind=common", '["separate", "shared"]'),
        ("wallet.start_balance=0", "more than 0"),
        ("wallet.max_positions=0", "at least 1"),
        ("wallet.max_positions=1.5", '"integer" or "null"'),
        ("wallet.max_positions=99999999999", "at most 2147483647"),
        ("wallet.delisted_after_hours=0", "more than 0"),
    ],
)
def test_a_setting_that_a_build_would_refuse_is_refused_with_words(setting, words):
    assert words in refusal(setting)


def test_settings_that_only_make_sense_together_may_be_given_together():
    made = apply(
        DOCUMENT, parse(["weights.wyckoff=0.2", "weights.temporal=0.1"]), LISTS
    )
    assert made["weights"]["wyckoff"] == 0.2
    assert made["weights"]["temporal"] == 0.1
    assert DOCUMENT["weights"]["wyckoff"] == 0.3


def test_an_envelope_is_made_where_there_was_none():
    made = apply(DOCUMENT, parse(["screen.envelope.entry_threshold=0.4"]), LISTS)
    assert made["screen"]["envelope"] == {"entry_threshold": 0.4}


@pytest.mark.parametrize("value", [None, 1, [], "x"])
def test_what_is_no_section_is_refused_with_words(value):
    for section in ("weights", "entry", "exits", "screen", "regime", "study"):
        with pytest.raises(InputError, match=section):
            apply(DOCUMENT, {section: value}, LISTS)


@given(
    key=st.sampled_from(KEYS),
    value=st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["1h", "4h", "exact", "ETH", "2024-01-01T00:00:00Z"]),
    ),
)
def test_a_setting_is_accepted_exactly_when_a_file_with_it_is(key, value):
    text = value if isinstance(value, str) else json.dumps(value)
    changes = parse([f"{key}={text}"])
    is_listed = isinstance(value, str) and is_list_of_text(LEAVES[key])
    assert changes == {key: [value] if is_listed else value}
    path = PROJECT / "configs/eth_comprehensive.json"
    is_sound = not check_document(path, changed(DOCUMENT, changes), LISTS)
    if is_sound:
        made = complete(changed(DOCUMENT, changes))
        assert apply(DOCUMENT, changes, LISTS) == made
    else:
        with pytest.raises(InputError):
            apply(DOCUMENT, changes, LISTS)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ('["BTC", "ETH"]', ["BTC", "ETH"]),
        ("BTC, ETH", ["BTC", "ETH"]),
        ("BTC", ["BTC"]),
        ("*", ["*"]),
    ],
)
def test_a_list_of_names_may_be_set_as_text(text, symbols):
    made = apply(DOCUMENT, parse([f"symbols={text}", "wallet.kind=shared"]), LISTS)
    assert made["symbols"] == symbols
    assert made["wallet"] == complete(DOCUMENT)["wallet"] | {"kind": "shared"}
    made = apply(DOCUMENT, parse(["entry.sentinels=volume_spike"]), LISTS)
    assert made["entry"]["sentinels"] == ["volume_spike"]
    assert parse(["entry.sentinels=null"]) == {"entry.sentinels": None}


def test_settings_of_python_mean_what_they_mean_as_text():
    given = {
        "exits.stop_atr": np.float64(2.5),
        "exits.time_stop_bars": np.int64(48),
        "screen.envelope": {"entry_threshold": (0.4, 0.6)},
        "study.start": date(2023, 1, 1),
        "study.end": datetime(2023, 6, 1, tzinfo=UTC),
        "exits.target_r": np.nan,
    }
    text = [
        "exits.stop_atr=2.5",
        "exits.time_stop_bars=48",
        'screen.envelope={"entry_threshold": [0.4, 0.6]}',
        "study.start=2023-01-01T00:00:00+00:00",
        "study.end=2023-06-01T00:00:00+00:00",
        "exits.target_r=nan",
    ]
    assert json.dumps(settings_of(given)) == json.dumps(parse(text))
    assert settings_of({"symbols": "BTC"}) == {"symbols": ["BTC"]}
    assert settings_of({"symbols": ("BTC", "ETH")}) == {"symbols": ["BTC", "ETH"]}
    with pytest.raises(InputError, match=r"(?s)set symbol=ETH: .*mean symbols"):
        settings_of({"symbol": "ETH"})
    with pytest.raises(InputError, match=r"set stop_atr=2: .*\n.*exits.stop_atr"):
        settings_of({"stop_atr": 2})
