"""Look-ups: what the catalogue says, for people and for machines, without a server."""

import json
from collections.abc import Callable

import pytest

from koapy.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err  # type: ignore[return-value]

    return command


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tr", "opt10081"], ["주식일봉차트조회요청", "기준일자", "date8", "0=미적용, 1=적용", "거래대금", "600 rows"]),
        (["tr", "OPT10081"], ["opt10081 주식일봉차트조회요청"]),
        (["tr", "일봉"], ["opt10081", "opt20006"]),
        (["tr", "--coverage"], ["opt10001", "opw20017", "always empty", "own tables", "234 TRs: "]),
        (["tr", "선옵", "--coverage"], ["opt50001", "선옵현재가정보요청"]),
        (["realtype", "주식체결"], ["체결시간", "현재가", "누적거래량"]),
        (["realtype", "호가잔량"], ["주식호가잔량"]),
        (["error", "-200"], ["-200", "OP_ERR_SISE_OVERFLOW", "과부하"]),
        (["error", "OP_ERR_SISE_OVERFLOW"], ["-200"]),
        (["error", "과부하"], ["OP_ERR_SISE_OVERFLOW"]),
        (["fid", "10"], ["FID 10", "현재가", "주식체결"]),
        (["fid", "미체결수량"], ["902"]),
        (["function", "SendOrder"], ["sRQName: str", "nOrderType: int", "int"]),
        (["function", "OnReceiveTrData"], ["event", "sScrNo"]),
        (["function", "condition"], ["SendCondition", "GetConditionLoad", "OnReceiveTrCondition"]),
        (["search", "일봉"], ["opt10081"]),
        (["search", "삼성전자"], ["005930"]),
        (["version"], ["koapy 0."]),
    ],
)  # fmt: skip
def test_look_ups_print_what_the_catalogue_has(run: Run, arguments: list[str], expected: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert [each for each in expected if each not in out] == []


@pytest.mark.parametrize(
    ("arguments", "pick", "expected"),
    [
        (["tr", "opt10081"], lambda d: [d["code"], d["inputs"][0]["name"]], ["opt10081", "종목코드"]),
        (["tr", "opt10081"], lambda d: d["multi"][1], {"name": "현재가", "fid": 10, "width": 20}),
        (["tr", "opt10081", "--coverage"], lambda d: d[0]["source"], "model"),
        (["realtype", "주식체결"], lambda d: d["names"][:2], ["체결시간", "현재가"]),
        (["error", "-200"], lambda d: d["name"], "OP_ERR_SISE_OVERFLOW"),
        (["error"], lambda d: d[0]["code"], 0),
        (["fid", "10"], lambda d: [d["fid"], d["name"]], [10, "현재가"]),
        (["function", "SendCondition"], lambda d: d["parameters"][2], {"name": "nIndex", "type": "int"}),
        (["tr", "일봉"], lambda d: {"opt10081"} - {each["key"] for each in d}, set()),
        (["version"], list, ["version"]),
    ],
)  # fmt: skip
def test_json_is_one_document(run: Run, arguments: list[str], pick: Callable, expected: object) -> None:  # type: ignore[type-arg]
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    assert pick(json.loads(out)) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tr", "opt1081"], "opt10081"),
        (["tr", "없는말이다"], "없는말이다"),
        (["realtype", "주식체걸"], "주식체결"),
        (["error", "-99999"], "-99999"),
        (["error", "없는말이다"], "없는말이다"),
        (["fid", "99999999"], "99999999"),
        (["fid", "없는말이다"], "없는말이다"),
        (["function", "SendOrdre"], "SendOrder"),
        (["search", "없는말이다"], "없는말이다"),
        (["nonsense"], "nonsense"),
        (["order"], "koapy order --help"),
        (["tr", "opt10081", "--nonsense"], "--nonsense"),
        (["serve", "--port", "x"], "--port"),
        (["serve", "--limits", "many"], "5/1,100/60"),
        (["serve", "--host", "0.0.0.0"], "--insecure-off-loopback"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_1(run: Run, arguments: list[str], expected: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("koapy: ")
    assert err.count("\n") == 1
    assert expected in err
