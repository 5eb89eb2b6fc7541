"""Count the primes below a bound: a script with nothing but `main(params)`.

Such a script is one part, run once, on one node. It needs no input.
"""

BELOW = 1_000_000


def main(params):
    """How many primes lie below params["below"], and which is the largest?"""
    below = int(params.get("below", BELOW))
    primes = sieve(below)
    count = sum(primes)
    largest = primes.rfind(1)
    return {"below": below, "count": count, "largest": largest if count else None}


def sieve(below):
    """Eratosthenes: a byte per number, 1 where the number is prime."""
    prime = bytearray([1]) * max(below, 2)
    prime[0:2] = b"\0\0"
    for n in range(2, int(len(prime) ** 0.5) + 1):
        if prime[n]:
            prime[n * n :: n] = bytes(len(range(n * n, len(prime), n)))
    return prime
