"""How far a command is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress, ProgressColumn

from relapse_risk.cli import output


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(output, "time", clock)
    return clock


def test_a_file_gets_a_line_a_step_and_now_and_then_how_far_it_is(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.progress() as report:
        report("checking")
        for block in range(1, 31):
            clock.now += 1
            report.advance(block * 4096, 30 * 4096)
        report("writing")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.split("\n") == [
        "checking",
        "checking: 40,960 of 122,880 households, 0:00:20 left",
        "checking: 81,920 of 122,880 households, 0:00:10 left",
        "writing",
        "",
    ]


def test_what_is_counted_has_its_own_name(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress() as report:
        report("importing")
        clock.now += 60
        report.advance(3, 4, "tables")
    assert "importing: 3 of 4 tables, 0:00:20 left" in capsys.readouterr().err


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=140, legacy_windows=False)
    monkeypatch.setattr(output, "_console", lambda _: terminal)
    with output.progress() as report:
        report("checking")
        report.advance(4096, 8192)
        report._bar.refresh()
        shown = screen.getvalue()
        assert "checking" in shown
        assert "4,096 of 8,192 households" in shown
        report("writing")
        screen.truncate(0)
        report._bar.refresh()
        assert "writing" in screen.getvalue()
        assert "8,192" not in screen.getvalue(), "a step's count ends with it"
    assert screen.getvalue().endswith("\x1b[2K"), "nothing is left of it"


def test_the_bar_names_the_time_left_once_it_is_known() -> None:
    clock = [0.0]
    bar = Progress(output._TimeLeftColumn(), get_time=lambda: clock[0])
    bar.add_task("checking", total=100)
    task = bar.tasks[0]
    column = bar.columns[0]
    assert isinstance(column, ProgressColumn)
    assert str(column.render(task)) == ""
    for done in (10, 20, 30):
        clock[0] += 10.0
        bar.update(task.id, completed=done)
    assert str(column.render(task)) == "0:01:10 left"
