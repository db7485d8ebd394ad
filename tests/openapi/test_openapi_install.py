"""TR definitions of an installed OpenAPI+, from archives that the tests make."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from koapy.openapi.install import InstalledDataError, load_installed
from koapy.openapi.search import search
from koapy.openapi.tr import Tr, UnknownTr, overlay, tr, trs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BALANCE = """\
[TRINFO]
TRName=TDB3065_Q01
TRType=2

[INPUT]
@START_선옵잔고상세현황요청
    계좌번호    = 0,  10, -1
    비밀번호    = 10, 64, -1
    조회일자    = 74,  8, -1
    비밀번호입력매체구분 = 82, 2, -1
@END_선옵잔고상세현황요청

[OUTPUT]
@START_선옵잔고상세현황합계=*,*,*
    선물매도수량 = 0, 9, -1
    조회건수 = 9, 4, -1
@END_선옵잔고상세현황합계

@START_선옵잔고상세현황=*,4,조회건수
    종목코드 = 0, 8, -1
    종목명 = 8, 40, -1
@END_선옵잔고상세현황
"""

OPEN_ORDERS = """\
[TRINFO]
TRName=SRJANGO
TRType=1
GFID=8500
[INPUT]
@START_미체결요청
계좌번호=0,10,9201
@END_미체결요청
[OUTPUT]
@START_미체결=*,*,*
계좌번호=0,20,9201
주문번호=20,20,9203
@END_미체결
"""

NEW = """\
[TRINFO]
TRName=STOCKG
GFID=2400
[INPUT]
@START_새로운요청=*,*,*
종목코드 = 0, 6, 9001
@END_새로운요청
[OUTPUT]
@START_=*,*,*
@END_
@START_새로운=*,100,2400
현재가 = 0, 20, 10
비고 = 20, 20,
@END_새로운
"""


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    yield
    overlay(())


def pack(folder: Path, **texts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for code, text in texts.items():
        with zipfile.ZipFile(folder / f"{code}.enc", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{code.upper()}.dat", text.replace("\n", "\r\n").encode("cp949"))
    return folder


def test_reads_an_installation(tmp_path: Path) -> None:
    pack(tmp_path / "data", opw20006=BALANCE)
    found = load_installed(tmp_path)
    assert [each.code for each in found.trs] == ["opw20006"]
    read = tr("OPW20006")
    assert isinstance(read, Tr)
    assert (read.name, read.kind, read.edition) == ("선옵잔고상세현황요청", "TDB3065_Q01", "installed")
    assert (read.single_record, read.multi_record, read.count_field) == (
        "선옵잔고상세현황합계",
        "선옵잔고상세현황",
        "조회건수",
    )
    assert read.input_names == ("계좌번호", "비밀번호", "조회일자", "비밀번호입력매체구분")
    assert read.multi_names == ("종목코드", "종목명")
    assert [each.width for each in read.multi] == [8, 40]
    assert {each.fid for each in read.multi} == {None}
    assert read.inputs[0].format == "account10"  # what only the shipped table knows is kept
    assert tr("opt10081").edition != "installed"


def test_says_what_differs(tmp_path: Path) -> None:
    data = pack(tmp_path, opw20006=BALANCE.replace("종목명 = 8, 40, -1", "종목이름 = 8, 40, 302"), opt98765=NEW)
    differences = {str(each) for each in load_installed(data).differences}
    assert "opw20006 multi 종목명: removed" in differences
    assert "opw20006 multi 종목이름: added" in differences
    assert "opw20006 single 콜매도수량: removed" in differences
    assert "opt98765 tr 새로운요청: added" in differences
    assert "opt10001 tr 주식기본정보요청: removed" in differences
    assert not [each for each in differences if each.startswith("opw20006 input")]


def test_changed_fid_and_order(tmp_path: Path) -> None:
    text = OPEN_ORDERS.replace("주문번호=20,20,9203\n", "").replace(
        "계좌번호=0,20,9201\n", "주문번호=0,20,9999\n계좌번호=20,20,9201\n"
    )
    differences = {str(each) for each in load_installed(pack(tmp_path, opt10075=text)).differences}
    assert "opt10075 multi 주문번호: fid 9203 -> 9999" in differences
    assert "opt10075 multi : moved" in differences


def test_rows_in_a_record_that_does_not_look_like_it(tmp_path: Path) -> None:
    load_installed(pack(tmp_path, opt10075=OPEN_ORDERS))
    assert tr("opt10075").multi_names == ("계좌번호", "주문번호")
    assert tr("opt10075").single == ()


def test_new_tr_is_found_everywhere(tmp_path: Path) -> None:
    load_installed(pack(tmp_path, opt98765=NEW))
    assert (tr("opt98765").multi_names, tr("opt98765").single, tr("opt98765").gfid) == (("현재가", "비고"), (), 2400)
    assert trs()[-1].code == "opt98765"
    assert search("새로운요청")[0].key == "opt98765"


def test_second_installation_replaces_the_first(tmp_path: Path) -> None:
    load_installed(pack(tmp_path / "one", opt98765=NEW))
    load_installed(pack(tmp_path / "two", opw20006=BALANCE))
    with pytest.raises(UnknownTr):
        tr("opt98765")


def test_one_bad_file_among_others_is_told(tmp_path: Path) -> None:
    data = pack(tmp_path, opw20006=BALANCE, opt10003=BALANCE.replace("0, 9, -1", "nine"), koadata="not a TR at all")
    (data / "opt10004.enc").write_bytes(b"no zip")
    with zipfile.ZipFile(data / "opt10005.enc", "w") as archive:
        archive.writestr("OPT10005.dat", b"[TRINFO]\n\xff\xff")
    found = load_installed(data)
    assert [each.code for each in found.trs] == ["opw20006"]
    told = "\n".join(found.unreadable)
    assert "opt10003.enc/OPT10003.dat, line 15" in told
    assert "'선물매도수량 = nine' is not `name = place, width, FID`" in told
    assert "opt10004.enc: no zip archive" in told
    assert "opt10005.enc: not Korean text" in told
    assert "koadata" not in told


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[TRINFO]\nTRName=X\n", "neither inputs nor outputs"),
        ("[TRINFO]\n[INPUT]\n종목코드 = 0, 6, 9001\n", "line 3: .* outside any record"),
        ("[TRINFO]\n[OUTPUT]\n@START_가=*,*,*\n나 = 1, 2\n", "line 4: .* is not"),
        (
            "[TRINFO]\n[OUTPUT]\n" + "".join(f"@START_{name}=*,*,*\n나 = 0, 2, 10\n@END_{name}\n" for name in "가나다"),
            "more output records",
        ),
    ],
)
def test_nothing_readable_is_an_error_that_says_why(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InstalledDataError, match=reason):
        load_installed(pack(tmp_path, opt98765=text))


def test_wrong_folder_is_an_error_that_says_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(InstalledDataError, match="folder of OpenAPI"):
        load_installed(tmp_path)
    with pytest.raises(InstalledDataError, match=r"no \*\.enc files"):
        load_installed(tmp_path / "absent")
