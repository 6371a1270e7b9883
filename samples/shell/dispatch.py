#!/usr/bin/env python3
"""Works every script TICKETS/*.sh in a slot of the pool that WORKTREE_POOL names; what does not fit comes in the next round.

dispatch.py TICKETS
"""
import json
import os
import pathlib
import subprocess
import sys


def pool(*arguments, keys=""):
    done = subprocess.run(["worktree-pool", *arguments, "--json"], input=keys, capture_output=True, text=True)
    if done.returncode not in (0, 69, 73, 75):  # done; paused, key held, no slot: later
        raise SystemExit(f"worktree-pool {arguments[0]}: {done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main(folder):
    tickets = pathlib.Path(folder)
    (tickets / "done").mkdir(exist_ok=True)
    while scripts := sorted(tickets.glob("*.sh")):
        keys = "\n".join(script.stem for script in scripts)
        # The leases live as long as this process: killed, it leaves nothing that the next claim does not take back.
        claims = [claim for claim in pool("claim-many", "--owner-pid", str(os.getpid()), keys=keys) if claim["outcome"] == "claimed"]
        if not claims:
            raise SystemExit("no slot to be had; try again later")
        workers = [(claim, subprocess.Popen(["sh", "-e", tickets.resolve() / f"{claim['key']}.sh"], cwd=claim["path"])) for claim in claims]
        for claim, worker in workers:
            if worker.wait() != 0:
                raise SystemExit(f"{claim['key']} failed; its slot is given back and its work is kept")
            (tickets / f"{claim['key']}.sh").rename(tickets / "done" / f"{claim['key']}.sh")
            pool("release", "--token", claim["token"])


if __name__ == "__main__":
    main(sys.argv[1])
