"""Build the tables of koapy.openapi from a folder of collected facts.

    python tools/build_tables.py FACTS_DIR

Writes src/koapy/openapi/tables/*.csv. The tables keep what a program or a user needs and leave out where each fact was
found; what belongs together (a TR with all its fields, a real type with its FIDs) becomes one row, which loads several
times faster than a row a field. The trading calendar has a tool of its own (build_calendar.py).
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

TABLES = Path(__file__).resolve().parents[1] / "src" / "koapy" / "openapi" / "tables"

Row = dict[str, str]


def read(facts: Path, name: str) -> list[Row]:
    with (facts / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, header: str, rows: list[list[str]]) -> None:
    with (TABLES / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split())
        writer.writerows(rows)
    print(f"{name}.csv: {len(rows)} rows")


def copy(facts: Path, name: str, columns: str) -> None:
    """Write some columns of a facts file as they are."""
    write(name, columns, [[row[column] for column in columns.split()] for row in read(facts, name)])


def functions(facts: Path) -> None:
    rows = [
        [kind, row["name"], row["parameters"], {"None": "none", "": "array"}.get(row["returns"], row["returns"])]
        for kind, name in (("function", "function"), ("event", "event"))
        for row in ({"returns": "None"} | each for each in read(facts, name))
    ]
    for row in read(facts, "helper"):
        returns = {"long": "int", "bool": "bool"}[row["returns"]]
        rows.append(["helper", row["name"], row["params"].replace(";", " "), returns])
    write("function", "kind name parameters returns", rows)


def pack(fields: list[Row]) -> str:
    """`name:fid:width` joined by `|`; none of the names holds either."""
    return "|".join(f"{field['name']}:{field['fid']}:{field['width']}" for field in fields)


def transactions(facts: Path) -> None:
    fields: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in read(facts, "tr_field"):
        fields[row["tr_code"], row["direction"]].append(row)
    kept = ["tr_code", "name", "kind", "single_record", "multi_record", "max_rows", "gfid", "count_field", "edition"]
    trs = read(facts, "tr")
    for row in trs:
        if not row["gfid"].isdigit():  # the data file of opt50039 has a word there
            row["gfid"] = ""
    write(
        "tr",
        "code name kind single_record multi_record max_rows gfid count_field edition inputs single multi",
        [
            [row[column] for column in kept]
            + [pack(fields[row["tr_code"], way]) for way in ("input", "single", "multi")]
            for row in trs
        ],
    )


# Parts of the collected notes on TR inputs that only compare editions and sources: not for the user of an input.
ABOUT_SOURCES = re.compile(
    r"(older|old|oldest) text|rest twin|labels from|without |text: |no text|by analogy|(some )?programs? |a program"
    r"|teranum|both texts|texts? (says?|calls)|the (2026 )?text|a 2026 text|by its name|default only|only in a program"
)
REWORDED = (
    (r"or 039490_NX, 039490_AL \(2025\+\)", "CODE_NX (Nextrade) or CODE_AL (both venues) too, since 2025"),
    (r"통합시세 종목코드만 지원.*", "only CODE_AL (both venues)"),
    (r"(?:2026 text: )?사용안함(?:\(공백\))?", "not used"),
    (r"N만 사용가능", "only N"),
    (r"전문 조회할 보유계좌번호 10자리|조회할 주문번호", ""),
    (r"2026 text adds (.+)", r"KOA Studio also shows \1"),
    (r"TR: mock serves (.+)", r"the mock server serves \1"),
    (r"TR: (.+)", r"the TR is \1"),
    (r"(?:underlyings|LPs|issuers) incomplete", "the list is not complete"),
    (r"(.+) \((?:older|old) text.*\)", r"\1"),
    (r"YYYYMMDD \(.*", "YYYYMMDD"),
)


def note(text: str) -> str:
    """A collected note in the user's words; a "; " inside brackets does not part it."""
    kept: list[str] = []
    for part in re.split(r"; (?![^(]*\))", text):
        reworded = next(
            (found.expand(words) for pattern, words in REWORDED if (found := re.fullmatch(pattern, part))), part
        )
        if reworded and not ABOUT_SOURCES.match(reworded):
            kept.append(reworded)
    return "; ".join(kept)


def tr_inputs(facts: Path) -> None:
    order = {row["tr_code"]: place for place, row in enumerate(read(facts, "tr"))}
    rows = sorted(read(facts, "tr_input"), key=lambda row: (order[row["tr"]], int(row["position"])))
    columns = ["tr", "name", "values", "format", "required", "default", "example"]
    write(
        "tr_input",
        "tr name values format required default example note",
        [[row[column] for column in columns] + [note(row["note"])] for row in rows],
    )


