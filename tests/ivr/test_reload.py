"""New words come into force without a restart: in one process, in all of them, and through every death between."""

import asyncio
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from redis.asyncio import Redis

from config import site_files
from config.database import Database
from config.runtime import Runtime, open_runtime
from config.settings import Settings
from config.site_files import Shelf, SiteFiles, SiteFilesError
from ivr.commands import end
from ivr.service import hotlines, versions
from ivr.service.hotlines import active_hotline, hotline_of, read_hotline
from ivr.standin.signatures import sign
from queues.domain.faults import SiteFaults
from queues.scribe import scribe as make_scribe
from queues.service.plans import keep_version, kept_words, plan_of, sound
from queues.service.switchboard import Switchboard
from queues.service.versions import activations, version_in_force
from tests.conftest import ENVIRONMENT
from tests.installation import environ_of
from tests.ivr.site import FILES
from tests.simulation.processes import free_port, is_serving
from tests.traces.hotline import Hotline

OPTIONS = '      - {key: "0", label: {zh: 人工, en: Agent}, goto: agent}\n'
TWO_KEYS = OPTIONS + (
    '      - {key: "1", label: {zh: 甲, en: A}, goto: first}\n'
    '      - {key: "2", label: {zh: 乙, en: B}, goto: second}\n'
)
TWO_ENDS = (
    "  first: {type: hangup, prompt: {zh: 这是甲, en: This is A}}\n"
    "  second: {type: hangup, prompt: {zh: 这是乙, en: This is B}}\n"
    "phrases:\n"
)
SWAPPED = (("goto: first}", "goto: x}"), ("goto: second}", "goto: first}"), ("goto: x}", "goto: second}"))


