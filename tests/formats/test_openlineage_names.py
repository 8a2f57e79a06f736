"""Which names are one dataset, and the paths proposed for datasets."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.names import is_asset
from ledger.formats.openlineage_facets import Identity
from ledger.formats.openlineage_names import MAX_PATH, Names, distinct_path, proposed_paths, slug

LONGEST_NAMESPACE = ".".join(["n" * 63, "s" * 63])


def identity(name: str, namespace: str = "db") -> Identity:
    return Identity(namespace, name)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("orders", "orders"),
        ("test.table.output", "test.table.output"),
        ("/user/hive/warehouse/t1", "user/hive/warehouse/t1"),
        ("Public.Ärger Liste", "public.arger-liste"),
        ("a//b/./../c", "a/b/c"),
        ("_hidden", "_hidden"),
        (".hidden/-x-", "hidden/x"),
        ("s3://bucket/key=1/part", "s3/bucket/key-1/part"),
        ("a@3", "a-3"),
    ],
)
def test_slugs(name: str, path: str) -> None:
    assert slug(identity(name)) == path


def test_a_name_of_which_nothing_is_left() -> None:
    path = slug(identity("订单"))
    assert path.startswith("dataset-")
    assert slug(identity("客户")) != path


def test_a_long_name_keeps_its_end() -> None:
    path = slug(identity("x" * 500 + "/tail"))
    assert "/tail-" in path
    assert len(path) <= MAX_PATH


@given(st.text(min_size=1), st.text())
def test_every_path_fits(name: str, namespace: str) -> None:
    for path in (slug(identity(name, namespace)), distinct_path(identity(name, namespace), 40)):
        assert len(path) <= MAX_PATH
        assert is_asset(f"{LONGEST_NAMESPACE}/{path}"), path


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.text("aA-.é/", min_size=1, max_size=4)), unique=True)
)
def test_paths_differ_and_do_not_depend_on_order(named: list[tuple[str, str]]) -> None:
    identities = [Identity(*each) for each in named]
    paths = proposed_paths(identities)
    assert len(set(paths)) == len(paths)
    assert proposed_paths(identities[::-1]) == paths[::-1]


def test_equal_slugs_get_hashes() -> None:
    one, other, third = identity("orders", "pg"), identity("Orders", "pg"), identity("customers")
    paths = proposed_paths([one, other, third])
    assert paths == [distinct_path(one), distinct_path(other), "customers"]


def test_a_name_that_looks_like_a_hashed_one() -> None:
    one, other = identity("orders", "a"), identity("orders", "b")
    trap = identity(distinct_path(one))
    paths = proposed_paths([one, other, trap])
    assert len(set(paths)) == 3


def test_links_are_transitive_and_the_used_name_comes_first() -> None:
    names = Names()
    path, table, view = (names.number(identity(name), direct=name == "path") for name in ("path", "a", "b"))
    names.link(path, table)
    names.link(view, table)
    other = names.number(identity("other"))
    groups = names.groups()
    assert groups.aliases == [(identity("other"),), (identity("path"), identity("a"), identity("b"))]
    assert groups(identity("b")) == groups.of_number(path) == 1
    assert groups.of_number(other) == 0


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12),
    st.randoms(use_true_random=False),
)
def test_groups_do_not_depend_on_order(links: list[tuple[int, int]], randoms: random.Random) -> None:
    def groups(order: list[tuple[int, int]]) -> list[tuple[Identity, ...]]:
        names = Names()
        for one, other in order:
            names.link(names.number(identity(str(one))), names.number(identity(str(other)), direct=False))
        return names.groups().aliases

    shuffled = list(links)
    randoms.shuffle(shuffled)
    assert groups(shuffled) == groups(links)
