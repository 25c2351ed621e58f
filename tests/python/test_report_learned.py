"""Learned exits and sizes in the report, and other exits: as their tables have it."""

import pytest

from report_browser import same, visit

pytestmark = pytest.mark.slow


def test_the_verdicts_and_intervals_of_learned_exits_are_those_of_the_table(page, demo):
    page.choose("eth_exits_learned")
    rows = demo.execute(
        "select section, subject, figure, value, low, high, note from report_exits "
        "where profile = 'eth_exits_learned' order by all"
    ).fetchall()
    (verdict,) = [row[-1] for row in rows if row[0] == "verdict"]
    assert page.page.text_content("#learned-exits-verdict") == verdict
    assert not page.page.is_visible("#learned-sizes-verdict")
    less = [row for row in rows if row[0].startswith("learned less")]
    shown = page.table("#learned-less")
    assert len(shown) == len(less) > 5
    for (name, _, *told), (_, subject, _, *found, _) in zip(shown, less, strict=True):
        assert name == subject
        assert all(same(t, f, 1e-3) for t, f in zip(told, found, strict=True))
    cells = page.series("policy-chart")["expected rest"]
    assert len(cells) == sum(row[0] == "policy" for row in rows)
    # Accounts are of sizes, and this profile learns none.
    assert not page.page.is_visible("#learned-accounts")


def test_the_sizes_of_a_profile_stand_beside_every_kind(page, demo):
    page.choose("eth_sized")
    rows = demo.execute(
        "select subject, value from report_sizing where profile = 'eth_sized' "
        "and section = 'account, out_of_sample' and figure = 'sharpe'"
    ).fetchall()
    sharpe = dict(rows)
    shown = page.table("#learned-accounts")
    assert {row[0] for row in shown} == set(sharpe)
    assert all(same(row[2], sharpe[row[0]], 1e-2) for row in shown)
    assert page.text("#learned-sizes-verdict")
    assert not page.page.is_visible("#learned-exits-verdict")
    assert not page.page.is_visible("#policy-chart")
    samples = [row[1] for row in page.table("#learned-less")]
    assert set(samples) == {
        f"{sample}, log growth a year" for sample in ("in sample", "out of sample")
    }
    calibrated = demo.execute(
        "select figure, value from report_sizing where profile = 'eth_sized' "
        "and section = 'calibration' and subject = 'fifth 1'"
    ).fetchall()
    told = dict(calibrated)
    first = page.table("#learned-calibration")[0]
    assert same(first[2], told["expected_share"], 1e-3)
    assert same(first[3], told["won_share"], 1e-3)


def test_other_exits_are_told_of_every_profile(page, demo):
    for profile in ("eth_comprehensive", "btc_live"):
        page.choose(profile)
        rows = demo.execute(
            "select exit_rule, mean_r, gain_r from report_other_exits "
            "where profile = ?",
            [profile],
        ).fetchall()
        known = {"the rules alone" if n == "none" else n: rest for n, *rest in rows}
        shown = page.table("#other-exits")
        assert len(shown) == len(known) > 10
        for name, _, _, mean, gain, *_ in shown:
            assert same(mean, known[name][0], 1e-3)
            assert same(gain, known[name][1], 1e-3)


def test_it_fits_a_phone_and_the_dark(browser, report):
    phone = {"width": 390, "height": 844}
    with visit(browser, report, viewport=phone, color_scheme="dark") as seen:
        seen.choose("eth_exits_learned")
        wide = seen.page.evaluate(
            "document.documentElement.scrollWidth - window.innerWidth"
        )
        assert wide <= 0
        assert seen.faults == []
