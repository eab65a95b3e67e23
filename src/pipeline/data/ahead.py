"""Reading ahead: the next item is made by another thread while one is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items in the same order, of which one more than is worked on is in memory. What `items` raises is raised
    where its item would have come."""
    end = object()
    context = copy_context()  # so that what is told in the thread is heard here (data/refused_file.py)

    def following() -> Item | object:
        return context.run(lambda: next(items, end))

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(following)
        while (item := waiting.result()) is not end:
            waiting = pool.submit(following)
            yield item  # type: ignore[misc]
