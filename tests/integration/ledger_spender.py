"""A replica in a process of its own: `python ledger_spender.py URL COUNT [hang]`.

It prints a line a request that it was granted; with `hang` it then waits with its leases open.
"""

import asyncio
import sys

from router.config import load_settings
from router.ledger.ledger import Ledger
from router.ledger.records import Closing, Principal, RequestStart
from router.purse import Bill


async def main(url: str, count: int, hang: bool) -> None:
    settings = load_settings(
        ledger={"url": url, "lease_grace_s": 0, "timeout_s": 60}, limits={"timeout_s": 1}
    )
    with Ledger.open(settings) as ledger:
        print("ready", flush=True)
        sys.stdin.readline()

        async def one(i: int) -> None:
            start = RequestStart(f"{ledger.replica}-{i}", "chat", "ockham/auto")
            booking = ledger.book(Principal("acme", None), start)
            lease = await booking.reserve("large", 0.01)
            if lease is None:
                await booking.close(Closing("refused", 429, error="budget"))
                return
            print("granted", flush=True)
            if hang:
                await asyncio.sleep(3600)
            await booking.settle(lease, Bill(0.006, "reported", 10, 10))
            await booking.close(Closing("answered", 200))

        await asyncio.gather(*(one(i) for i in range(count)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["hang"]))
