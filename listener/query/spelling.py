"""Spell parts of a query as people write them."""

from __future__ import annotations

from listener.query.tree import And, Day, Fact, Near, Node, Not, Or, Phrase, Reach, Word

__all__ = ["has_sign", "has_star", "plainly", "quoted", "spelled"]


def has_star(node: Node) -> bool:
    """Tell whether a wild* stands in it."""
    if isinstance(node, And | Or):
        return any(map(has_star, node.parts))
    if isinstance(node, Near):
        return has_star(node.left) or has_star(node.right)
    return node.prefix if isinstance(node, Word) else isinstance(node, Phrase) and any(map(has_star, node.words))


def has_sign(node: Word | Phrase) -> bool:
    """Tell whether an @handle or #tag stands in it."""
    words = (node,) if isinstance(node, Word) else node.words
    return any(word.text[0] in "@#" for word in words)


def spelled(node: Node) -> str:
    """Give a word as a person wrote it, without its *."""
    return (node.written or node.text) if isinstance(node, Word) else ""


def quoted(node: Word | Phrase) -> str:
    """Write a word bare and a phrase in quotation marks; a handle or tag never stands in them."""
    if isinstance(node, Word):
        return node.written or node.text
    written = node.written or " ".join(word.written or word.text for word in node.words)
    written = " ".join(written.replace('"', " ").split())
    return written if written[:1] in ("@", "#") and len(node.words) == 1 else f'"{written}"'


def plainly(node: Node) -> str:
    """Write a part as people write it."""
    if isinstance(node, Word):
        return (node.written or node.text) + ("*" if node.prefix else "")
    if isinstance(node, Phrase):
        return " ".join(plainly(word) for word in node.words)
    if isinstance(node, Fact):
        return f"{node.name}:{node.value}"
    if isinstance(node, Reach):
        return f"reach{node.sign}{node.count}"
    if isinstance(node, Day):
        return f"{node.name}:{node.day}"
    if isinstance(node, Near):
        return f"{plainly(node.left)} NEAR/{node.distance} {plainly(node.right)}"
    if isinstance(node, Not):
        return f"NOT {plainly(node.part)}"
    return (" AND " if isinstance(node, And) else " OR ").join(map(plainly, node.parts))
