"""The pictures of a race and of a family tree."""

from __future__ import annotations

from studio.runs.charts import SHOWN, draw_lineage, draw_race
from studio.runs.progress import NOTHING, CandidateProgress, Progress, mean_of


def make_candidate(
    number: int,
    mean: float | None = 0.5,
    scored: int = 40,
    *,
    best: bool = False,
    dropped: bool = False,
    own: int = 0,
    parents: tuple[int, ...] = (),
) -> CandidateProgress:
    """One candidate of a race."""
    return CandidateProgress(
        number=number,
        hash=f"{number:064d}",
        origin="made",
        demos=0,
        dev=NOTHING if mean is None else mean_of(scored, mean),
        test=NOTHING,
        best=best,
        baseline=number == 0,
        dropped=dropped,
        parents=parents,
        own=own,
    )


def make_progress(*candidates: CandidateProgress, dev: int = 40) -> Progress:
    """A race of them."""
    return Progress(
        stages=(),
        tried=0,
        passed=0,
        candidates=candidates,
        planned={"dev": dev},
        asked=0,
        elapsed=None,
    )


def test_lanes_stand_reference_first_then_the_best_then_by_their_means() -> None:
    race = draw_race(
        make_progress(
            make_candidate(0, 0.4),
            make_candidate(1, 0.9, 5, dropped=True),
            make_candidate(2, 0.6),
            make_candidate(3, 0.7, best=True),
            make_candidate(4, None),
        )
    )
    assert [lane.candidate.number for lane in race.lanes] == [0, 3, 2, 1, 4]
    assert race.lanes[-1].at is None
    assert race.baseline == race.lanes[0].at
    assert "candidate 3 with 0.700" in race.text


def test_a_bar_stops_where_the_candidate_was_dropped() -> None:
    race = draw_race(
        make_progress(make_candidate(0), make_candidate(1, 0.2, 10, dropped=True), dev=40)
    )
    assert [lane.share for lane in race.lanes] == [100.0, 25.0]
    assert "Dropped." in race.lanes[1].label


def test_its_own_examples_count_as_met() -> None:
    race = draw_race(make_progress(make_candidate(0), make_candidate(1, 0.5, 30, own=10)))
    assert race.lanes[1].seen == 40


def test_everything_stays_inside_the_picture() -> None:
    race = draw_race(make_progress(make_candidate(0, 0.0), make_candidate(1, 1.0, best=True)))
    for lane in race.lanes:
        assert lane.at is not None
        assert 0 < lane.low <= lane.at <= lane.high < 100
        assert lane.low + lane.width < 100


def test_a_long_race_shows_its_head_until_somebody_asks_for_all() -> None:
    crowd = make_progress(*(make_candidate(number) for number in range(64)))
    short, whole = draw_race(crowd), draw_race(crowd, whole=True)
    assert len(short.lanes) == SHOWN
    assert short.hidden == 64 - SHOWN
    assert len(whole.lanes) == 64
    assert whole.hidden == 0


def test_without_parents_there_is_no_family_tree() -> None:
    assert draw_lineage([make_candidate(0), make_candidate(1)]) is None
    assert draw_lineage([make_candidate(1, parents=(9,))]) is None, "9 is not there"


def test_a_child_stands_right_of_both_parents_and_is_joined_to_them() -> None:
    tree = draw_lineage(
        [
            make_candidate(0),
            make_candidate(1, parents=(0,)),
            make_candidate(2, parents=(0,)),
            make_candidate(3, parents=(1, 2), best=True),
        ]
    )
    assert tree is not None
    places = {node.number: (node.x, node.y) for node in tree.nodes}
    assert places[3][0] > places[1][0] == places[2][0] > places[0][0]
    assert len(set(places.values())) == 4, "nobody stands on somebody else"
    assert len(tree.edges) == 4
    assert all(node.x < tree.width and node.y < tree.height for node in tree.nodes)
    assert "made from 1 and 2" in tree.nodes[3].text
