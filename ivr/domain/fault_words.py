# ruff: noqa: E501  a sentence stands beside its own translation
"""What is wrong with a site's files, in Chinese.

The loaders say it in plain English, where no reader is known. Each of their sentences is known here by its pattern; a
name in braces stands for what the sentence names, and stands again in the Chinese one. One that is not known is shown
as it is. What must hold: no pattern hides another one.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from queues.domain.faults import Fault

CHINESE: Final = "zh"

_PAIRS: Final = (
    ("this file is missing or empty", "这个文件不存在或是空的"),
    ("this section is missing or is not a list of 'name: value' entries", "缺少这一段，或者它不是一列“名称: 值”"),
    ("expected 'name: value' entries here", "这里应当是一列“名称: 值”"),
    ("expected a text", "应当是一段文字"),
    ("expected a list such as {example}", "应当是一个列表，例如 {example}"),
    ("expected a list of names such as {example}", "应当是一列名称，例如 {example}"),
    ("needs at least one entry", "至少要有一项"),
    ("must be at least {n}", "不得小于 {n}"),
    ("must be more than {n}", "必须大于 {n}"),
    ("must be at most {n}", "不得大于 {n}"),
    ("must be less than {n}", "必须小于 {n}"),
    ("'{x}' is none of {known}", "“{x}”不在可选项之内：{known}"),
    ("'{x}' is neither true nor false", "“{x}”既不是 true 也不是 false"),
    ("'{x}' is not a whole number", "“{x}”不是整数"),
    ("'{x}' is not a number", "“{x}”不是数字"),
    ("'{x}' is missing", "缺少“{x}”"),
    ("'{x}' is not known here; did you mean '{near}'?", "这里没有“{x}”这一项；是不是“{near}”？"),
    ("'{x}' is not known here", "这里没有“{x}”这一项"),
    ("there is no {noun} named '{x}'; did you mean '{near}'?", "没有名为“{x}”的{noun}；是不是“{near}”？"),
    ("there is no {noun} named '{x}'", "没有名为“{x}”的{noun}"),
    ("'type' is missing; it is one of {known}", "缺少“type”；可选：{known}"),
    ("'{x}' is not a language of this site ({known})", "“{x}”不是本热线的语言（{known}）"),
    ("the text is missing in {languages}", "缺少这些语言的文字：{languages}"),
    ("'{x}' is not a short name such as dispatch_urgent (small letters, digits, _)",
     "“{x}”不是简短名称，例如 dispatch_urgent（小写字母、数字、_）"),
    ("'{x}' is not a duration such as 15s, 2m or 1m30s", "“{x}”不是时长，例如 15s、2m 或 1m30s"),
    ("'{x}' is not a span such as 90m, 24h or 5 workdays", "“{x}”不是期限，例如 90m、24h 或 5 workdays"),
    ("'{x}' is longer than a year", "“{x}”超过一年"),
    ("nobody has a manager: name the tiers here, or under 'managed'", "没有人配客户经理：在这里或在 managed 下写明等级"),
    ("nobody waits for one person alone longer than {n}s", "不能让人为一个人单独等候超过 {n} 秒"),
    ("'{x}' is to say {placeholder} in every language", "“{x}”在每种语言里都要有 {placeholder}"),
    ("workdays need a 'calendar' that says which days are worked", "按工作日计时需要 calendar，写明哪些天上班"),
    ("{x} cannot be filled in; known are {known}", "{x} 无法填入；可用的有 {known}"),
    ("'{x}' is a built-in column and needs no declaration", "“{x}”是自带的列，不必声明"),
    ("a choice needs its 'values', and only a choice has them", "选项类需要 values，也只有选项类才有"),
    ("'holidays' belong to 'weekly' hours; a single day goes under 'exceptions'",
     "holidays 与 weekly 配合使用；单独的一天写在 exceptions 下"),
    ("'{x}' is given twice", "“{x}”写了两次"),
    ("'{x}' is not a time zone such as Asia/Shanghai", "“{x}”不是时区，例如 Asia/Shanghai"),
    ("'{x}' is in another time zone than '{y}'", "“{x}”与“{y}”不在同一时区"),
    ("'{x}' is not a day or a range of days such as mon-fri", "“{x}”不是星期或星期范围，例如 mon-fri"),
    ("'{x}' runs backwards", "“{x}”的起止颠倒了"),
    ("'{x}' does not end after it begins; hours over midnight are two: {example}",
     "“{x}”的结束不晚于开始；跨零点的时间分两段写：{example}"),
    ("'{x}' is not a country such as CN; or give a list of dates", "“{x}”不是国家代码，例如 CN；也可以写一列日期"),
    ("'{x}' is not a date such as {example}", "“{x}”不是日期，例如 {example}"),
    ("'{x}' is not a day of the year such as {example}", "“{x}”不是一年中的某天，例如 {example}"),
    ("'{x}' is not a time of day such as 08:30", "“{x}”不是一天中的时刻，例如 08:30"),
    ("'by' ({x}) must be later than 'at' ({y})", "by（{x}）必须晚于 at（{y}）"),
    ("an urgent report has no period: take 'urgent' out of 'kinds'", "紧急报告没有期间：请从 kinds 里去掉 urgent"),
    ("'{x}' is not a time such as {example}", "“{x}”不是时间段，例如 {example}"),
    ("expected a country such as CN, or a list of dates", "应当是国家代码，例如 CN，或一列日期"),
    ("expected dates and their hours, such as {example}", "应当是日期和当天的时间，例如 {example}"),
    ("expected days and their hours, such as {example}", "应当是星期和时间，例如 {example}"),
    ("give one of 'open: always', 'weekly' hours and 'season'", "open: always、weekly、season 三者写一个"),
    ("goes round in a circle: {path}", "绕成了一圈：{path}"),
    ("no day of this week has any hours", "这一周没有一天有服务时间"),
    ("the last of these holidays was {last}", "这些假日的最后一天已是 {last}"),
    ("the make-up workdays of {year} are not announced; weekends count as usual", "{year} 年的调休尚未公布；周末按平常算"),
    ("two of the hours of {day} overlap", "{day} 有两段时间重叠"),
    ("'not_found' is missing: it is said when '{x}' finds no customer", "缺少 not_found：“{x}”查不到客户时要说的话"),
    ("'{x}' leads to no person, but key {key} and silence must, at every question",
     "“{x}”到不了人工；但每个提问处的 {key} 键和不出声都必须到人工"),
    ("'{x}' is missing: a word of '{y}' that we are not sure of is asked back", "缺少“{x}”：“{y}”听不准的词要反问确认"),
    ("'{x}' opens no ticket, so nobody would ever hear an anonymous message", "“{x}”不开工单，匿名留言就没有人会听到"),
    ("'{x}' is also a word of key {key}: nobody can tell which is meant", "“{x}”也是 {key} 键的词：分不清指哪一个"),
    ("a caller who presses nothing goes round in circles: {path}", "不按键的来电者会一直绕圈：{path}"),
    ("after a message only say and hangup can follow, but {path} does", "留言之后只能是 say 和 hangup，但这里是 {path}"),
    ("after this notice key {key} (do not record) cannot be pressed: {path}; a question must come first",
     "这段告知之后按不到 {key} 键（不录音）：{path}；前面要先有一个提问"),
    ("callers can get here without a collect into '{x}': {path}", "来电者可能没有经过收号“{x}”就到这里：{path}"),
    ("callers can get here without having heard a recording notice: {path}", "来电者可能没有听到录音告知就到这里：{path}"),
    ("joining is key {key}, which the keys above use for something else", "并入工单用 {key} 键，而上面的按键已另有用途"),
    ("key {key} is both 'yes' and 'no'", "{key} 键既是“是”又是“否”"),
    ("key {key} is used twice in this question", "{key} 键在这个提问里用了两次"),
    ("key {key} means a person at every question, but '{x}' leads to none", "{key} 键在每个提问处都转人工，但“{x}”到不了人工"),
    ("key {key} means '{x}' at every question", "{key} 键在每个提问处都表示“{x}”"),
    ("key {key} is '{x}', and means something else at every question", "{key} 键是“{x}”，但它在每个提问处另有含义"),
    ("menu.yaml has no words for it: {missing} under phrases", "menu.yaml 的 phrases 下缺少这些话：{missing}"),
    ("no caller ever gets to this node; lead there with a goto, or take it out", "没有来电者会走到这个节点；用 goto 引过去，或删掉它"),
    ("the manager is not known when callers come this way: {path}; ask with a branch (manager: true), or give phrases.manager, a polite word",
     "这样走到这里时不知道客户经理是谁：{path}；先用 branch（manager: true）判断，或写 phrases.manager 作称呼"),
    ("the ticket of '{x}' has an access code; tell it in a say or hangup behind the message",
     "“{x}”的工单有查询码；请在留言之后的 say 或 hangup 里报出"),
    ("the wait prompt of '{x}' speaks an access code, but the ticket of '{y}' has none", "“{x}”的等候语报查询码，但“{y}”的工单没有"),
    ("the wait prompt of '{x}' speaks the ticket number, but '{y}' does not open a ticket at entry",
     "“{x}”的等候语报工单号，但“{y}”不在进入队列时开工单"),
    ("there is no access code when callers come this way: {path}", "这样走到这里时还没有查询码：{path}"),
    ("there is no file audio/{x} in this site; did you mean '{near}'?", "本热线没有文件 audio/{x}；是不是“{near}”？"),
    ("there is no file audio/{x} in this site", "本热线没有文件 audio/{x}"),
    ("there is no ticket yet when callers come this way: {path}", "这样走到这里时还没有工单：{path}"),
    ("this text is too long to be spoken at once ({n} characters; {most} are possible, or about {chinese} Chinese ones); put a say node behind it",
     "这段话太长，一次读不完（{n} 个字符；最多 {most} 个，约 {chinese} 个汉字）；请在后面再放一个 say 节点"),
    ("tickets.yaml has no 'states': nobody could say how a case stands", "tickets.yaml 没有 states：没法说明办理进度"),
    ("two of these keys are the same", "其中有两个键相同"),
    ("{what} ends in a hang-up: {path}; it must lead to a person", "{what} 以挂机结束：{path}；必须能到人工"),
    ("'{x}' is not a sound we can play; give a .wav or .mp3 file", "“{x}”不是能播放的录音；请用 .wav 或 .mp3 文件"),
    ("'{x}' must be the name of a file in the folder audio", "“{x}”必须是 audio 文件夹里的文件名"),
    ("'{x}' is not a key of a telephone; the keys are \"0\" to \"9\"", "“{x}”不是电话按键；按键是 \"0\" 到 \"9\""),
    ("'{x}' is not a number in international form such as {example}", "“{x}”不是国际格式的号码，例如 {example}"),
    ("'{x}' must have between 1 and {n} characters", "“{x}”应为 1 到 {n} 个字符"),
    ("an anonymous message needs queue and matter: its ticket is all that is left", "匿名留言需要 queue 和 matter：最后只剩它的工单"),
    ("give queue and matter together, or neither", "queue 和 matter 要么都写，要么都不写"),
    ("min {low} is more than max {high}", "min {low} 大于 max {high}"),
    ("nobody can answer in less than a second; write 3s or more", "没有人能在一秒内作答；请写 3s 或更长"),
    ("this case asks nothing; put its goto under else", "这一条没有条件；请把它的 goto 放到 else 下"),
    ("'clear' must be below 'over', else the alarm would come and go", "clear 必须小于 over，否则告警会反复"),
    ("'clear' must be above 'below', else the alarm would come and go", "clear 必须大于 below，否则告警会反复"),
    ("'{x}' is no alarm of a queue; write it under 'alarms'", "“{x}”不是队列的告警；请写在 alarms 下"),
    ("'rearm_below' must be below 'release_after', else it would go to and fro", "rearm_below 必须小于 release_after，否则会来回变"),
    ("expected a language and the skill of whoever speaks it", "应当是语言和会说它的人的技能"),
    ("'other' stands for callers whose area is unknown", "other 专指区域不明的来电者"),
    ("'{x}' has no entry under voices", "voices 下没有“{x}”"),
    ("a line with hours needs both 'calendar' and 'closed', the node outside them", "有服务时间的号码需要 calendar 和 closed（时间外的节点）两项"),
    ("lets '{x}' pass '{y}' by {n}s, but its head start over it is only {m}s; a ceiling of {k}s is possible",
     "会让“{x}”超过“{y}” {n} 秒，而它的提前量只多 {m} 秒；ceiling 可以写 {k} 秒"),
    ("no surge ever begins: 'surge' is missing in queues.yaml", "永远不会进入高峰：queues.yaml 里缺少 surge"),
    ("there are no words for {missing}", "这些没有写文字：{missing}"),
    ("this hotline has no areas (customers.yaml)", "本热线没有区域（customers.yaml）"),
    ("this step comes before the one above it; put them in order", "这一步早于上面一步；请按先后排列"),
    ("this step does the same as one above it; take it out", "这一步与上面某一步相同；请删掉"),
    ("the shares of the bands are {n} together, not {full}", "各档比例合计 {n}，不是 {full}"),
    ("there are two bands with the code '{x}'", "有两个档的代码都是“{x}”"),
    ("'{x}' needs exactly one comparison: {known}", "“{x}”只能有一个比较：{known}"),
    ("'{x}' is neither a number nor a date such as {example}", "“{x}”既不是数字也不是日期，例如 {example}"),
    ("'{x}' needs the attribute that it compares", "“{x}”要写明比较哪个属性"),
    ("a rule compares with a number, a date, a text, or true and false", "条件只能与数字、日期、文字或 true、false 比较"),
    ("a rule is one of: any, all, band, or an attribute with a comparison", "条件是 any、all、band 之一，或一个属性加比较"),
    ("expected two values such as [100, 200]: the first is inside, the second is not", "应当是两个值，例如 [100, 200]：含前者，不含后者"),
    ("the first of the two values must be below the second", "两个值中前者必须小于后者"),
    ("a rule says either 'from', an amount, or 'gravity', a list", "条件写 from（金额）或 gravity（列表）之一"),
    ("from {n} on it would go to '{x}', which is not above '{y}' from {m} on", "自 {n} 起会归“{x}”，但它不高于自 {m} 起的“{y}”"),
    ("a surge needs 'waiting' or 'area', or it never begins", "surge 需要 waiting 或 area，否则永远不会开始"),
    ("more than {n} waiting in '{x}' is every day; 2 at least", "“{x}”里多于 {n} 人等候天天都有；至少写 2"),
    ("'front' goes with 'to': it is a place before everybody in that queue", "front 与 to 配合：排在那个队列所有人前面"),
    ("'surge' goes with 'to' or 'ring': it is more agents at once", "surge 与 to 或 ring 配合：立即增加座席"),
    ("'{x}' is no agent's own doing; judged can be {known}", "“{x}”不是座席自己做得到的；可评的有：{known}"),
    ("'{x}' is judged by a part above already; take one of them out", "上面已有一项评“{x}”；请删去一项"),
    ("target and floor are the same; between them the points rise, so one must be the better", "满分线与零分线相同；分数在两者之间递增，必须有一端较好"),
    ("of '{x}' more is better: the target must be above the floor", "“{x}”越大越好：满分线要高于零分线"),
    ("of '{x}' less is better: the target must be below the floor", "“{x}”越小越好：满分线要低于零分线"),
    ("the points of all parts are {n} together; they must be {m}", "各项满分合计 {n}，应为 {m}"),
    ("expected percent, 0 to 100", "应当是百分数，0 至 100"),
    ("a step of overflow has exactly one of: {known}", "溢出的每一步只能有其中一项：{known}"),
)  # fmt: skip
_NOUNS: Final = {
    "agent": "座席", "figure of an agent": "座席指标", "area": "区域", "attribute": "属性", "calendar": "服务时间", "disposition": "小结",
    "gravity": "严重程度", "language": "语言", "line": "号码", "matter": "事由", "node": "节点", "post": "岗位",
    "queue": "队列", "skill": "技能", "ticket type": "工单类型", "tier": "等级",
}  # fmt: skip
_BRACED: Final = re.compile(r"\\\{(\w+)\\\}")


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(_BRACED.sub(r"(?P<\1>.*)", re.escape(sentence)), re.DOTALL)


_KNOWN: Final = tuple((_pattern(english), chinese) for english, chinese in _PAIRS)


def fault_in(message: str, language: str) -> str:
    """The sentence in this language; where it is not known, as it is."""
    if not language.startswith(CHINESE):
        return message
    for pattern, chinese in _KNOWN:
        if found := pattern.fullmatch(message):
            told = found.groupdict()
            noun = told.get("noun", "")
            return chinese.format(**{**told, "noun": _NOUNS.get(noun, noun)})
    return message


def told_in(faults: Iterable[Fault], language: str | None) -> list[str]:
    """Each with its place, in this language; in English where none is asked for."""
    return [str(replace(fault, message=fault_in(fault.message, language or ""))) for fault in faults]
