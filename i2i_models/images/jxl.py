"""The size of a JPEG XL picture, from its header: the decoder for Pillow decodes all of it before it tells."""

from collections.abc import Iterator

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
SIDE_BITS = (9, 13, 18, 30)
"""How many bits a side may have; two bits choose."""
RATIOS = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width over height, by three bits; 0 is another."""


def jxl_size(content: bytes) -> tuple[int, int] | None:
    """Width and height by the size header of ISO/IEC 18181-1; None for what is no JPEG XL, or cut before its size."""
    stream = _codestream(content)
    if stream is None or len(stream) < 3:
        return None
    bits = int.from_bytes(stream[2:16], "little")
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & ((1 << count) - 1)

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take(SIDE_BITS[take(2)]) + 1

    height = side()
    ratio = take(3)
    if ratio:
        over, under = RATIOS[ratio - 1]
        return height * over // under, height
    return side(), height


def _codestream(content: bytes) -> bytes | None:
    """The beginning of the compressed picture, out of its container if it has one."""
    if content.startswith(CODESTREAM):
        return content[:16]
    if not content.startswith(CONTAINER):
        return None
    for kind, body in _boxes(content):
        if kind == b"jxlp":  # a part of the stream, after its number
            body = body[4:]
        if kind in (b"jxlc", b"jxlp"):
            return body if body.startswith(CODESTREAM) else None
    return None


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and first bytes of each box."""
    at = 0
    while at + 8 <= len(content):
        length, head = int.from_bytes(content[at : at + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        yield content[at + 4 : at + 8], content[at + head : at + head + 20]
        if length < head:  # 0: up to the end
            return
        at += length