def real_types(facts: Path) -> None:
    general: dict[str, list[str]] = defaultdict(list)
    own: dict[str, list[str]] = defaultdict(list)
    for lists, name in ((general, "realtype_field"), (own, "realtype_ocx")):
        for row in read(facts, name):
            lists[row["realtype"]].append(row["fid"])
    gidc = {row["name"]: row["gidc"] for row in read(facts, "realtype")}
    write(
        "realtype",
        "name gidc general own",
        [
            [name, gidc.get(name, ""), " ".join(general[name]), " ".join(own[name])]
            for name in [*gidc, *(name for name in own if name not in gidc)]
        ],
    )


def orders(facts: Path) -> None:
    rows = read(facts, "order_type")
    yes = {"yes": "1"}
    write(
        "order_type",
        "function code name side action mock note",
        [
            [
                row["function"],
                row["code"],
                row["name"],
                row["side"].replace("by sSlbyTp", "either"),
                row["action"],
                yes.get(row["mock"], "0"),
                row["note"],
            ]
            for row in rows
            if row["argument"] in ("nOrderType", "lOrdKind")
        ],
    )
    write(
        "credit_type",
        "code name side action note",
        [
            [row[column] for column in ["code", "name", "side", "action", "note"]]
            for row in rows
            if row["argument"] == "sCreditGb"
        ],
    )
    write(
        "quote_type",
        "function code name price phase mock note",
        [
            [
                row["function"],
                row["code"],
                row["name"],
                row["price"],
                row["phase"],
                yes.get(row["mock"], "0"),
                row["note"].split("; FAQ")[0],
            ]
            for row in read(facts, "quote_type")
        ],
    )


def chejan(facts: Path) -> None:
    rows = sorted(read(facts, "chejan"), key=lambda row: (row["gubun"], int(row["position"])))
    blank = {'""': "empty"}
    columns = ("at_접수_or_잔고", "at_체결", "at_확인")
    write(
        "chejan",
        "gubun fid edition first filled confirmed",
        [
            [row["gubun"], row["fid"], row["edition"], *(blank.get(row[column], row[column]) for column in columns)]
            for row in rows
        ],
    )


def prices(facts: Path) -> None:
    copy(facts, "tick_size", "market from_date to_date price_from tick")
    rates = []
    for row in read(facts, "price_limit"):
        percent = re.match(r"\d+", row["limit_percent"])
        if row["phase"] == "정규장" and (percent or row["limit_percent"] == "none"):
            rates.append([row["market"], percent[0] if percent else "", row["from_date"], row["to_date"]])
    write("price_limit", "market percent from_date to_date", rates)
    copy(facts, "fee_tax", "market item rate_percent from_date to_date")


def sessions(facts: Path) -> None:
    rows = []
    for row in read(facts, "session"):
        times = re.findall(r"\d\d:\d\d(?::\d\d)?", row["usual_time"].split("(")[0])
        begins, ends = ([*times, "", ""])[:2] if "after" not in row["usual_time"] else ("", "")
        rows.append([row["value"], row["meaning"], begins, ends, row["venue"]])
    write("session", "value meaning begins ends venue", rows)


# Our names of what is limited, by the beginning of what the facts call it.
SUBJECTS = {
    "TR": "tr",
    "SendOrder": "order",
    "SendCondition": "condition",
    "real-time conditions": "realtime_conditions",
    "hits": "condition_hits",
    "screens": "screens",
    "codes per screen": "codes_per_screen",
    "codes per CommKwRqData": "codes_per_request",
}


def limits(facts: Path) -> None:
    rows = []
    for row in read(facts, "limit"):
        if row["on_excess"] == "went through unlimited":
            continue  # an observation, not a limit
        profile = "koapy" if "koapy" in row["source"] else "guide"
        subject = next(name for beginning, name in SUBJECTS.items() if row["what"].startswith(beginning))
        rows.append([profile, subject, row["what"], row["scope"], row["calls"], row["seconds"], row["on_excess"]])
    write("limit", "profile subject what scope calls seconds on_excess", rows)


