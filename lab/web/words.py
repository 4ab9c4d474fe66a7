"""What the quiz's script says, in both languages; the rest of its words come with the questions."""

from __future__ import annotations

from collections.abc import Mapping

from lab.report.grades import (
    CAME_TRUE,
    CONTRADICTS,
    DID_NOT,
    HINTS,
    MISSED,
    NOT_GRADABLE,
    SAID,
    SCORE,
)
from lab.text import Text

WORDS: Mapping[str, Text] = {
    "score": SCORE,
    "hints": HINTS,
    "ungradable": NOT_GRADABLE,
    "said": SAID,
    "missed": MISSED,
    "contradicts": CONTRADICTS,
    "came_true": CAME_TRUE,
    "did_not": DID_NOT,
    "prediction": Text("Predict first", "先预测"),
    "sure": Text("How sure are you?", "把握有多大？"),
    "run": Text("Commit it and run", "提交预测并运行"),
    "look": Text("Run it", "运行"),
    "newest": Text("Commit it and look at the newest run", "提交预测并查看最近一次运行"),
    "running": Text("Playing it now on real kernels …", "正在真实内核上运行……"),
    "evidence": Text("Prove it with this run", "用这次运行证明"),
    "click": Text(
        "A frame that you choose in the ladder fills the frame field you were in; Escape leads back to it.",
        "在时序图中选中一帧，即可填入刚才所在的帧编号输入框；按 Escape 返回输入框。",
    ),
    "filled": Text("Frame {frame} of {host} filled in.", "已填入 {host} 的第 {frame} 帧。"),
    "hint": Text("A hint (costs {points} points)", "提示（扣 {points} 分）"),
    "why": Text("Why? In your own words (optional)", "为什么？用自己的话说明（可选）"),
    "spoken": Text("Answer as you would say it aloud", "像当面回答那样作答"),
    "seconds": Text("{seconds} s left", "剩余 {seconds} 秒"),
    "time_over": Text("The time is over.", "时间到。"),
    "spoke": Text("Done speaking", "回答完毕"),
    "hand_in": Text("Hand in", "提交"),
    "verdict": Text("Verdict", "结论"),
    "your_words": Text("What you said", "你的回答"),
    "covered": Text("I said it in other words: {idea}", "我用别的话说到了：{idea}"),
    "answer": Text("The answer", "答案"),
    "shown": Text("What this run shows", "这次运行所示"),
    "lists": Text("Often read", "常见说法"),
    "truth": Text("In truth", "事实"),
    "asked_next": Text("Asked next", "接着会问"),
    "next": Text("Next question", "下一题"),
    "clear": Text("Clear", "清空"),
    "ladder": Text("The ladder of {run}", "{run} 的时序图"),
    "symptoms": Text("What the client's program saw", "客户端程序所见"),
    "ask_piece": Text(
        "Ask for evidence (pieces left: {left}, points each: {price})",
        "索要证据：还可要 {left} 项，每项扣 {price} 分",
    ),
    "no_more": Text("That was the last piece: name the cause.", "证据已用完，请说出原因。"),
    "nothing": Text("nothing there", "没有内容"),
    "cause": Text("What is the cause?", "原因是什么？"),
    "name_it": Text("That is it", "就是它"),
    "right": Text("Right, {score} of 100: {cause}", "正确，得分 {score}/100：{cause}"),
    "wrong": Text("No. It was this: {cause}", "不对。真正的原因：{cause}"),
    "report": Text("Look at the run", "查看这次运行"),
    "passed": Text(
        "{passed} of {total} questions passed, {due} due for review",
        "已通过 {passed}/{total} 题，{due} 题待复习",
    ),
    "closed": Text("opens after stage {after}", "通过阶段 {after} 后开放"),
    "ready": Text(
        "{ready} of {total} questions can be asked about the runs that are here; the others say what to play first.",
        "就现有的运行，{total} 题中可提问 {ready} 题；其余题目注明需要先运行什么。",
    ),
    "best": Text("Most are added by: {command}", "增加最多题目的命令：{command}"),
    "first": Text("first: {command}", "先运行：{command}"),
    "due": Text("due for review", "该复习了"),
    "again": Text("Ask it again", "重新打开这道题"),
    "logs": Text("{lines} lines of the logs", "日志 {lines} 行"),
    "failed": Text(
        "The server does not answer. Start it again (lab serve), and open the address that it prints.",
        "服务器没有应答。请重新启动（lab serve），再打开它打印的地址。",
    ),
}
