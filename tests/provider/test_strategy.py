"""Versions of several indexes in one table."""

from __future__ import annotations

from packaging.version import Version

from resolver.index.page import ProjectPage, Release
from resolver.model import IndexStrategy
from resolver.provider.candidates import Candidates, Project
from resolver.provider.policy import Order
from resolver.provider.selection import Selection
from resolver.provider.strategy import merge
from resolver.provider.versions import VersionList

FIRST, BEST = IndexStrategy.UNSAFE_FIRST_MATCH, IndexStrategy.UNSAFE_BEST_MATCH


def page(index: str, *versions: str) -> Project:
    releases = tuple(Release(Version(text), text, (), None, frozenset()) for text in versions)
    url = f"https://{index}.example/simple/"
    return Project(
        "a", index, url, ProjectPage("a", f"{url}a/", releases), VersionList.of([Version(v) for v in versions])
    )


def tried(project: Project) -> list[tuple[str, str]]:
    """Return (version, index) in the order in which a solver that rejects every one would see them."""
    table = Candidates(project, project.versions, Selection(project.versions.all, (), 0), Order())
    allowed, seen = project.versions.all, []
    while allowed:
        bit = table.choose(allowed)
        seen.append((project.release(bit).text, project.source(bit).index_name))
        allowed &= ~(1 << bit)
    return seen


def test_the_best_match_is_the_highest_version_wherever_it_is_and_ties_go_to_the_first_index() -> None:
    merged = merge([page("one", "1.0", "2.0"), page("two", "1.5", "2.0.0", "3.0")], BEST, lambda _: True)
    assert tried(merged) == [("3.0", "two"), ("2.0", "one"), ("1.5", "two"), ("1.0", "one")]


def test_the_first_match_exhausts_an_index_before_the_next() -> None:
    merged = merge([page("one", "1.0", "2.0"), page("two", "1.5", "2.0", "3.0")], FIRST, lambda _: True)
    assert tried(merged) == [("2.0", "one"), ("1.0", "one"), ("3.0", "two"), ("1.5", "two")]


def test_a_version_comes_from_the_first_index_that_has_a_usable_file_of_it() -> None:
    one, two = page("one", "1.0", "2.0"), page("two", "1.0", "2.0")
    useless = set(map(id, (*one.page.releases[1:], two.page.releases[0])))
    merged = merge([one, two], BEST, lambda release: id(release) not in useless)
    assert tried(merged) == [("2.0", "two"), ("1.0", "one")]
    useless |= {id(two.page.releases[1])}  # nobody has one: then it is told of the first
    assert tried(merge([one, two], BEST, lambda release: id(release) not in useless))[0] == ("2.0", "one")


def test_one_page_is_left_as_it_is() -> None:
    only = page("one", "1.0")
    assert merge([only], BEST, lambda _: True) is only
    assert only.source(1) is only
