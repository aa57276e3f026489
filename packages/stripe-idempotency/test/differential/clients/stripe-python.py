"""The official client of Stripe for Python, driven by lines of JSON: one call a line, one line for what became of it."""

import json
import sys

import stripe

for line in sys.stdin:
    call = json.loads(line)
    client = stripe.StripeClient(
        "sk_test_" + call["account"],
        base_addresses={"api": "http://127.0.0.1:%d" % call["port"]},
        max_network_retries=call["retries"],
    )
    options = {} if call.get("key") is None else {"idempotency_key": call["key"]}
    try:
        answer = client.raw_request(call["method"].lower(), call["path"], **call["params"], **options)
        said = {
            "status": answer.code,
            "id": answer.data["id"],
            "replayed": answer.headers.get("idempotent-replayed") == "true",
            "request": answer.headers.get("request-id"),
            "original": answer.headers.get("original-request"),
        }
    except stripe.StripeError as error:
        headers = error.headers or {}
        said = {
            "status": error.http_status,
            "failed": type(error).__name__.removesuffix("Error").lower(),
            "message": error.json_body["error"]["message"] if error.json_body else str(error),
            "replayed": headers.get("idempotent-replayed") == "true",
        }
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
