"""Forms of numbers, against recorded output."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.simulation import forms


@pytest.mark.parametrize(
    ("value", "base", "text"),
    [(77000, 77500, "-77000"), (100500, 77500, "+100500"), (9960, 9960, " 9960"), (0, 77500, "-0")],
)
def test_prices_carry_the_direction_from_the_base_price(value, base, text):
    assert forms.price(value, base) == text


@pytest.mark.parametrize(
    ("value", "base", "places", "text"),
    [
        (-500, 77500, 2, "-0.65"),
        (-600, 15950, 2, "-3.76"),
        (-40, 1215, 2, "-3.29"),
        (-350, 30800, 2, "-1.14"),
        (77000 - 91800, 91800, 2, "-16.12"),
        (77000 - 68300, 68300, 2, "+12.74"),
        (900, 3005, 2, "+29.95"),
        (0, 1225, 2, "0.00"),
        (1, 1_000_000, 2, "0.00"),
        (-1, 1_000_000, 2, "0.00"),
        (1, 0, 2, "0.00"),
    ],
)
def test_rates_are_rounded_and_signed(value, base, places, text):
    assert forms.percent(value, base, places) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (7726846, 8785122, "-87.95"),
        (7884712, 8785122, "-89.75"),
        (200, 100, "+200.00"),
        (0, 100, "0.00"),
        (5, 0, "0.00"),
    ],
)
def test_growth_is_the_ratio_with_the_sign_of_the_growth(now, before, text):
    assert forms.growth(now, before) == text


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [(496143503, 15, "000000496143503"), (-14867, 15, "-00000000014867"), (0, 12, "000000000000"), (4, 4, "0004")],
)
def test_amounts_are_filled_to_a_width_that_counts_the_sign(value, width, text):
    assert forms.padded(value, width) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (72528, 634560, "000000011.43"),
        (-14867, 462720, "-00000003.21"),
        (-46, 41950, "-00000000.11"),
        (1, 1, "000000100.00"),
        (0, 0, "000000000.00"),
    ],
)
def test_ratios_are_filled_to_twelve(part, whole, text):
    assert forms.padded_decimal(100 * part, whole) == text


@pytest.mark.parametrize(
    ("value", "base", "upper", "lower", "text"),
    [
        (130, 100, 130, 70, "1"),
        (110, 100, 130, 70, "2"),
        (100, 100, 130, 70, "3"),
        (70, 100, 130, 70, "4"),
        (90, 100, 130, 70, "5"),
    ],
)
def test_signs_tell_the_limits_apart(value, base, upper, lower, text):
    assert forms.sign(value, base, upper, lower) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (forms.change(700), "+700"),
        (forms.change(-500), "-500"),
        (forms.change(0), " 0"),
        (forms.delta(0), "0"),
        (forms.delta(-44), "-44"),
        (forms.index(220044, 219476), "+2200.44"),
        (forms.index(189181, 219476), "-1891.81"),
        (forms.index(219476, 219476), " 2194.76"),
        (forms.index_change(568), "+5.68"),
        (forms.index_change(-115), "-1.15"),
        (forms.strength(2944634, 4817707), "61.12"),
        (forms.strength(1, 0), "0.00"),
        (str(forms.market_value(5_969_782_550, 77_000)), "4596733"),
        (str(forms.market_value(5_969_782_550, 77_100)), "4602702"),
        (str(forms.market_value(54_000_000, 1_425)), "770"),
        (str(forms.millions(173_850_677_050)), "173851"),
        (forms.order_number(82314), "0082314"),
        (forms.order_number(None), "0000000"),
        (forms.account_code("005930"), "A005930"),
        (forms.account_code("520057", "etn"), "Q520057"),
        (forms.cut("팬스타엔터프라이즈", 16), "팬스타엔터프라이"),
        (forms.cut("KODEX 200", 16), "KODEX 200"),
        (forms.clock_colons(datetime(2022, 1, 4, 9, 19, 55, tzinfo=KST)), "09:19:55"),
        (forms.moment(datetime(2018, 1, 19, 15, 30, tzinfo=KST)), "20180119153000"),
    ],
)
def test_forms_are_as_recorded(written, text):
    assert written == text


@given(st.integers(-(10**14), 10**14), st.integers(1, 10**9), st.integers(1, 4))
def test_decimals_are_the_nearest(numerator, denominator, places):
    written = forms.decimal(numerator, denominator, places)
    scaled = int(written.replace(".", ""))
    assert abs(scaled * denominator - numerator * 10**places) * 2 <= denominator


@given(st.integers(-(10**11) + 1, 10**11), st.sampled_from([12, 15]))
def test_filled_amounts_read_back(value, width):
    written = forms.padded(value, width)
    assert len(written) == width
    assert int(written) == value
