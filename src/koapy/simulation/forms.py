"""How OpenAPI+ writes numbers: signs against the base price, rates, zero padding, times. Pure text functions.

A price or a change without direction carries a blank where its sign would stand (`" 9960"`); rates do not (`"0.00"`).
Amounts are won, quantities shares, unless a function says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation.model import Action, OrderKind, Side

if TYPE_CHECKING:
    from datetime import date, datetime

    from koapy.simulation.model import Order

UP_LIMIT, UP, SAME, DOWN_LIMIT, DOWN = "1", "2", "3", "4", "5"
"""전일대비기호."""

ORDER_NAMES = {
    (Action.NEW, Side.BUY): "+매수",
    (Action.NEW, Side.SELL): "-매도",
    (Action.MODIFY, Side.BUY): "+매수정정",
    (Action.MODIFY, Side.SELL): "-매도정정",
    (Action.CANCEL, Side.BUY): "매수취소",
    (Action.CANCEL, Side.SELL): "매도취소",
}
"""주문구분."""

QUOTE_NAMES = {
    OrderKind.LIMIT: "보통",
    OrderKind.MARKET: "시장가",
    OrderKind.CONDITIONAL: "조건부지정가",
    OrderKind.BEST: "최유리지정가",
    OrderKind.PRIORITY: "최우선지정가",
    OrderKind.LIMIT_IOC: "보통(IOC)",
    OrderKind.MARKET_IOC: "시장가(IOC)",
    OrderKind.BEST_IOC: "최유리(IOC)",
    OrderKind.LIMIT_FOK: "보통(FOK)",
    OrderKind.MARKET_FOK: "시장가(FOK)",
    OrderKind.BEST_FOK: "최유리(FOK)",
    OrderKind.EARLY_CLOSE: "장전시간외",
    OrderKind.LATE_CLOSE: "장후시간외",
    OrderKind.LATE_AUCTION: "시간외단일가",
}
"""매매구분."""


_DIGITS = [f"{number:02d}" for number in range(100)]
"""Two digits, of what is written thousands of times a second."""


def rounded(numerator: int, denominator: int) -> int:
    """Return the quotient as a whole number, halves away from zero; 0 when there is nothing to divide by."""
    if denominator == 0:
        return 0
    size = (2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator))
    return size if (numerator < 0) == (denominator < 0) else -size


def decimal(numerator: int, denominator: int = 1, places: int = 2) -> str:
    """Write a quotient with a fixed number of decimals and no plus sign: `-16.12`."""
    if places == 2 and numerator >= 0 and denominator > 0:  # nearly always, and much in each tick
        scaled = (200 * numerator + denominator) // (2 * denominator)
        return f"{scaled // 100}.{_DIGITS[scaled % 100]}"
    scaled = rounded(numerator * 10**places, denominator)
    whole, part = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{places}d}"


def rate(numerator: int, denominator: int = 1, places: int = 2) -> str:
    """Write a quotient with its sign, none when it rounds to 0: `+0.95`, `0.00`."""
    text = decimal(abs(numerator), abs(denominator), places)
    if not text.strip("0."):
        return text
    return f"{'+' if (numerator < 0) == (denominator < 0) else '-'}{text}"


def percent(numerator: int, denominator: int, places: int = 2) -> str:
    """Write a quotient in percent with its sign: `-0.65`."""
    return rate(100 * numerator, denominator, places)


def growth(now: int, before: int) -> str:
    """Write FID 30, now in percent of before, where the sign says whether it grew: `-87.95`, `+162.95`."""
    text = decimal(100 * now, before)
    if not text.strip("0."):
        return text
    return f"{'+' if now >= before else '-'}{text}"


def change(value: int) -> str:
    """Write a difference with its sign, a blank for none: `+700`, ` 0`."""
    return f"{value:+d}" if value else " 0"


def price(value: int, base: int) -> str:
    """Write a price with the sign of its distance to the base price: `+74000`, ` 73300`, `-0` for a missing one."""
    if value == base:
        return f" {value}"
    return f"{'+' if value > base else '-'}{value}"


def delta(value: int) -> str:
    """Write the change of an order book quantity: `+22`, `0`."""
    return f"{value:+d}" if value else "0"


def net(value: int) -> str:
    """Write what was bought less what was sold, where the server writes two signs: `+6490`, `--10426`, ` 0`."""
    return f"-{value}" if value < 0 else change(value)


def sign(value: int, base: int, upper: int = 0, lower: int = 0) -> str:
    """Return the 전일대비기호 of a price: 1 upper limit, 2 up, 3 same, 4 lower limit, 5 down."""
    if value == base:
        return SAME
    if value > base:
        return UP_LIMIT if value == upper else UP
    return DOWN_LIMIT if value == lower else DOWN


def padded(value: int, width: int) -> str:
    """Fill a whole number with zeros to a width that counts the sign: `-00000000433530`."""
    return f"{value:0{width}d}"


def padded_decimal(numerator: int, denominator: int = 1, width: int = 12, places: int = 2) -> str:
    """Fill a decimal with zeros to a width that counts sign and point: `000000011.43`, `-00000006.69`."""
    text = decimal(numerator, denominator, places)
    return f"-{text[1:].zfill(width - 1)}" if text.startswith("-") else text.zfill(width)


def index(hundredths: int, base: int) -> str:
    """Write an index value given in hundredths of a point with its sign against the base: `+2200.44`."""
    text = decimal(hundredths, 100)
    return f" {text}" if hundredths == base else f"{'+' if hundredths > base else '-'}{text}"


def index_change(hundredths: int) -> str:
    """Write an index difference given in hundredths of a point: `+5.68`, ` 0.00`."""
    return rate(hundredths, 100) if hundredths else " 0.00"


def millions(won: int) -> int:
    """Return an amount in million won (백만원)."""
    return rounded(won, 1_000_000)


def thousands(shares: int) -> int:
    """Return a number of shares in thousands."""
    return rounded(shares, 1_000)


def market_value(shares: int, price_: int) -> int:
    """Return 시가총액 in 억원."""
    return rounded(shares * price_, 100_000_000)


def strength(bought: int, sold: int) -> str:
    """Write 체결강도, buys in percent of sells; 0.00 while nothing was sold."""
    return decimal(100 * bought, sold)


def day(value: date) -> str:
    """Write a date: `20220204`."""
    return f"{value:%Y%m%d}"


def clock(value: datetime | None) -> str:
    """Write a time of day: `142905`, zeros for none."""
    if value is None:
        return "000000"
    return _DIGITS[value.hour] + _DIGITS[value.minute] + _DIGITS[value.second]


def clock_colons(value: datetime) -> str:
    """Write a time of day as the account TRs do: `09:19:55`."""
    return f"{value:%H:%M:%S}"


def moment(value: datetime) -> str:
    """Write the time of a chart bar: `20180119153000`."""
    return f"{value:%Y%m%d%H%M%S}"


def order_number(number: int | None) -> str:
    """Write an order number with 7 digits, `0000000` for none."""
    return f"{number or 0:07d}"


def credit_kind(order: Order) -> str:
    """Write an order's 신용구분 as sCreditGb has it, 00 for none."""
    if order.credit is None:
        return "00"
    return "03" if order.side is Side.BUY else "33" if order.credit.loan_date else "99"


def loan_date(value: date | None) -> str:
    """Write a 대출일: `20220204`, zeros for none."""
    return day(value) if value else "00000000"


def account_code(code: str, kind: str = "stock") -> str:
    """Write a code as the account TRs do: A for what trades as a stock, Q for an ETN."""
    return f"{'Q' if kind == 'etn' else 'A'}{code}"


def wide(name: str) -> str:
    """Pad a name to 40 bytes of CP949."""
    return name + " " * (40 - len(name.encode("cp949", "replace")))


def cut(name: str, width: int) -> str:
    """Cut a name to a width in bytes of CP949, as the account server does."""
    return name.encode("cp949", "replace")[:width].decode("cp949", "ignore")
