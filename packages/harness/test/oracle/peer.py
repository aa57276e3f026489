import json
import sys

for line in sys.stdin:
    numbers = json.loads(line)
    print(json.dumps(sum(numbers)), flush=True)
