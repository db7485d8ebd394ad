"""The configuration file: it says what it means, refuses what it cannot mean, and the example holds every key."""

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koapy.handlers.limits import HandlerLimits
from koapy.orders.risk import RiskLimits, RiskRules
from koapy.server import Settings
from koapy.server.config import Config, ConfigError, Listening, Simulation, load, windows
from koapy.server.security import Security, Tls

EXAMPLE = Path(__file__).parents[2] / "examples" / "koapy.toml"
SWITCHED_OFF = re.compile(r"^#(?=[\w\[])", re.MULTILINE)


def config(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "koapy.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert config(tmp_path, "") == Config()
    assert Config().settings == Settings()
    assert Config().settings.risk == RiskRules()


def test_the_example_loads_as_it_is() -> None:
    found = load(EXAMPLE)
    assert found.settings.risk.everybody.max_quantity == 1000
    assert found.settings.risk.clients["notebook"].read_only
    assert found.settings.custom_handlers is None
    assert found.security == Security()


@pytest.mark.parametrize("page", sorted(EXAMPLE.parents[1].glob("docs/*.md")), ids=lambda page: page.name)
def test_what_the_documentation_shows_loads(tmp_path: Path, page: Path) -> None:
    for text in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        config(tmp_path, text)


def test_the_example_names_every_key_and_what_is_switched_off_in_it_is_right(tmp_path: Path) -> None:
    text = SWITCHED_OFF.sub("", EXAMPLE.read_text(encoding="utf-8")).replace("enabled = false", "enabled = true")
    found = config(tmp_path, text)
    written = tomllib.loads(text)
    for section in ("server", "simulation", "replay", "ocx", "security", "limits", "clients"):
        assert set(tomllib.loads(found.toml())[section]) <= set(written[section]), section
    assert set(written["risk"]) == {each.name for each in fields(RiskLimits)} | {"accounts", "clients"}
    assert set(written["custom_handlers"]) == {each.name for each in fields(HandlerLimits)} | {"enabled"}
    assert set(written["security"]) == {each.name for each in fields(Security)}
    assert set(written["security"]["tls"]) == {each.name for each in fields(Tls)}
    # A default that the example tells is the default, but for what it only can show by an example.
    assert replace(found.settings, risk=RiskRules(), custom_handlers=None) == Settings()
    assert found.settings.custom_handlers == HandlerLimits()
    assert replace(found.simulation, history=None, date=None, state=None, faults=None, conditions=None) == Simulation()


FULL = """
[server]
host = "0.0.0.0"
port = 0
journal = "orders.sqlite"
log_level = "debug"
[simulation]
seed = -4
history = "prices"
hours = "krx"
speed = 60
server = "real"
[security]
tokens = "tokens.json"
[security.tls]
certificate = "server.pem"
key = "server.key"
[limits]
tr = "koapy"
orders = "4/1"
conditions = "none"
answer_seconds = 7
[clients]
streams = 3
[risk]
max_quantity = 100
price_collar = 2.5
allowed_codes = ["005930"]
[risk.accounts."8000000011"]
read_only = true
[risk.clients."a bot"]
allowed_accounts = ["8000000011"]
orders_per_day = 5
[custom_handlers]
enabled = true
memory = 1000000
"""


def test_every_section_is_understood(tmp_path: Path) -> None:
    found = config(tmp_path, FULL)
    assert found.server == Listening(host="0.0.0.0", port=0, journal=tmp_path / "orders.sqlite", log_level="debug")
    assert found.simulation == Simulation(seed=-4, history=tmp_path / "prices", hours="krx", speed=60.0, server="real")
    tls = Tls(certificate=tmp_path / "server.pem", key=tmp_path / "server.key")
    assert found.security == Security(tls=tls, tokens=tmp_path / "tokens.json")
    assert found.settings == Settings(
        tr_windows=windows("koapy"),
        order_windows=((4, 1.0),),
        condition_windows=(),
        answer_seconds=7.0,
        client_streams=3,
        custom_handlers=HandlerLimits(memory=1_000_000),
        risk=RiskRules(
            everybody=RiskLimits(max_quantity=100, price_collar=2.5, allowed_codes=frozenset({"005930"})),
            accounts={"8000000011": RiskLimits(read_only=True)},
            clients={"a bot": RiskLimits(allowed_accounts=frozenset({"8000000011"}), orders_per_day=5)},
        ),
    )
    assert isinstance(found.settings.answer_seconds, float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[sever]", ["unknown section 'sever'", "did you mean server?"]),
        ("prot = 1", ["unknown section 'prot'"]),
        ("[server]\nprot = 1", ["[server]", "unknown key 'prot'", "did you mean port?"]),
        ("server = 3", ["server = 3", "a table is wanted, [server]"]),
        ("[server]\nport = '5943'", ['[server] port = "5943"', "a whole number such as 10"]),
        ("[server]\nport = true", ["port = true", "a whole number"]),
        ("[server]\nport = 70000", ["70000", "0 to 65535"]),
        ("[server]\nkeep_journal = 'no'", ["keep_journal", "true or false"]),
        ("[server]\njournal = ''", ["journal", "name of a file"]),
        ("[server]\nlog_level = 'warn'", ["one of", '"warning"', "did you mean warning?"]),
        ("[simulation]\nspeed = 0", ["[simulation]", "at least 0.01"]),
        ("[simulation]\nspeed = inf", ["speed = inf", "a number"]),
        ("[simulation]\nhours = 'KRX'", ["hours", '"krx"']),
        ("[limits]\ntr = 'gide'", ["[limits] tr", "guide, koapy", "5/1,100/60"]),
        ("[limits]\ntr = '0/1'", ["tr", "5/1,100/60"]),
        ("[limits]\nanswer_seconds = 0", ["answer_seconds = 0", "more than 0"]),
        ("[limits]\nanswer_second = 1", ["did you mean answer_seconds"]),
        ("[limits]\nclient_streams = 1", ["[limits]", "unknown key 'client_streams'"]),
        ("[clients]\nstreams = 1.5", ["[clients] streams = 1.5", "a whole number"]),
        ("[risk]\nmax_quantity = 0", ["[risk]", "max_quantity is 0", "read_only"]),
        ("[risk]\nmax_quantities = 1", ["did you mean max_quantity?"]),
        ("[risk]\nallowed_codes = '005930'", ["allowed_codes", "a list of texts"]),
        ("[risk]\nallowed_codes = [5930]", ["a list of texts"]),
        ("[risk]\naccounts = ['8000000011']", ["a table is wanted, [risk.accounts]"]),
        ("[risk.accounts]\n8000000011 = 1", ["[risk.accounts.8000000011]"]),
        ("[risk.accounts.80]\nread_only = true", ["ten digits"]),
        ("[risk.accounts.8000000011]\nallowed_accounts = []", ["[risk.accounts.8000000011]", "allowed_accounts"]),
        ('[risk.clients."a b"]\nmax_notional = -1', ['[risk.clients."a b"]', "max_notional is -1"]),
        ("[security]\ntoken = 'x'", ["did you mean tokens?"]),
        ("[security.tls]\nkey = 'x'", ["[security.tls] lacks certificate"]),
        ("[custom_handlers]\nenable = true", ["did you mean enabled?"]),
        ("[custom_handlers]\nmemory = -1", ["memory = -1", "at least 0"]),
        ("[server", ["is no TOML file"]),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_says_where_and_what_would_be_right(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        config(tmp_path, text)
    told = str(raised.value)
    assert str(tmp_path / "koapy.toml") in told
    assert [part for part in expected if part not in told] == [], told


def test_a_file_that_is_not_there_or_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is no TOML file"):
        load(tmp_path / "binary.toml")


def test_limits_of_handlers_alone_let_no_code_in(tmp_path: Path) -> None:
    assert config(tmp_path, "[custom_handlers]\nat_once = 5").settings.custom_handlers is None


numbers = st.none() | st.integers(1, 10**12)
words = st.frozensets(st.text(min_size=1, max_size=6), max_size=3)
limits = st.builds(
    RiskLimits,
    read_only=st.booleans(),
    allowed_codes=st.none() | words,
    denied_codes=words,
    max_quantity=numbers,
    max_notional=numbers,
    orders_per_minute=numbers,
    orders_per_day=numbers,
    price_collar=st.none() | st.floats(0.001, 1000, allow_nan=False),
)
accounts = st.dictionaries(st.integers(0, 10**10 - 1).map("{:010d}".format), limits, max_size=2)
clients = st.dictionaries(st.text(max_size=5), limits, max_size=2)
rules = st.builds(RiskRules, everybody=limits, accounts=accounts, clients=clients)
seconds = st.floats(0.001, 1e6, allow_nan=False)
window = st.tuples(st.integers(1, 999), st.integers(1, 999).map(float))
configs = st.builds(
    Config,
    server=st.builds(Listening, host=st.text(max_size=9), port=st.integers(0, 65535), keep_journal=st.booleans()),
    simulation=st.builds(Simulation, seed=st.integers(), speed=st.floats(0.01, 1e9)),
    settings=st.builds(
        Settings,
        tr_windows=st.just(windows("koapy")) | st.lists(window, max_size=3).map(tuple),
        answer_seconds=seconds,
        queue=st.integers(1),
        client_bytes=st.integers(1),
        risk=rules,
        custom_handlers=st.none() | st.builds(HandlerLimits, memory=st.integers(0), event_seconds=seconds),
    ),
)


@given(meant=configs)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_printed_is_read_again_as_the_same(tmp_path: Path, meant: Config) -> None:
    assert config(tmp_path, meant.toml()) == meant


def test_files_are_printed_as_they_are_read(tmp_path: Path) -> None:
    meant = config(tmp_path, FULL)
    assert config(tmp_path / "..", meant.toml()) == meant
    (tmp_path.parent / "koapy.toml").unlink()


def test_a_journal_is_kept_but_for_a_port_that_is_for_once_or_when_told_so(tmp_path: Path) -> None:
    own = tmp_path / "own.sqlite"
    assert Listening().journal_file(tmp_path) == tmp_path / "orders-5943.sqlite"
    assert Listening(port=0).journal_file(tmp_path) is None
    assert Listening(port=0, journal=own).journal_file(tmp_path) == own
    assert Listening(keep_journal=False, journal=own).journal_file(tmp_path) is None
