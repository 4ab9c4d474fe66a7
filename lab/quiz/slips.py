"""Known ways to a wrong value, and what to say to each: worth more than a long explanation."""

from __future__ import annotations

from collections.abc import Mapping

from lab.questions.base import Slip
from lab.text import Text

WORDS: Mapping[Slip, Text] = {
    Slip.SYN_COUNTS_ONE: Text(
        "SYN and FIN each consume one sequence number: what is acknowledged is one more.",
        "SYN 与 FIN 各占一个序号：确认号要再加一。",
    ),
    Slip.CHARACTERS: Text(
        "That counts characters. TCP and UDP carry octets; UTF-8 takes three for most Chinese characters.",
        "这数的是字符。TCP 与 UDP 传送的是字节，UTF-8 中大多数汉字占三个字节。",
    ),
    Slip.OTHER_CAPTURE: Text(
        "That is this frame's number in the other host's capture.",
        "这是该帧在另一台主机抓包中的编号。",
    ),
    Slip.UNSCALED: Text(
        "That is the field as sent. Shift it by the window scale that the SYN announced.",
        "这是报文中的字段值，还要按 SYN 中宣告的窗口扩大因子左移。",
    ),
    Slip.RETRANSMISSION: Text(
        "That is a retransmission; the original came before it.", "这是重传，原报文段在它之前。"
    ),
    Slip.ORIGINAL: Text(
        "That is the original; the one that is asked for was sent again later.",
        "这是原报文段；所问的是后来重传的那一个。",
    ),
    Slip.OTHER_END: Text("That holds for the other end.", "这是另一端的情况。"),
    Slip.OTHER_RUN: Text("That is another run's value.", "这是另一次运行的值。"),
    Slip.HEADERS: Text(
        "That counts headers in; the payload is less.", "这把首部也算进去了，净荷要少一些。"
    ),
    Slip.RELATIVE: Text(
        "That is the relative number, which is 0 in every run; the one on the wire is asked for.",
        "这是相对序号，每次运行都是 0；所问的是线路上的绝对序号。",
    ),
    Slip.OFF_BY_ONE: Text("One off.", "差一。"),
}
