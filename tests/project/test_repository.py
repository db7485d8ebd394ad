"""What the repository says about itself is true, and holds nothing of the machines that it was written on."""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.ko.md")
TEXTS = {
    ".cfg",
    ".csv",
    ".ini",
    ".json",
    ".jsonl",
    ".lock",
    ".md",
    ".proto",
    ".py",
    ".pyi",
    ".toml",
    ".txt",
    ".yml",
    "",
}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def git(*arguments: str) -> str:
    """What git says; nothing where there is no git or no checkout, as in an unpacked archive."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout


def files() -> list[Path]:
    """The files of the project: those that git knows or would take."""
    names = git("ls-files", "-co", "--exclude-standard", "-z").split("\0")
    if listed := [path for name in names if name and (path := ROOT / name).is_file()]:
        return listed
    ignored = {".git", *(line.rstrip("/") for line in read(".gitignore").splitlines())}
    inside = (path for path in ROOT.rglob("*") if not ignored.intersection(path.relative_to(ROOT).parts))
    return [path for path in inside if path.is_file()]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", read(name))


def pages() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in files() if path.suffix == ".md")


# Put together here, so that this file is not found by its own test.
FORBIDDEN = {
    "a path of a machine": r"(?<![\w.~/])/(?:ho" r"me|ro" r"ot|Us" r"ers|wo" r"rk|tm" r"p)/\w",
    "a registry's host": r"(?:py"
    r"pi\.org/simple|file"
    r"s\.pythonhosted|index-"
    r"url\s*=|extra-"
    r"index|find-"
    r"links)",
    "the wrong distribution": r"pip install (?:-\S+ )*ko" r"apy(?![\w-])",
    "who typed it": r"(?i)(?<![\w-])(?:cl" r"aude|chat" r"gpt|co" r"pilot|co-auth" r"ored-by|l" r"lms?)\b",
    "a conflict": r"^(?:<{7}|>{7}) ",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        if path.suffix in TEXTS
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_files_are_utf8_with_unix_line_ends() -> None:
    # A working copy on Windows may have its own; what git stores may not.
    stored = git("ls-files", "--eol")
    assert [line for line in stored.splitlines() if re.match(r"i/(crlf|mixed)", line)] == []


@pytest.mark.parametrize("page", pages())
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    dead = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / unquote(name) if name else ROOT / page
        if not file.exists() or (anchor and unquote(anchor) not in anchors(file)):
            dead.append(target)
    assert dead == []


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = [text for _, text in HEADING.findall(FENCE.sub("", file.read_text(encoding="utf-8")))]
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_both_readmes_have_the_same_sections() -> None:
    levels = [[level for level, _ in HEADING.findall(prose(name))] for name in READMES]
    assert levels[0] == levels[1]


def test_both_readmes_have_the_same_code_blocks() -> None:
    assert FENCE.findall(read(READMES[0])) == FENCE.findall(read(READMES[1]))


def test_both_readmes_have_the_same_links_and_names() -> None:
    links, names = [], []
    for readme in READMES:
        found = LINK.findall(prose(readme))
        # Where a page is there in Korean, that is the one to send a Korean reader to.
        others = [target.replace(".ko.md", ".md") for target in found if target not in READMES]
        links.append([target for target in others if not target.startswith("#")])
        # Code within the text, in any order: languages order their sentences differently.
        names.append(sorted(re.findall(r"`([^`]+)`", prose(readme))))
    assert links[0] == links[1]
    assert names[0] == names[1]


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("command", ["python3 run.py demo", "python3 run.py test", "py run.py demo", "py run.py test"])
def test_readme_has_the_commands_on_lines_of_their_own(readme: str, command: str) -> None:
    assert any(command in block.splitlines() for _, block in FENCE.findall(read(readme)))


def test_every_command_of_the_docs_exists() -> None:
    commands = set(re.findall(r"^  (\w+)  +\w", read("docs/cli.md"), re.MULTILINE))
    ours = {"demo", "test", "bench", "chaos", "check", "conformance", "docs", "lock"}
    used = {word for page in pages() for word in re.findall(r"\brun\.py (\w+)", read(page))}
    assert used - ours <= commands
    assert ours - {"demo"} <= set(re.findall(r"^    python3 run\.py (\w+)", read("run.py"), re.MULTILINE))


def test_options_of_the_readme_are_those_of_serve() -> None:
    serve = read("docs/cli.md").partition("## koapy serve\n")[2].partition("\n## ")[0]
    section = read("README.md").partition("\n## Serving\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", section)) <= set(re.findall(r"--[a-z][a-z-]+", serve))


def test_ci_types_what_the_readme_says() -> None:
    script = read(".ci/run")
    assert "typed test" in script
    assert "typed demo" in script
    assert "README.md" in script


def test_changelog_is_of_this_version() -> None:
    version = re.search(r'^__version__ = "(.+)"$', read("src/koapy/__init__.py"), re.MULTILINE)
    assert version is not None
    assert re.search(rf"^## {re.escape(version[1])}\b", read("CHANGELOG.md"), re.MULTILINE)
