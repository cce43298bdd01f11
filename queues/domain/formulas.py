"""Formulas as they are printed: what stands on the card is what is computed.

A formula is written in symbols, `A_T / (A + B - B_s)`, with + - * / and brackets. Whatever is divided by nothing, or
has a symbol of which nothing is known, has no value.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

Value = float | int | None
_DOES: Final[Mapping[type[ast.operator], Callable[[float, float], float | None]]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right if right > 0 else None,
}


class FormulaError(ValueError):
    """Not a formula of symbols, + - * / and brackets."""


@dataclass(frozen=True)
class Formula:
    text: str

    @cached_property
    def _tree(self) -> ast.expr:
        return ast.parse(self.text, mode="eval").body

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """In the order in which they are first read."""
        names = [node for node in ast.walk(self._tree) if isinstance(node, ast.Name)]
        return tuple(dict.fromkeys(node.id for node in sorted(names, key=lambda node: node.col_offset)))

    @property
    def printed(self) -> str:
        return self.text.replace("*", "×").replace("/", "÷").replace("-", "−")

    def value(self, of: Mapping[str, Value]) -> Value:
        return _value(self._tree, of)


def _value(node: ast.expr, of: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.Name):
        return of[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _DOES:
        left, right = _value(node.left, of), _value(node.right, of)
        return None if left is None or right is None else _DOES[type(node.op)](left, right)
    raise FormulaError(ast.unparse(node))