def write(folder: Path, *changes: tuple[str, str], file: str = "menu") -> None:
    path = folder / f"{file}.yaml"
    text = path.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small hotline with two keys to swap."""
    folder = tmp_path / "sites" / "small"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    write(folder, (OPTIONS, TWO_KEYS), ("phrases:\n", TWO_ENDS))
    return folder


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return replace(settings, sites_dir=folder.parent, site=folder.name)


@pytest.fixture
def other(runtime: Runtime) -> Runtime:
    """Another process on the same stores."""
    return replace(runtime, shelf=Shelf())


async def written(runtime: Runtime) -> None:
    """Until the scribe has nothing left to read."""
    scribe = make_scribe(runtime, "scribe-1")
    while await scribe.tick():
        pass


async def lines_of(redis: Redis, site: str) -> list[dict[str, str]]:
    entries = await redis.xrange(f"{{{site}}}:journal")
    return [fields for _, fields in entries if fields["type"] == "site.activated"]


async def test_reload_puts_the_folder_in_force_and_says_so_in_the_journal(
    runtime: Runtime, folder: Path
) -> None:
    before = runtime.site_files.version
    await versions.release(runtime)
    write(folder, *SWAPPED)
    change = await versions.reload(runtime, by="acc-1")
    assert (change.before.version, change.is_new) == (before, True)
    assert runtime.site_files.version == change.now.version == plan_of(runtime).version
    assert await version_in_force(runtime.redis, "small") == change.now.version
    told = [json.loads(line["data"]) for line in await lines_of(runtime.redis, "small")]
    assert told == [{"version": before, "by": "system"}, {"version": change.now.version, "by": "acc-1"}]
    kept = await hotline_of(replace(runtime, shelf=Shelf()), before)
    assert kept.menu.version == before


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("goto: root", "goto: rot", SiteFaults),
        ("nodes:", "nodes: [", SiteFilesError),
        ("exhausted: agent", "exhausted: first", SiteFaults),
    ],
)
async def test_a_folder_with_faults_changes_nothing(
    runtime: Runtime, folder: Path, old: str, new: str, fault: type[Exception]
) -> None:
    await versions.release(runtime)
    before = runtime.site_files
    write(folder, (old, new))
    with pytest.raises(fault, match=r"menu\.yaml"):
        await versions.reload(runtime, by="acc-1")
    assert runtime.site_files is before
    assert await version_in_force(runtime.redis, "small") == before.version
    assert len(await lines_of(runtime.redis, "small")) == 1


async def test_every_process_follows_within_a_second(runtime: Runtime, other: Runtime, folder: Path) -> None:
    await versions.release(runtime)
    following = asyncio.create_task(versions.follow(other))
    write(folder, *SWAPPED)
    change = await versions.reload(runtime, by="acc-1")
    # How often it looks is what is promised; how long a busy machine takes over it is not.
    assert versions.FOLLOW_EVERY_S < 1
    async with asyncio.timeout(10):
        while other.site_files.version != change.now.version:
            await asyncio.sleep(0.02)
    await end(following)
    assert plan_of(other).version == change.now.version
    assert active_hotline(other).menu.nodes["root"].options[1].goto == "second"  # type: ignore[union-attr]


async def test_a_call_keeps_the_words_it_began_with(runtime: Runtime, folder: Path) -> None:
    await versions.release(runtime)
    hotline = Hotline.of(runtime)
    early = hotline.caller("CA1")
    asked = await early.dial()
    write(folder, *SWAPPED)
    await versions.reload(runtime, by="acc-1")
    late = hotline.caller("CA2", from_="+8613900139000")
    asked_late = await late.dial()
    assert "这是甲" in (await early.press(asked, "1")).said
    assert "这是乙" in (await late.press(asked_late, "1")).said


async def test_a_process_that_never_saw_a_version_reads_it_from_sql(
    runtime: Runtime, other: Runtime, folder: Path
) -> None:
    await versions.release(runtime)
    old = runtime.site_files.version
    write(folder, *SWAPPED)
    await versions.reload(runtime, by="acc-1")
    other.site_files = runtime.site_files
    found = await hotline_of(other, old)
    assert (found.plan.version, found.menu.version) == (old, old)
    assert (await hotline_of(other, "never")).plan.version == runtime.site_files.version


async def test_without_sql_a_call_goes_on_with_the_words_in_force(
    runtime: Runtime, tmp_path: Path, folder: Path
) -> None:
    away = replace(
        runtime, shelf=Shelf(), database=Database(f"sqlite+aiosqlite:///{tmp_path}/none/at/all.sqlite")
    )
    assert (await hotline_of(away, "0123456789ab")).plan.version == runtime.site_files.version
    await away.database.close()


async def test_a_version_that_could_not_be_had_is_asked_for_again_after_half_a_minute(
    runtime: Runtime, other: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await versions.release(runtime)
    old = runtime.site_files.version
    write(folder, *SWAPPED)
    await versions.reload(runtime, by="acc-1")
    other.site_files = runtime.site_files
    asked = 0

    async def is_away(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(hotlines, "words_of", is_away)
        for _ in range(3):
            assert (await hotline_of(other, old)).plan.version == runtime.site_files.version
    assert asked == 1
    now_s = asyncio.get_running_loop().time()
    assert other.shelf.is_absent(old, now_s=now_s + hotlines.ABSENT_FOR_S - 5)
    assert not other.shelf.is_absent(old, now_s=now_s + hotlines.ABSENT_FOR_S)
    other.shelf.note_absent(old, now_s=now_s, until_s=now_s)
    assert (await hotline_of(other, old)).plan.version == old


async def test_nobody_waits_while_a_version_is_read(
    runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await versions.release(runtime)
    old = runtime.site_files.version
    write(folder, *SWAPPED)
    await versions.reload(runtime, by="acc-1")
    read_by = []

    def reads(files: SiteFiles, duty_number: str | None) -> hotlines.Hotline:
        read_by.append(threading.current_thread())
        return read_hotline(files, duty_number)

    monkeypatch.setattr(hotlines, "read_hotline", reads)
    await hotline_of(runtime, old)
    assert read_by
    assert threading.main_thread() not in read_by


async def test_going_back_by_hand_survives_a_restart(
    runtime: Runtime, settings: Settings, folder: Path
) -> None:
    await versions.release(runtime)
    first = runtime.site_files.version
    write(folder, *SWAPPED)
    await versions.release(runtime)
    second = runtime.site_files.version
    assert second != first
    await versions.back_to(runtime, first, by="acc-1")
    await versions.release(runtime)  # the folder still has the second
    assert await version_in_force(runtime.redis, "small") == first
    await written(runtime)
    await versions.release(runtime)
    assert await version_in_force(runtime.redis, "small") == first
    async with open_runtime(settings, first_words=versions.first_words) as restarted:
        assert restarted.site_files.version == first
        assert await versions.release(restarted) is None
    assert [each.version for each in await activations(runtime)] == [first, second, first]


async def test_an_emptied_live_store_gets_the_last_version_again(
    runtime: Runtime, other: Runtime, folder: Path
) -> None:
    await versions.release(runtime)
    first = runtime.site_files.version
    write(folder, *SWAPPED)
    await versions.reload(runtime, by="acc-1")
    await versions.back_to(runtime, first, by="acc-1")
    await written(runtime)
    await runtime.redis.flushdb()
    other.site_files = site_files.read(folder)  # a process that began with the folder
    await versions.catch_up(other)
    assert await version_in_force(runtime.redis, "small") == first
    await versions.catch_up(other)
    assert other.site_files.version == first


async def test_a_live_store_that_lost_its_last_second_is_told_again(runtime: Runtime, folder: Path) -> None:
    await versions.release(runtime)
    first = runtime.site_files.version
    write(folder, *SWAPPED)
    change = await versions.reload(runtime, by="acc-1")
    await written(runtime)
    newest = (await runtime.redis.xrevrange("{small}:journal", count=1))[0][0]
    await runtime.redis.xdel("{small}:journal", newest)
    await runtime.redis.set("{small}:version", first)
    assert await versions.restore(runtime) == 1
    assert await version_in_force(runtime.redis, "small") == change.now.version
    assert await versions.restore(runtime) == 0


async def test_a_process_starts_with_the_words_in_force_though_the_folder_has_faults(
    runtime: Runtime, settings: Settings, folder: Path
) -> None:
    await versions.release(runtime)
    version = runtime.site_files.version
    write(folder, ("nodes:", "nodes: ["))
    async with open_runtime(settings, first_words=versions.first_words) as restarted:
        assert restarted.site_files.version == version
        with pytest.raises(SiteFilesError, match=r"menu\.yaml:"):
            await versions.release(restarted)
        assert await version_in_force(runtime.redis, "small") == version
    await runtime.redis.flushdb()
    await written(runtime)
    with pytest.raises(SiteFilesError):
        async with open_runtime(settings, first_words=versions.first_words):
            pass


async def test_a_version_that_cannot_be_read_here_is_not_followed(runtime: Runtime, folder: Path) -> None:
    await versions.release(runtime)
    before = runtime.site_files
    await Switchboard(runtime).activate_version(version="ffffffffffff", by="acc-1")
    with pytest.raises(versions.NotFollowed):
        await versions.catch_up(runtime)
    assert runtime.site_files is before
    write(folder, *SWAPPED)
    assert (await versions.reload(runtime, by="acc-1")).is_new  # there is a way out


async def test_going_back_to_what_nobody_kept_is_refused(runtime: Runtime) -> None:
    await versions.release(runtime)
    with pytest.raises(versions.NoSuchVersion):
        await versions.back_to(runtime, "ffffffffffff", by="acc-1")


async def test_recorded_prompts_belong_to_the_version(runtime: Runtime, other: Runtime, folder: Path) -> None:
    (folder / "audio").mkdir()
    (folder / "audio" / "hello.wav").write_bytes(b"RIFF one")
    write(
        folder,
        (
            "prompt: {zh: 您好将录音, en: Hello this is recorded}",
            "prompt: {zh: 您好, en: Hello}\n    audio: {zh: hello.wav}",
        ),
    )
    first = (await versions.reload(runtime, by="acc-1")).now
    (folder / "audio" / "hello.wav").write_bytes(b"RIFF two")
    second = (await versions.reload(runtime, by="acc-1")).now
    assert first.version != second.version
    assert first.content == second.content
    assert await sound(runtime, first.audio["hello.wav"]) == b"RIFF one"
    assert await sound(other, second.audio["hello.wav"]) == b"RIFF two"
    assert await sound(other, "0" * 64) is None
    shutil.rmtree(folder)
    assert await sound(runtime, second.audio["hello.wav"]) == b"RIFF two"


async def test_words_whose_recorded_prompt_is_gone_do_not_come_into_force(
    runtime: Runtime, folder: Path
) -> None:
    await versions.release(runtime)
    before = await version_in_force(runtime.redis, "small")
    (folder / "audio").mkdir()
    for name in ("hello.wav", "good.wav"):
        (folder / "audio" / name).write_bytes(b"RIFF one")
    (folder / "audio" / "good.wav").write_bytes(b"RIFF good")
    files = site_files.read(folder)
    (folder / "audio" / "hello.wav").write_bytes(b"RIFF two")
    with pytest.raises(SiteFilesError) as told:
        await versions.put_in_force(runtime, files, by="acc-1")
    assert [where for where, _ in told.value.faults] == ["audio/hello.wav"]
    assert await version_in_force(runtime.redis, "small") == before
    (folder / "audio" / "hello.wav").write_bytes(b"RIFF one")
    assert (await versions.put_in_force(runtime, files, by="acc-1")).is_new
    (folder / "audio" / "hello.wav").unlink()
    assert await keep_version(runtime) == 0, "it is kept with its sounds"
    write(folder, *SWAPPED)
    again = replace(site_files.read(folder), audio=files.audio)
    assert await keep_version(runtime, again) == 1, "a sound that another version has kept is there"


async def test_words_that_cannot_be_kept_in_a_new_live_store_are_told_once(
    runtime: Runtime, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "audio").mkdir()
    (folder / "audio" / "hello.wav").write_bytes(b"RIFF one")
    runtime.activate(site_files.read(folder))
    (folder / "audio" / "hello.wav").unlink()
    follower = versions.Follower(runtime)
    for _ in range(2):
        await follower.look()
    said = [line for line in capsys.readouterr().out.splitlines() if "site.not" in line]
    assert [json.loads(line)["event"] for line in said] == ["site.not_kept"]
    assert "audio/hello.wav" in said[0]


async def test_words_are_kept_once(runtime: Runtime) -> None:
    """Also for two sites that say the same; each has them under its own name, by which account numbers are found."""
    assert await keep_version(runtime) == 1
    assert await keep_version(runtime) == 0
    words = await kept_words(runtime.database, "east", runtime.site_files.version)
    assert words is not None
    assert (words.name, words.version) == ("east", runtime.site_files.version)


# The processes as the Procfile starts them


class House:
    """The commands of one installation, and its front door over real HTTP."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.url = url
        self.environ = environ_of(
            settings, HOST="127.0.0.1", PORT=url.rpartition(":")[2], PUBLIC_BASE_URL=url
        )
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> None:
        command = [sys.executable, "-m", "ivr", *words]
        self.started.append(subprocess.Popen(command, env=self.environ))  # noqa: S603

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ivr", *words]
        return subprocess.run(  # noqa: S603
            command, env=self.environ, capture_output=True, text=True, check=False
        )

    async def hears(self, path: str, call_id: str, **fields: str) -> str:
        url = self.url + path
        form = {"CallSid": call_id, "From": "+8613800138000", "To": "+8657195598000", **fields}
        signature = sign(ENVIRONMENT["TWILIO_AUTH_TOKEN"], url, form)
        async with httpx2.AsyncClient() as client:
            answer = await client.post(url, data=form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 200
        return answer.text

    def stop(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()


@pytest.fixture
async def house(settings: Settings, runtime: Runtime) -> AsyncIterator[House]:
    house = House(settings, f"http://127.0.0.1:{free_port()}")
    yield house
    house.stop()


def action_of(document: str) -> str:
    url = urlsplit(document.partition('action="')[2].partition('"')[0].replace("&amp;", "&"))
    return f"{url.path}?{url.query}"


@pytest.mark.slow
async def test_reload_reaches_the_processes_and_leaves_calls_alone(
    house: House, folder: Path, runtime: Runtime
) -> None:
    assert (released := house.run("release")).returncode == 0, released.stderr
    house.start("web")
    house.start("scribe")
    await is_serving(house.url)
    early = await house.hears("/voice/incoming", "CA1", Direction="inbound")

    write(folder, *SWAPPED)
    reloaded = house.run("reload", "--language", "en")
    assert reloaded.returncode == 0, reloaded.stderr
    assert "key 1 in root now leads to second (was: first)" in reloaded.stdout
    late = await house.hears("/voice/incoming", "CA2", Direction="inbound")
    assert "这是甲" in await house.hears(action_of(early), "CA1", Digits="1")
    assert "这是乙" in await house.hears(action_of(late), "CA2", Digits="1")

    in_force = await version_in_force(runtime.redis, "small")
    write(folder, ("goto: root", "goto: rot"))
    refused = house.run("reload")
    assert refused.returncode == 1
    assert "nodes.welcome.goto: there is no node named 'rot'; did you mean 'root'?" in refused.stderr
    assert await version_in_force(runtime.redis, "small") == in_force
    again = house.run("release")  # a broken folder does not keep the hotline from starting
    assert again.returncode == 0, again.stderr
    assert f"version {in_force} stays in force" in again.stderr
