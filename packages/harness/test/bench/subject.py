import json
import sys
import time

log = open(sys.argv[1], "a", buffering=1)
cases = []


def total(to):
    return sum(range(1, to + 1))


def run(calls):
    started = time.perf_counter_ns()
    for n in range(calls):
        total(cases[n % len(cases)])
    return time.perf_counter_ns() - started


for line in sys.stdin:
    command = json.loads(line)
    op = command["op"]
    print(op, file=log)
    if op == "prepare":
        cases = command["cases"]
        ok = {"heapBytes": 1234}
    elif op == "answers":
        ok = {"answers": [total(to) for to in cases]}
    elif op == "warm-up":
        ok = {"nsPerCall": run(100) / 100}
    elif op == "round":
        ok = {"ns": run(command["calls"])}
    else:
        ok = {}
    print(json.dumps({"id": command["id"], "ok": ok}), flush=True)
