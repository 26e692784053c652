"""What is the full text's own."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.fulltext import LONG_SEARCH, FullText

PASSAGES = [
    Passage(id="1", title="Cats", text="They sleep all day."),
    Passage(id="2", title="Dogs", text="Dogs run. Some of them like cats."),
    Passage(id="3", title="", text="A long text about neither of the two animals at all."),
]


def ids(collection: FullText, query: str, k: int = 5) -> list[str]:
    return [hit.id for hit in asyncio.run(collection.search(query, k))]


def test_a_word_in_the_title_counts_more() -> None:
    assert ids(FullText.build(PASSAGES), "cats") == ["1", "2"]


def test_a_rare_word_counts_more_than_a_frequent_one() -> None:
    passages = [Passage(id=str(n), text="water and stones") for n in range(20)]
    passages.append(Passage(id="rare", text="water with a heron in the long evening light"))
    assert ids(FullText.build(passages), "heron stones", 1) == ["rare"]


def test_words_that_most_passages_have_still_fill_up_the_answer() -> None:
    passages = [Passage(id=f"{n:02}", text="water and stones") for n in range(20)]
    passages.append(Passage(id="99", text="heron"))
    assert ids(FullText.build(passages), "heron water", 3) == ["99", "00", "01"]
    assert ids(FullText.build(passages), "water", 2) == ["00", "01"]


def test_endings_count_unless_it_stems() -> None:
    assert ids(FullText.build(PASSAGES), "running sleeping") == []
    assert set(ids(FullText.build(PASSAGES, stem=True), "running sleeping")) == {"1", "2"}


def test_accents_and_case_do_not_count() -> None:
    collection = FullText.build([Passage(id="1", text="Ça va, CRÈME brûlée, Straße, ﬁn")])
    for query in ("creme", "Brulee", "ca", "STRASSE", "fin"):
        assert ids(collection, query) == ["1"], query


def test_words_of_scripts_with_signs_are_whole() -> None:
    passages = [Passage(id="1", text="हिन्दी में लिखा"), Passage(id="2", text="हम दल")]
    assert ids(FullText.build(passages), "हिन्दी") == ["1"]
    arabic = [Passage(id="1", text="كتاب مفيد"), Passage(id="2", text="بيت")]
    assert ids(FullText.build(arabic), "كتاب") == ["1"]


def test_the_longer_run_of_letters_wins_where_there_are_no_spaces() -> None:
    passages = [Passage(id="1", text="京の東にある"), Passage(id="2", text="東京にある")]
    assert ids(FullText.build(passages), "東京") == ["2", "1"]


def test_an_equal_collection_is_not_built_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "c.db"
    first = FullText.build(PASSAGES, path)
    inode = path.stat().st_ino
    again = FullText.build(reversed(PASSAGES), path)
    assert (again.hash, path.stat().st_ino) == (first.hash, inode)
    other = FullText.build(PASSAGES[:2], path)
    assert other.hash != first.hash
    assert path.stat().st_ino != inode
    assert FullText.build(PASSAGES[:2], path, stem=True).hash != other.hash
    assert os.listdir(path.parent) == ["c.db"]


def test_who_has_the_old_collection_open_goes_on_with_it(tmp_path: Path) -> None:
    old = FullText.build(PASSAGES, tmp_path / "c.db")
    new = FullText.build([Passage(id="9", text="cats again")], tmp_path / "c.db")
    assert (ids(old, "cats"), ids(new, "cats")) == (["1", "2"], ["9"])


def test_a_build_that_breaks_leaves_the_old_collection_and_no_litter(tmp_path: Path) -> None:
    FullText.build(PASSAGES, tmp_path / "c.db")

    def broken() -> object:
        yield PASSAGES[0]
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        FullText.build(broken(), tmp_path / "c.db")  # type: ignore[arg-type]
    assert ids(FullText.open(tmp_path / "c.db"), "cats") == ["1", "2"]
    assert os.listdir(tmp_path) == ["c.db"]


def test_two_builders_at_once_leave_one_whole_collection(tmp_path: Path) -> None:
    many = [Passage(id=str(n), text=f"number {n} of many") for n in range(500)]
    threads = [
        threading.Thread(target=FullText.build, args=(many[: 300 + n * 100], tmp_path / "c.db"))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert FullText.open(tmp_path / "c.db").count in (300, 400, 500)
    assert os.listdir(tmp_path) == ["c.db"]


def test_what_is_no_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match="There is no collection at"):
        FullText.open(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello " * 1000)
    with pytest.raises(RetrievalError, match="build it again"):
        FullText.open(tmp_path / "text.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(RetrievalError, match="build it again"):
        FullText.open(tmp_path / "empty.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(RetrievalError, match="cannot be built"):
        FullText.build(PASSAGES, tmp_path / "file" / "c.db")


def test_a_damaged_file_says_so_and_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    many = [Passage(id=str(n), text=f"cats {n} " + "word " * 50) for n in range(300)]
    collection = FullText.build(many, path)
    collection.close()
    whole = path.read_bytes()
    # The pages stay where they are, and hold nothing that SQLite knows.
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(RetrievalError, match="build it again"):
        ids(FullText.open(path), "cats 7")
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RetrievalError, match="build it again"):
        ids(FullText.open(path), "cats 7")
    assert ids(FullText.build(many[:10], path), "7") == ["7"]


def test_a_long_search_leaves_the_event_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    passages = [Passage(id=str(n), text="water") for n in range(LONG_SEARCH + 1)]
    collection = FullText.build(passages)
    used: list[int] = []
    rows = collection._rows

    def watched(*values: object) -> object:
        used.append(threading.get_ident())
        return rows(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(collection, "_rows", watched)
    assert len(ids(collection, "water")) == 5
    assert used != [threading.get_ident()]
    used.clear()
    assert ids(collection, "stone") == []
    assert used == [threading.get_ident()]


def _search_in_child(collection: FullText, queue: multiprocessing.Queue[list[str]]) -> None:
    queue.put(ids(collection, "cats"))


@pytest.mark.parametrize("name", ["c.db", None])
def test_a_forked_process_may_go_on_with_it(tmp_path: Path, name: str | None) -> None:
    collection = FullText.build(PASSAGES, tmp_path / name if name else None)
    assert ids(collection, "cats") == ["1", "2"]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_search_in_child, args=(collection, queue))
    child.start()
    assert queue.get(timeout=20) == ["1", "2"]
    child.join()
    queue.close()
    assert ids(collection, "cats") == ["1", "2"]


def test_threads_that_have_ended_leave_no_connection(tmp_path: Path) -> None:
    collection = FullText.build(PASSAGES, tmp_path / "c.db")
    for _ in range(5):
        thread = threading.Thread(target=ids, args=(collection, "cats"))
        thread.start()
        thread.join()
    gc.collect()
    assert len(collection._opened) == 1
    collection.close()
