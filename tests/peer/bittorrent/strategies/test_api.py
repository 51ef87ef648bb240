"""The public API has everything that a user's strategy needs."""

import ast
from pathlib import Path

from peer.bittorrent.strategies import api

REPOSITORY = Path(__file__).parents[4]


def test_all_names_of_the_api_exist() -> None:
    assert [name for name in api.__all__ if not hasattr(api, name)] == []


def test_own_strategy_imports_only_the_api() -> None:
    tree = ast.parse((REPOSITORY / "experiments" / "own_strategy.py").read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [module for module in modules if module.startswith("peer")] == ["peer.bittorrent.strategies.api"]
