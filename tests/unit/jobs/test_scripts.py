"""What may be a job: the script's name, its text, its parameters."""

import argparse
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import Invalid, TooLarge
from studio.jobs import scripts


def test_a_syntax_error_names_line_column_and_shows_a_caret() -> None:
    with pytest.raises(Invalid) as found:
        scripts.check_script("x = 1\nprint(x\ny = = 2\n", "train.py")
    assert "train.py, line 2" in found.value.message
    line, caret = found.value.message.splitlines()[1:]
    assert line == "print(x"
    assert caret == " " * 5 + "^"


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "x = '\0'", "(" * 10_000, "x = " + "-" * 60_000 + "1", "a" + ".a" * 30_000, "return 1", "\ud800"],
    ids=["empty", "blank", "nul", "parentheses", "signs", "attributes", "return", "surrogate"],
)
def test_text_that_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        scripts.check_script(text, "train.py")


def test_a_warning_is_no_error() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scripts.check_script("x = 1 is 1\n", "train.py")


def test_a_script_is_compiled_and_not_run() -> None:
    scripts.check_script("raise SystemExit(1)\n", "train.py")


def test_too_large() -> None:
    with pytest.raises(TooLarge):
        scripts.check_script("#" * (scripts.MAX_BYTES + 1), "train.py")


@pytest.mark.parametrize(
    "name", ["", "../x.py", "a/b.py", ".x.py", "-x.py", "train", "x.py\n", "x.sh", "a b.py", "x;.py"]
)
def test_names_that_could_be_more_than_a_file_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        scripts.check_file_name(name)


@pytest.mark.parametrize("params", [{"": 1}, {"a b": 1}, {"-x": 1}, {"x": "a\0"}, {"x": "y" * 5000}, {"$(x)": 1}])
def test_odd_parameters_are_refused(params: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        scripts.check_params(params)


def test_too_many_parameters() -> None:
    with pytest.raises(Invalid):
        scripts.check_params({f"p{number}": "x" for number in range(101)})


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True).filter(lambda name: name not in ("h", "help")),
        st.one_of(
            st.integers(),
            st.floats(allow_nan=False),
            st.booleans(),
            st.text(st.characters(exclude_characters="\0"), max_size=20),
        ),
        max_size=5,
    )
)
def test_argparse_reads_back_what_was_sent(params: dict[str, str | int | float | bool]) -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    for name in params:
        parser.add_argument(f"--{name}")
    read = vars(parser.parse_args(scripts.argv(scripts.check_params(params))))
    for name, value in params.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        assert read[name.replace("-", "_")] == text
