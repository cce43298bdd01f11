"""What the change from one version of a site to another does, in words, to callers and to those who serve them.

It compares what was read, not how it was written: comments, blanks and the order of names say nothing. Order is
told only where it has a meaning: which tier is looked at first, which case a branch asks first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ivr.domain.nodes import BranchNode, GatherNode, Node, Option
from ivr.domain.outline import ENGLISH, Outline, frame_language
from ivr.domain.sayings import duration, is_text, saying, texts_changed
from queues.domain.bounds import exempt, passing_bounds
from queues.domain.parts import Part, language_of
from queues.domain.plan import Plan, Timing

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "key_leads": (
        "{node} 中按 {key} 现在到 {now}（原为 {was}）",
        "key {key} in {node} now leads to {now} (was: {was})",
    ),
    "key_new": (
        "{node} 中新增按键 {key}“{label}”，到 {now}",
        "key {key} in {node} is new: “{label}”, leads to {now}",
    ),
    "key_gone": (
        "{node} 中不再有按键 {key}“{label}”（原到 {was}）",
        "key {key} in {node} is gone: “{label}”, led to {was}",
    ),
    "key_label": (
        "{node} 中按键 {key} 现在称为“{now}”（原为“{was}”）",
        "key {key} in {node} is now called “{now}” (was: “{was}”)",
    ),
    "key_words": (
        "{node} 中代替按键 {key} 可以说的话现在是：{now}（原为：{was}）",
        "what can be said for key {key} in {node} is now: {now} (was: {was})",
    ),
    "node_new": ("新增节点 {node}：{kind}，{title}", "new node {node}: {kind}, {title}"),
    "node_gone": ("不再有节点 {node}：{kind}，{title}", "node {node} is gone: {kind}, {title}"),
    "node_kind": ("{node} 现在是“{now}”（原为“{was}”）", "{node} now {now} (before: {was})"),
    "branch": ("{node} 现在这样判断：{now}（原为：{was}）", "{node} now decides: {now} (was: {was})"),
    "text": (
        "{where}的{field}（{language}）改为“{now}”（原为“{was}”）",
        "{where}: {field} ({language}) now “{now}” (was: “{was}”)",
    ),
    "field": ("{where}的{field}改为 {now}（原为 {was}）", "{where}: {field} now {now} (was: {was})"),
    "new": ("新增{where}", "new {where}"),
    "gone": ("不再有{where}", "{where} is gone"),
    "may_pass": (
        "{ahead}现在可以排到比自己早来 {now} 以内的{behind}前面（原为 {was}）",
        "{ahead} may now pass {behind} who came up to {now} earlier (was: {was})",
    ),
    "not_pass": (
        "{ahead}不再排到{behind}前面（原为 {was}）",
        "{ahead} may no longer pass {behind} (was: {was})",
    ),
    "tier_order": (
        "客户等级的判断顺序改为：{now}（原为：{was}）",
        "customers are now sorted into tiers in this order: {now} (was: {was})",
    ),
    "safety_new": ("“{matter}”现在先于所有来电", "{matter} now goes before everybody"),
    "safety_gone": ("“{matter}”不再先于所有来电", "{matter} no longer goes before everybody"),
    "sound": ("录音文件 {name} 的内容换了", "the recorded prompt {name} has other content"),
}
_NOUNS: Final[Mapping[str, tuple[str, str]]] = {
    "lines": ("线路", "line"),
    "tiers": ("客户等级", "tier"),
    "queues": ("队列", "queue"),
    "matters": ("事项", "matter"),
    "skills": ("技能", "skill"),
    "ticket_types": ("工单类型", "ticket type"),
    "calendars": ("服务时间", "calendar"),
    "dispositions": ("通话小结", "disposition"),
    "areas": ("区域", "area"),
    "departments": ("部门", "department"),
    "attributes": ("客户资料项", "customer attribute"),
    "voices": ("语音", "voice"),
    "phrases": ("通用提示", "phrase"),
    "node": ("节点", "node"),
    "site": ("热线", "hotline"),
    "menu": ("语音菜单", "menu"),
    "keys": ("通用按键", "keys at every question"),
    "announce": ("等候播报", "announcement to who waits"),
    "targets": ("目标", "target"),
    "scores": ("座席评分", "points of agents"),
    "alarms": ("告警", "alarms"),
    "surge": ("高峰模式", "surge mode"),
    "abandoned": ("放弃来电名单", "list of who gave up"),
    "reports": ("报告", "reports"),
    "not_at_all": ("不可以", "not at all"),
    "posts": ("处理权限", "post"),
    "gravities": ("严重程度", "gravity"),
    "ticket_states": ("工单状态", "state of a case"),
    "locale_needs": ("语言对应的技能", "skill for the language"),
}
FIELD_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "kinds": ("种类", "kinds"),
    "day": ("日报", "daily"),
    "week": ("周报", "weekly"),
    "month": ("月报", "monthly"),
    "quarter": ("季报", "quarterly"),
    "year": ("年报", "yearly"),
    "complaints": ("投诉工单类型", "tickets that are complaints"),
    "urgent": ("紧急报告", "urgent"),
    "name": ("名称", "name"),
    "short_name": ("简称", "short name"),
    "prompt": ("提示语", "prompt"),
    "in_other_languages": ("其他语言提示", "prompt in other languages"),
    "none": ("没有通知时的提示", "prompt without a notice"),
    "wait_prompt": ("等待提示", "wait prompt"),
    "waiting": ("排队人数界限", "most waiting by queue"),
    "short_ms": ("不计入的等待", "wait that does not count"),
    "within_ms": ("回电时限", "to be called within"),
    "keep_ms": ("保留时间", "kept for"),
    "queues": ("队列", "queues"),
    "menu": ("在菜单中挂机", "hung up in the menu"),
    "calm_ms": ("平息时间", "calm before it ends"),
    "alert": ("通知备班", "alert to who is on call"),
    "surge": ("高峰", "surge"),
    "first_ms": ("首次播报", "first time after"),
    "formula": ("服务水平口径", "contractual formula"),
    "short_abandon_ms": ("短放弃界限", "limit of a short abandon"),
    "longest_wait": ("最长等待", "longest wait"),
    "service_level": ("服务水平", "service level"),
    "abandonment": ("放弃率", "abandonment"),
    "occupancy": ("座席利用率", "occupancy"),
    "forgotten_hold": ("保持过久", "forgotten hold"),
    "ghost_agent": ("签入但无应答", "ghost agent"),
    "window_ms": ("统计时段", "time looked back"),
    "without": ("不监视的告警", "alarms left out"),
    "rows": ("各队列与等级的目标", "rows by queue and tier"),
    "pass_mark": ("及格分", "pass mark"),
    "parts": ("评分项", "judged figures"),
    "every_ms": ("重复间隔", "again every"),
    "ahead": ("前面人数的说法", "words for who is ahead"),
    "next_in_line": ("下一位的说法", "words for who is next"),
    "wait": ("预计时间的说法", "words for the time"),
    "advice": ("接待建议", "advice"),
    "head_start_ms": ("提前量", "head start"),
    "ceiling_ms": ("最长等待上限", "ceiling"),
    "head_start_cap_ms": ("提前量上限", "limit of all head starts"),
    "rule": ("判定条件", "rule for who belongs to it"),
    "code": ("代码", "code"),
    "entry": ("第一个节点", "first node"),
    "internal": ("内部来电的第一个节点", "first node for extensions"),
    "closed": ("非服务时间的节点", "node out of hours"),
    "calendar": ("服务时间", "hours"),
    "weekly": ("每周时间", "weekly hours"),
    "open": ("开放方式", "opening"),
    "season": ("季节", "season"),
    "holidays": ("节假日", "holidays"),
    "exceptions": ("特殊日期", "single days"),
    "timezone": ("时区", "time zone"),
    "needs": ("所需技能", "skills needed"),
    "overflow": ("溢出", "overflow"),
    "answer_within_ms": ("接听目标", "answer target"),
    "max_waiting": ("最多等待人数", "most callers waiting"),
    "full": ("满员时的节点", "node when it is full"),
    "order": ("座席分配方式", "order of agents"),
    "reserve": ("预留座席", "kept seats"),
    "is_safety": ("安全优先", "safety"),
    "ticket_type": ("工单类型", "ticket type"),
    "ticket_on": ("建单时机", "moment of its ticket"),
    "work_queue": ("派单队列", "work queue"),
    "priority": ("优先级", "priority"),
    "access_code": ("查询码", "access code"),
    "own": ("并入他单后另建工单", "ticket of one's own after joining another"),
    "due": ("办理时限", "time limit"),
    "settled_by": ("由谁处理", "who settles it"),
    "by": ("处理人角色", "role of who settles"),
    "goto": ("下一节点", "next node"),
    "back": ("返回", "way back"),
    "exhausted": ("多次未按键后的去向", "way after silence or wrong keys"),
    "unknown": ("查无此号后的去向", "way for an unknown number"),
    "empty": ("只按井号键的去向", "way for pound alone"),
    "wrong": ("不符后的去向", "way after a wrong answer"),
    "unanswered": ("无人接听的去向", "way when nobody answers"),
    "otherwise": ("其他情况的去向", "way in all other cases"),
    "tries": ("重试次数", "number of tries"),
    "listen_ms": ("等待按键时间", "time to press a key"),
    "steps": ("最多步数", "most steps"),
    "sure": ("语音确认阈值", "confidence without asking back"),
    "notice": ("录音告知", "recording notice"),
    "audio": ("录音文件", "recorded prompt"),
    "queue": ("队列", "queue"),
    "matter": ("事项", "matter"),
    "longest_ms": ("留言最长时间", "longest message"),
    "anonymous": ("匿名", "anonymity"),
    "locale": ("语言", "language"),
    "to": ("号码", "number"),
    "ring_ms": ("振铃时间", "ring time"),
    "join": ("加入工单", "offer to join a ticket"),
    "into": ("用途", "purpose"),
    "digits": ("位数", "number of digits"),
    "skip_known": ("已识别时跳过", "skipping it for known callers"),
    "languages": ("语言", "languages"),
    "default_tier": ("默认客户等级", "default tier"),
    "class_code": ("分类代码", "class code"),
    "managed": ("配客户经理的等级", "tiers with account managers"),
    "appointing": ("客户经理的任命", "appointment of managers"),
    "affinity": ("先找谁", "who is asked first"),
    "ranking": ("排名规则", "ranking"),
    "care": ("特殊关怀", "special care"),
    "whisper_ms": ("来电播报时间", "time to accept"),
    "wrap_up_ms": ("话后处理时间", "wrap-up"),
    "wrap_up_extension_ms": ("话后处理延长", "wrap-up extension"),
    "rona_skip_ms": ("漏接后间隔", "pause after a missed call"),
    "rona_in_a_row": ("连续漏接次数", "missed calls in a row"),
    "decline_skip_ms": ("拒接后间隔", "pause after a declined call"),
    "customer_ring_ms": ("回电振铃时间", "ring time of a callback"),
    "callback": ("回电规则", "terms of calling back"),
    "place_kept_ms": ("掉线后保留位置", "place kept after a lost line"),
    "busy_skip_ms": ("忙线后间隔", "pause after a busy phone"),
    "repeat": ("重听键", "key to repeat"),
    "do_not_record": ("不录音键", "key not to record"),
    "person": ("人工键", "key for a person"),
    "yes": ("“是”", "yes"),
    "no": ("“不是”", "no"),
    "is_required": ("必填", "obligation"),
    "is_personal": ("个人信息", "being personal"),
    "needs_consent": ("需要同意", "need of consent"),
    "area_class": ("类别", "class"),
    "values": ("可选值", "choices"),
    "type": ("类型", "type"),
    "language": ("语言", "language"),
    "voice": ("嗓音", "voice"),
    "hears": ("语音识别", "speech recognition"),
    "text": ("借用文字", "texts it reads"),
}
# Only which, not in which order.
_UNORDERED: Final = frozenset({"tier", "needs", "line", "area", "managed", "holidays"})
_SECTIONS: Final = (
    *("lines", "tiers", "queues", "matters", "calendars", "ticket_types", "areas", "attributes", "skills"),
    *("departments", "dispositions", "voices", "posts", "gravities"),
)
OWN_SENTENCES: Final = frozenset({"options", "cases", "otherwise"})  # fields that have sentences of their own


def differences(before: Outline, after: Outline) -> list[str]:
    """One sentence for each difference, in the language of `after`; none when nothing changes."""
    told = _Differences(before, after)
    return list(dict.fromkeys(told.all()))


class _Differences:
    def __init__(self, before: Outline, after: Outline) -> None:
        self.before, self.after = before, after
        self.language = frame_language(after.language)

    def all(self) -> Iterator[str]:
        yield from self._parts("site", whole_of(self.before.plan), whole_of(self.after.plan))
        yield from self._named("ticket_states", "name")
        yield from self._named("locale_needs", "needs")
        yield from self._sections(("lines",))
        yield from self._nodes()
        yield from self._head()
        yield from self._announcements()
        yield from self._sections(_SECTIONS[1:])
        yield from self._tier_order()
        yield from self._bounds()
        yield from self._sounds()

    def _nodes(self) -> Iterator[str]:
        was, now = self.before.menu.nodes, self.after.menu.nodes
        for name in now:
            if name not in was:
                yield self._say(
                    "node_new", node=name, kind=self.after.kind(name), title=self.after.title(name)
                )
        for name in was:
            if name not in now:
                yield self._say(
                    "node_gone", node=name, kind=self.before.kind(name), title=self.before.title(name)
                )
            else:
                yield from self._node(name, was[name], now[name])

    def _node(self, name: str, was: Node, now: Node) -> Iterator[str]:
        if was.type != now.type:
            yield self._say("node_kind", node=name, now=self.after.kind(name), was=self.before.kind(name))
            return
        if isinstance(was, GatherNode) and isinstance(now, GatherNode):
            yield from self._keys(name, was, now)
        if isinstance(was, BranchNode) and isinstance(now, BranchNode):
            yield from self._branch(name, was, now)
        yield from self._parts("node", fields_of(was), fields_of(now), name)

    def _keys(self, name: str, was: GatherNode, now: GatherNode) -> Iterator[str]:
        before = {option.key: option for option in was.options}
        after = {option.key: option for option in now.options}
        for key in sorted(before.keys() | after.keys()):
            yield from self._key(name, key, before.get(key), after.get(key))

    def _key(self, name: str, key: str, was: Option | None, now: Option | None) -> Iterator[str]:
        place = {"node": name, "key": key}
        if was is None or now is None:
            if now is not None:
                yield self._say("key_new", **place, label=self.after.text(now.label), now=now.goto)
            elif was is not None:
                yield self._say("key_gone", **place, label=self.before.text(was.label), was=was.goto)
            return
        if was.goto != now.goto:
            yield self._say("key_leads", **place, now=now.goto, was=was.goto)
        for _, text_was, text_now in self._texts(was.label, now.label):
            yield self._say("key_label", **place, now=text_now, was=text_was)
        if _normal("words", was.words) != _normal("words", now.words):
            yield self._say(
                "key_words", **place, now=self._value("", now.words), was=self._value("", was.words)
            )

    def _branch(self, name: str, was: BranchNode, now: BranchNode) -> Iterator[str]:
        if _cases(was) != _cases(now):
            yield self._say(
                "branch", node=name, now=_decided(self.after, name), was=_decided(self.before, name)
            )

    def _head(self) -> Iterator[str]:
        was, now = self.before.menu, self.after.menu
        heads = [
            {name: getattr(menu, name) for name in ("exhausted", "tries", "listen_ms", "steps", "sure")}
            for menu in (was, now)
        ]
        yield from self._parts("menu", heads[0], heads[1])
        yield from self._parts("keys", fields_of(was.keys), fields_of(now.keys))
        phrases = [dict(menu.phrases) for menu in (was, now)]
        for phrase in phrases[1]:
            yield from self._field("phrases", phrase, "prompt", phrases[0].get(phrase), phrases[1][phrase])

    def _sections(self, sections: Iterable[str]) -> Iterator[str]:
        for section in sections:
            was: Mapping[str, Part] = getattr(self.before.plan, section)
            now: Mapping[str, Part] = getattr(self.after.plan, section)
            for name in now:
                if name not in was:
                    yield self._say("new", where=self._where(section, name))
            for name in was:
                if name not in now:
                    yield self._say("gone", where=self._where(section, name))
                else:
                    yield from self._parts(section, fields_of(was[name]), fields_of(now[name]), name)

    def _announcements(self) -> Iterator[str]:
        for noun in ("targets", "scores", "alarms", "announce", "surge", "abandoned", "reports"):
            was, now = getattr(self.before.plan, noun), getattr(self.after.plan, noun)
            yield from self._parts(noun, fields_of(was) if was else {}, fields_of(now) if now else {})

    def _named(self, section: str, field: str) -> Iterator[str]:
        was, now = getattr(self.before.plan, section), getattr(self.after.plan, section)
        for name in dict.fromkeys((*now, *was)):
            yield from self._field(section, name, field, was.get(name), now.get(name))

    def _tier_order(self) -> Iterator[str]:
        orders = [
            [name for name in plan.tiers if name in self.before.plan.tiers and name in self.after.plan.tiers]
            for plan in (self.before.plan, self.after.plan)
        ]
        if orders[0] != orders[1]:
            yield self._say("tier_order", now=" > ".join(orders[1]), was=" > ".join(orders[0]))

    def _bounds(self) -> Iterator[str]:
        was = {(bound.ahead, bound.behind): bound.by_ms for bound in passing_bounds(self.before.plan)}
        now = {(bound.ahead, bound.behind): bound.by_ms for bound in passing_bounds(self.after.plan)}
        for pair in dict.fromkeys((*now, *was)):
            if was.get(pair) == now.get(pair):
                continue
            ahead, behind = (self._tier(name) for name in pair)
            before = duration(was[pair], self.language) if pair in was else self._word(_NOUNS, "not_at_all")
            told = {"ahead": ahead, "behind": behind, "was": before}
            if pair in now:
                yield self._say("may_pass", **told, now=duration(now[pair], self.language))
            else:
                yield self._say("not_pass", **told)
        for matter in exempt(self.after.plan):
            if matter not in exempt(self.before.plan):
                yield self._say("safety_new", matter=self.after.name_of("matters", matter))
        for matter in exempt(self.before.plan):
            if matter not in exempt(self.after.plan):
                yield self._say("safety_gone", matter=self.before.name_of("matters", matter))

    def _tier(self, name: str) -> str:
        return (self.after if name in self.after.plan.tiers else self.before).name_of("tiers", name)

    def _sounds(self) -> Iterator[str]:
        was, now = self.before.menu.sounds, self.after.menu.sounds
        for name in now:
            if name in was and was[name] != now[name]:
                yield self._say("sound", name=name)

    def _parts(
        self, noun: str, was: Mapping[str, Any], now: Mapping[str, Any], name: str = ""
    ) -> Iterator[str]:
        for field in dict.fromkeys((*was, *now)):
            if field not in OWN_SENTENCES:
                yield from self._field(noun, name, field, was.get(field), now.get(field))

    def _field(self, noun: str, name: str, field: str, was: Any, now: Any) -> Iterator[str]:
        if _normal(field, was) == _normal(field, now):
            return
        place = {"where": self._where(noun, name), "field": self._word(FIELD_WORDS, field)}
        if is_text(was) and is_text(now) and field != "audio":
            for language, text_was, text_now in self._texts(was, now):
                yield self._say("text", **place, language=language, now=text_now, was=text_was)
            return
        yield self._say("field", **place, now=self._value(field, now), was=self._value(field, was))

    def _texts(self, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """A text that a language merely borrows changes with the one it borrows."""
        borrowed = {language_of(locale): text for locale, text in self.after.menu.reads.items()}
        for language, text_was, text_now in texts_changed(was, now):
            lender = borrowed.get(language, "")
            is_borrowed = now.get(language) == now.get(lender) and was.get(language) in {
                was.get(lender),
                None,
            }
            if not (lender and is_borrowed):
                yield language, text_was, text_now

    def _where(self, noun: str, name: str) -> str:
        said = self._word(_NOUNS, noun)
        if not name:
            return said
        side = self.after if name in getattr(self.after.plan, noun, {}) else self.before
        own = side.name_of(noun, name) if noun in _SECTIONS and noun != "voices" else name
        shown = (
            name if own == name else f"{own} ({name})" if self.language == ENGLISH else f"“{own}”（{name}）"
        )
        return f"{said} {shown}" if self.language == ENGLISH or shown[0] != "“" else f"{said}{shown}"

    def _value(self, field: str, value: Any) -> str:
        return saying(field, value, self.language)

    def _word(self, words: Mapping[str, tuple[str, str]], name: str) -> str:
        return words[name][self.language == ENGLISH] if name in words else name

    def _say(self, sentence: str, **values: str) -> str:
        return _SENTENCES[sentence][self.language == ENGLISH].format(**values)


def whole_of(plan: Plan) -> dict[str, Any]:
    """What a plan says of the hotline as a whole."""
    timing = {name: getattr(plan, name) for name in Timing.model_fields}
    heads = (
        "name",
        "short_name",
        "timezone",
        "languages",
        "default_tier",
        "class_code",
        "managed",
        "affinity",
        "callback",
        "appointing",
        "ranking",
        "care",
    )
    return {**{name: getattr(plan, name) for name in heads}, **timing}


def fields_of(part: Part) -> dict[str, Any]:
    """Its fields but those that the files do not say: its name, and its place in the file."""
    return {name: value for name, value in part if name not in {"id", "rank"}}


def _normal(field: str, value: Any) -> Any:
    """The same for two values that mean the same."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Part):
        return {name: _normal(name, inner) for name, inner in value}
    if isinstance(value, Mapping):
        return {str(key): _normal(field, inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        items = [_normal("", each) for each in value]
        return sorted(items, key=str) if field in _UNORDERED or field == "words" else items
    return value


def _cases(node: BranchNode) -> Any:
    return [_normal("cases", each) for each in node.cases], node.otherwise


def _decided(outline: Outline, name: str) -> str:
    return "; ".join(f"{lead.words} → {lead.goto}" for lead in outline.leads(name))
