"""What supervisors changed is there after the live store was killed and started again."""

from queues.service.live_changes import LiveChanges
from queues.service.queue_board import QueueBoard
from queues.service.switchboard import Switchboard
from tests.queues.hotline import Hotline
from tests.queues.test_explanation import comes
from tests.simulation.own_store import OwnStore


def told(board: QueueBoard) -> object:
    return (
        [(each.call_id, each.lane_id, each.queued_ms) for each in board.waiting],
        [(each.agent_id, each.lent, each.skills) for each in board.agents],
        sorted(board.closed),
    )


async def test_live_changes_survive_the_death_of_the_store(own_store: OwnStore) -> None:
    runtime = own_store.runtime
    hotline = await Hotline(runtime).open()
    board = Switchboard(runtime)
    await board.set_presence(agent_id="wang", presence="away", reason="meal")
    await comes(hotline, "LIN")
    await comes(hotline, "CHEN")
    changes = LiveChanges(runtime, board, "chief")
    lane_id = "general|residential|general|0|0"
    assert await changes.move_call("LIN", lane_id, "complaint", "x") == "ok"
    assert await changes.raise_call("CHEN", lane_id, "key_customer", "x") == "ok"
    assert await changes.lend_agent("wang", "complaint", "x") == "ok"
    assert await changes.close_queue("general", "x", leads=True) == "ok"
    before = told(await board.queue_board())
    await own_store.mark()
    own_store.kill()
    await own_store.start()
    assert told(await Switchboard(runtime).queue_board()) == before
