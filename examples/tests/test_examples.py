"""Every example script, run on small data in one process: `python3 -m unittest discover examples/tests`."""

import base64
import importlib.util
import json
import subprocess
import threading
import time
import unittest
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest import mock

EXAMPLES = Path(__file__).resolve().parent.parent


def load(path):
    """Import one script by its file name."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, EXAMPLES / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def map_reduce(job, items):
    """What the cluster does, one after the other: map and combine each item, then reduce each key."""
    values = defaultdict(list)
    for item in items:
        within = defaultdict(list)
        for key, value in job.map(item):
            within[key].append(value)
        for key, found in within.items():
            values[key].append(job.combine(key, found))
    return {key: job.reduce(key, values[key]) for key in sorted(values)}


class LongestWord(unittest.TestCase):
    def test_a_line_for_each_line(self):
        given = 'a bcd ef\n\nxy\n'
        done = subprocess.run(['sh', EXAMPLES / 'commands/longest.sh'], input=given, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, 'bcd\n\nxy\n')


class WordCount(unittest.TestCase):
    job = load("word-count/word_count.py")

    def test_counts_small_texts(self):
        texts = {"a": "The cat. THE Cat's", "b": "cat7cat\n", "c": ""}
        items = [{"name": name, "text": text} for name, text in texts.items()]
        self.assertEqual(map_reduce(self.job, items), {"cat": 4, "s": 1, "the": 2})

    def test_knows_ascii_letters_only(self):
        text = "na\u00efve \u212aelvin \u0130x"  # the Kelvin sign and the dotted I become ASCII in lower case
        self.assertEqual(map_reduce(self.job, [{"name": "a", "text": text}]), {"na": 1, "ve": 1, "elvin": 1, "x": 1})

    def test_counts_a_file_that_is_not_utf8(self):
        item = {"name": "a", "base64": base64.b64encode(b"caf\xe9 caf").decode()}
        self.assertEqual(map_reduce(self.job, [item]), {"caf": 2})

    def test_counts_the_corpus_as_an_independent_count_does(self):
        files = sorted((EXAMPLES / "word-count/corpus").glob("*.txt"))
        contents = [file.read_bytes() for file in files]
        self.assertGreaterEqual(len(files), 100)
        self.assertGreaterEqual(sum(map(len, contents)), 5 * 2**20)
        # Independent: every byte that is no letter becomes a space, as `tr -cs` does.
        table = bytes(b if chr(b).isascii() and chr(b).isalpha() else 32 for b in range(256))
        expected = Counter(b" ".join(contents).translate(table).decode().lower().split())
        items = [{"name": file.name, "text": text.decode()} for file, text in zip(files, contents)]
        self.assertEqual(map_reduce(self.job, items), dict(expected))


class FlakyServer(BaseHTTPRequestHandler):
    """Answers what is next in `replies`: (status, body), or None to hang up."""

    replies = []
    requests = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, json.loads(body)))
        reply = self.replies.pop(0)
        if reply is None:
            return
        status, answer = reply
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


def answer(one, other):
    targets = [{"handle": "1", "type": "Concept", "name": one}, {"handle": "2", "type": "Concept", "name": other}]
    return [{"v1": "1", "v2": "2"}, {"handle": f"{one}-{other}", "type": "Similarity", "targets": targets}]


class DasQuality(unittest.TestCase):
    job = load("das-quality/das_quality.py")

    def setUp(self):
        self.server = HTTPServer(("127.0.0.1", 0), FlakyServer)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        FlakyServer.requests = []
        self.params = {"url": f"http://127.0.0.1:{self.server.server_port}/"}
        patch = mock.patch.object(self.job.time, "sleep")
        self.sleep = patch.start()
        self.addCleanup(patch.stop)

    def tearDown(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def split(self, *replies, **params):
        FlakyServer.replies = list(replies)
        return list(self.job.split({**self.params, **params}))

    def test_asks_once_and_yields_an_item_per_answer(self):
        items = self.split((200, [answer("human", "monkey"), [None, [answer("a", "b")[1]]]]))
        self.assertEqual([item["assignment"] for item in items], [{"v1": "1", "v2": "2"}, None])
        self.assertEqual([len(item["links"]) for item in items], [1, 1])
        [(path, request)] = FlakyServer.requests
        self.assertEqual((path, request["action"]), ("/function/query-engine", "query"))
        self.assertEqual(request["input"]["query"], self.job.SIMILARITIES)

    def test_takes_another_query_as_text_or_as_it_is(self):
        query = {"atom_type": "node", "type": "Concept", "name": "ent"}
        self.split((200, []), query=query)
        self.split((200, []), query=json.dumps(query))
        self.assertEqual([request["input"]["query"] for _, request in FlakyServer.requests], [query, query])

    def test_asks_again_when_the_server_fails(self):
        items = self.split((500, {"error": "down"}), None, (503, {}), (500, {}), (200, [answer("a", "b")]))
        self.assertEqual(len(items), 1)
        self.assertEqual(self.sleep.call_args_list, [mock.call(0.2)] * 4)

    def test_gives_up_after_five_attempts(self):
        with self.assertRaisesRegex(RuntimeError, "after 5 attempt.*500.*down"):
            self.split(*[(500, {"error": "down"})] * 5)

    def test_does_not_repeat_what_the_server_refuses(self):
        with self.assertRaisesRegex(RuntimeError, "after 1 attempt.*400.*malformed"):
            self.split((400, {"error": "malformed"}))

    def test_scores_an_answer_from_itself(self):
        [item] = self.split((200, [answer("human", "humor")]))
        score = self.job.map(item, {})
        self.assertEqual(score, {"handle": "human-humor", "names": ["human", "humor"], "quality": 0.428571})
        self.assertEqual(self.job.map({"assignment": None, "links": []}, {})["quality"], 0.0)

    def test_burns_as_much_cpu_time_as_told(self):
        item = {"assignment": None, "links": []}
        started = time.thread_time()
        self.job.map(item, {"cpu_ms": "20"})
        self.assertGreaterEqual(time.thread_time() - started, 0.02)

    def test_ranks_the_best_hundred(self):
        scores = [{"handle": f"{i:03}", "quality": i % 10 / 10} for i in range(300)]
        ranked = self.job.gather(scores)
        self.assertEqual(ranked, sorted(scores, key=lambda s: (-s["quality"], s["handle"]))[:100])
        self.assertEqual(self.job.gather([]), [])


class MonteCarloPi(unittest.TestCase):
    job = load("monte-carlo-pi/pi.py")

    def test_estimates_pi(self):
        results = [self.job.map(seed, {"samples": 2000}) for seed in range(50)]
        estimate = self.job.gather(results)
        self.assertEqual(estimate["samples"], 100_000)
        self.assertLess(abs(estimate["pi"] - 3.141592653589793), 5 * estimate["error"])

    def test_gives_the_same_for_the_same_seed(self):
        self.assertEqual(self.job.map(7, {"samples": "1000"}), self.job.map(7, {"samples": 1000}))
        self.assertNotEqual(self.job.map(7, {"samples": 1000}), self.job.map(8, {"samples": 1000}))

    def test_says_nothing_about_nothing(self):
        self.assertEqual(self.job.gather([]), {"pi": None, "error": None, "samples": 0})


class MainOnly(unittest.TestCase):
    job = load("main-only/primes.py")

    def test_counts_primes(self):
        self.assertEqual(self.job.main({}), {"below": 1_000_000, "count": 78_498, "largest": 999_983})
        self.assertEqual(self.job.main({"below": "3"}), {"below": 3, "count": 1, "largest": 2})

    def test_has_none_below_two(self):
        for below in (-5, 0, 2):
            self.assertEqual(self.job.main({"below": below}), {"below": below, "count": 0, "largest": None})

    def test_agrees_with_trial_division(self):
        slow = sum(all(n % d for d in range(2, n)) for n in range(2, 500))
        self.assertEqual(self.job.main({"below": 500})["count"], slow)


if __name__ == "__main__":
    unittest.main()
