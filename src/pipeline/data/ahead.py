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
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(context.run, next, items, end)
        while (item := following.result()) is not end:
            following = pool.submit(context.run, next, items, end)
            yield item  # type: ignore[misc]
