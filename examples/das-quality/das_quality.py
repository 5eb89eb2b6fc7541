"""Score every answer of one query to a remote DAS server, and rank the best 100.

`split` asks the server once and yields an item per answer; `map` scores one answer, without network;
`gather` ranks. The score, 0 to 1, says how many letters the names within an answer share.
"""

import heapq
import http.client
import json
import time
import urllib.error
import urllib.request

PATH = "/function/query-engine"
ATTEMPTS = 5
PAUSE_S = 0.2
TIMEOUT_S = 10
BEST = 100

SIMILARITIES = {
    "atom_type": "link",
    "type": "Similarity",
    "targets": [{"atom_type": "variable", "name": "v1"}, {"atom_type": "variable", "name": "v2"}],
}


def split(params):
    """One query, params["query"] or all similarities, to the server at params["url"]; an item per answer."""
    query = params.get("query", SIMILARITIES)
    query = json.loads(query) if isinstance(query, str) else query
    wanted = {"query": query, "parameters": {"no_iterator": True, "format": "object"}}
    for assignment, subgraph in ask(params["url"], "query", wanted):
        links = subgraph if isinstance(subgraph, list) else [subgraph]
        yield {"assignment": assignment, "links": links}


def map(item, params):
    """Score one answer; takes params["cpu_ms"] of CPU time in all, so that a benchmark knows the work."""
    started = time.thread_time()
    words = [name for link in item["links"] for name in names(link)]
    pairs = [likeness(one, other) for one, other in zip(words, words[1:])]
    score = {
        "handle": " ".join(link["handle"] for link in item["links"]),
        "names": words,
        "quality": round(sum(pairs) / len(pairs), 6) if pairs else 0.0,
    }
    burn_until(started + float(params.get("cpu_ms", 0)) / 1000)
    return score


def gather(results):
    """The best 100; equal ones in the order of their handles."""
    return heapq.nsmallest(BEST, results, key=lambda score: (-score["quality"], score["handle"]))


def names(atom):
    """The names of all nodes below an atom, from left to right."""
    if "name" in atom:
        return [atom["name"]]
    return [name for target in atom.get("targets", []) for name in names(target)]


def likeness(one, other):
    """Letters in both, as a share of the letters in either (Jaccard)."""
    letters = set(one) | set(other)
    return len(set(one) & set(other)) / len(letters) if letters else 0.0


def burn_until(cpu_time):
    """Spin until this thread has used so much CPU time; waiting for a core does not count."""
    while time.thread_time() < cpu_time:
        pass


def ask(url, action, wanted):
    """POST one action. A far server may fail now and then: 5 attempts, 0.2 s apart, 10 s each."""
    body = json.dumps({"action": action, "input": wanted}).encode()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return post(url.rstrip("/") + PATH, body)
        except urllib.error.HTTPError as error:
            reason = f"{error.code} {error.read(1000).decode(errors='replace')}"
            if error.code < 500:  # our fault: asking again does not help
                break
        except (OSError, http.client.HTTPException, ValueError) as error:  # refused, reset, timed out, cut short
            reason = str(error)
        if attempt < ATTEMPTS:
            time.sleep(PAUSE_S)
    raise RuntimeError(f"{action} at {url} failed after {attempt} attempt(s): {reason}")


def post(url, body):
    """One request, one answer."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        return json.load(response)