# Situations are named by us: a simulation asks for a text by them. Keyed by server, bracketed code and text.
# The first that fits wins.
SITUATIONS = (
    ("real", "장개시전 시간외", "buy_accepted_before_hours"),
    ("mock", "모의투자 매수주문완료", "buy_accepted"),
    ("mock", "모의투자 매도주문완료", "sell_accepted"),
    ("mock", "모의투자 취소주문완료", "cancel_accepted"),
    ("mock", "모의투자 조회완료", "query_done"),
    ("real", "[100000] 조회가 완료되었습니다.", "query_done"),
    ("real", "매수주문이 완료되었습니다.", "buy_accepted"),
    ("real", "매도주문이 완료되었습니다.", "sell_accepted"),
    ("real", "매수정정 주문입력이", "modify_buy_accepted"),
    ("real", "매수취소 주문입력이", "cancel_buy_accepted"),
    ("real", "장개시전입니다", "before_open"),
    ("real", "장종료되었습니다", "after_close"),
    ("real", "장이 열리지않는", "holiday"),
    ("real", "주문불가능한종목", "not_orderable"),
    ("real", "단가를 입력하지", "price_with_market"),
    ("real", "주문수량을 입력", "bad_quantity"),
    ("mock", "모의투자 장시작전", "before_open"),
    ("mock", "[RC4058]", "after_close"),
    ("mock", "모의투자 단가를 입력하지", "price_with_market"),
    ("mock", "취소가능수량을 초과", "cancel_too_many"),
    ("mock", "주문수량을 확인", "bad_quantity"),
    ("mock", "[RC4025]", "no_cash"),
    ("mock", "[RC4027]", "outside_limits"),
    ("mock", "[RC4033]", "nothing_open"),
    ("mock", "[RC4061]", "no_such_order"),
    ("mock", "RC4003", "bad_tick"),
    ("mock", "RC9000", "kind_not_offered"),
    ("mock", "[800033]", "not_held"),
    ("mock", "[RC4109]", "no_such_code"),
    ("any", "Fail to parse Request TR", "parse_failure"),
    ("any", "조회할 자료가", "no_rows"),
    ("any", "계좌번호 입력", "bad_account"),
    ("real", "증거금 부족", "no_cash"),
    ("real", "정정할 원주문", "no_such_order"),
    ("any", "비밀번호 입력", "bad_password"),
    ("mock", "정정가격이 원주문가격과 같", "same_price"),
    ("mock", "서비스 지연", "service_delay"),
    ("mock", "서비스 TR을 확인", "tr_not_offered"),
)


# Seen through the REST API of the same servers, which writes [2000](571557:...); newer than what OpenAPI+ was seen to
# say, and so in its place.
BY_REST = (
    ("real", "bad_tick", "[571557] 주문단가를 잘못입력하셨습니다"),
    ("real", "below_limits", "[571552] 주문단가가 하한가보다 낮습니다."),
    ("real", "no_cash", "[855056] 매수증거금이 부족합니다. {}주 매수가능"),
    ("real", "not_held", "[800033] 매도가능수량이 부족합니다. {}주 매도가능"),
    ("real", "nothing_open", "[506550] 취소할 수량이 없습니다"),
    ("real", "kind_not_now", "[521790] 해당 호가유형은 주문 불가능한 시간입니다."),
    ("real", "price_after_hours", "[571357] 시간외종가 주문시에는 단가를 입력하지 않습니다"),
    ("real", "no_rows", "[501724] 관련자료가없습니다"),
    ("mock", "before_open", "[RC4057] 모의투자 장시작전"),
    ("mock", "holiday", "[RC4010] 모의투자 영업일이 아닙니다."),
    ("mock", "bad_tick", "[RC4003] 모의투자 호가단위 오류입니다."),
    ("mock", "best_not_offered", "[RC4026] 모의투자 최유리지정가와 최우선지정가 주문은 불가합니다."),
    ("mock", "kind_not_offered", "[RC9000] 모의투자에서는 해당업무가 제공되지 않습니다."),
)


def messages(facts: Path) -> None:
    rows: list[list[str]] = []
    for row in read(facts, "message"):
        found = [name for server, part, name in SITUATIONS if server == row["server"] and part in row["text"]]
        if found:
            rows.append([row["server"], found[0], row["text"]])
    missing = {name for *_, name in SITUATIONS} - {row[1] for row in rows}
    if missing:
        raise SystemExit(f"message.csv no longer has: {', '.join(sorted(missing))}")
    newer = [list(each) for each in BY_REST]
    kept = [row for row in rows if row[:2] not in [each[:2] for each in newer]]
    write("message", "server situation text", [*kept, *newer])


def lookups(facts: Path) -> None:
    rows = [
        [row["code"], row["name"], row["function"], row["note"].split("; KOAPY")[0]] for row in read(facts, "market")
    ]
    write("market", "code name used_by note", rows)
    copy(facts, "fid", "fid name names_in_trs rest_name")
    copy(facts, "login_info", "tag meaning format")
    empty = {'""': ""}
    write(
        "koa_functions",
        "function argument result format since",
        [
            [empty.get(row[column], row[column]) for column in ("function", "args", "result", "format", "since")]
            for row in read(facts, "koa_functions")
        ],
    )
    copy(facts, "error", "code name message")
    copy(facts, "listing", "code name market shares sector listed reference_price kind")


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        raise SystemExit(__doc__)
    facts = Path(arguments[0])
    TABLES.mkdir(parents=True, exist_ok=True)
    for build in (
        functions,
        transactions,
        tr_inputs,
        real_types,
        orders,
        chejan,
        prices,
        sessions,
        limits,
        messages,
        lookups,
    ):
        build(facts)


if __name__ == "__main__":
    main(sys.argv[1:])
