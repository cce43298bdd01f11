"""Faults of a site are told in Chinese as well, and none of the sentences hides another."""

import re
from pathlib import Path

import pytest

from ivr.check import check
from ivr.domain.fault_words import _PAIRS, fault_in
from tests.ivr.test_check import broken, chosen


def names_in(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", sentence))


def test_each_sentence_is_told_by_its_own_pair_and_names_the_same() -> None:
    for english, chinese in _PAIRS:
        assert names_in(english) == names_in(chinese), english
        values = {name: f"<{name}>" for name in names_in(english)}
        assert fault_in(english.format(**values), "zh-CN") == chinese.format(**values), english
        assert fault_in(english.format(**values), "en-US") == english.format(**values)
    assert fault_in("words nobody has written down", "zh") == "words nobody has written down"


def test_check_tells_faults_in_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = broken(tmp_path, "", ("queues", "calendar: office", "calendar: offce"))
    assert check(chosen(str(folder), language="zh")) == 1
    told = capsys.readouterr().err
    assert "queues.yaml:" in told
    assert "没有名为“offce”的服务时间；是不是“office”？" in told
