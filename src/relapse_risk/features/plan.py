"""From declarations to a program: what the features need of which rows, and how it combines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from relapse_risk.errors import UsageError
from relapse_risk.features.across import MemberStatistic, make_across_spec, member_statistic, values_needed
from relapse_risk.features.combine import make_values_program, with_terms
from relapse_risk.features.declare import YEAR, Aggregation, Feature, Scale
from relapse_risk.features.kernel import Program, StatisticKind
from relapse_risk.features.program import Assembly, Source, Statistic, Window


@dataclass(frozen=True, eq=False)
class Plan:
    """What is computed for a list of features.

    Parameters
    ----------
    features : tuple of Feature
        Output columns in order.
    sources : tuple of Source
        What is read, in the order in which the program numbers it.
    windows : tuple of Window
        The windows, likewise.
    reads_line : bool
        Whether a value is divided by a monitoring line.
    has_persons : bool
        Whether a feature is taken across members.
    program : Program
        For the kernel.
    """

    features: tuple[Feature, ...]
    sources: tuple[Source, ...]
    windows: tuple[Window, ...]
    reads_line: bool
    has_persons: bool
    program: Program


def _window(feature: Feature, back: int = 0) -> Window:
    skip = feature.skip + back
    return (None if feature.window is None else feature.window + skip, skip)


#: The statistics of its own series and window that each aggregation needs.
DIRECT: dict[Aggregation, tuple[StatisticKind, ...]] = {
    Aggregation.COUNT: (StatisticKind.COUNT,),
    Aggregation.SUM: (StatisticKind.SUM,),
    Aggregation.MEAN: (StatisticKind.MEAN,),
    Aggregation.MIN: (StatisticKind.MIN,),
    Aggregation.MAX: (StatisticKind.MAX,),
    Aggregation.STD: (StatisticKind.STD,),
    Aggregation.SLOPE: (StatisticKind.SLOPE,),
    Aggregation.LAST: (StatisticKind.LAST,),
    Aggregation.STEP: (StatisticKind.LAST, StatisticKind.PREVIOUS),
    Aggregation.DAYS_SINCE: (StatisticKind.DAYS_SINCE,),
    Aggregation.OPEN: (StatisticKind.OPEN,),
    Aggregation.RATIO: (StatisticKind.SUM,),
    Aggregation.MONTHLY: (StatisticKind.SUM,),
    Aggregation.BELOW: (
        StatisticKind.BELOW,
        StatisticKind.COUNT,
    ),  # the count distinguishes an empty window from one without a month below
    Aggregation.SHARE: (StatisticKind.SUM,),
    Aggregation.PER: (StatisticKind.LAST,),
    Aggregation.MARGIN: (StatisticKind.MEAN, StatisticKind.STD),
    Aggregation.CHANGE: (StatisticKind.MEAN,),
    Aggregation.LAST_CHANGE: (StatisticKind.LAST,),
    Aggregation.ELAPSED: (StatisticKind.LAST,),
    Aggregation.AGE: (StatisticKind.LAST,),
}


Input = Statistic | MemberStatistic


def inputs_of(feature: Feature) -> tuple[Input, ...]:
    """Return what a feature is made of; a sum of terms is made of no more than they are."""
    if feature.aggregation in (Aggregation.TERMS, Aggregation.CALENDAR):
        return ()
    return (member_statistic(feature),) if feature.across else _statistics_of(feature)


def _statistics_of(feature: Feature) -> tuple[Statistic, ...]:
    """Return the statistics that a value of one series is made of."""
    series, window, a = feature.series, _window(feature), feature.aggregation
    return (*(Statistic(series, window, stat) for stat in DIRECT[a]), *_statistics_elsewhere(feature))


def _statistics_elsewhere(feature: Feature) -> tuple[Statistic, ...]:
    """Return the statistics of other series or windows that an aggregation needs."""
    series, window, a = feature.series, _window(feature), feature.aggregation
    ever = (None, feature.skip)
    statistics: list[Statistic] = []
    if a is Aggregation.SHARE and feature.of:
        statistics.append(Statistic(feature.of, window, StatisticKind.SUM))
    elif a is Aggregation.PER and feature.of:
        statistics.append(Statistic(feature.of, ever, StatisticKind.LAST))
    elif a is Aggregation.CHANGE:
        statistics.append(Statistic(series, _window(feature, YEAR), StatisticKind.MEAN))
    elif a is Aggregation.LAST_CHANGE:
        statistics.append(Statistic(series, _window(feature, YEAR), StatisticKind.LAST))
    if a is Aggregation.MONTHLY and feature.account:
        statistics += [
            Statistic(feature.account, window, StatisticKind.NEWEST_MONTH),
            Statistic(feature.account, ever, StatisticKind.OLDEST_MONTH),
        ]
    elif feature.account:
        statistics += [
            Statistic(series, window, StatisticKind.NEWEST_MONTH),
            Statistic(feature.account, ever, StatisticKind.NEWEST_MONTH),
        ]
    return tuple(statistics)


@lru_cache(maxsize=32)
def make_plan(features: tuple[Feature, ...]) -> Plan:
    """Return what a list of features needs, each statistic once.

    Raises
    ------
    UsageError
        If one is a person's value.
    """
    wrong = [feature.name for feature in features if feature.is_of_persons]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)}: values of persons, not of households. Say how they are taken across members."
        )
    values = with_terms(features)
    inputs = dict.fromkeys(one for value in values for one in inputs_of(value))
    statistics = [one for one in inputs if isinstance(one, Statistic)]
    across = [one for one in inputs if isinstance(one, MemberStatistic)]
    person_values = values_needed(across) if across else ()
    of_persons = dict.fromkeys(one for value in person_values for one in _statistics_of(value))
    assembly = Assembly()
    households, in_order = assembly.add(statistics, len(across))
    persons, person_inputs = assembly.add(list(of_persons), 0)
    program = Program(
        persons=persons,
        person_values=make_values_program(person_values, person_values, _places(person_inputs)),
        across=make_across_spec(across, person_values),
        households=households,
        values=make_values_program(features, values, _places([*in_order, *across])),
        reads_line_now=any(one.series.scale is Scale.LINE_NOW for one in (*statistics, *of_persons)),
        most_filters=max((len(source.filters) for source in assembly.sources), default=0),
    )
    reads_line = any(one.series.scale is not Scale.NONE for one in (*statistics, *of_persons))
    return Plan(features, tuple(assembly.sources), tuple(assembly.windows), reads_line, bool(across), program)


def _places(inputs: Sequence[Input]) -> Callable[[Feature], list[int]]:
    """Return a function that gives the places of a value's inputs."""
    places = {one: k for k, one in enumerate(inputs)}
    return lambda value: [places[one] for one in inputs_of(value)]
