# multiprocessing: a pool of three processes and a queue, answers in order.
import hashlib
import multiprocessing as mp


def digest(n):
    h = hashlib.sha256(str(n).encode())
    for _ in range(3000):
        h = hashlib.sha256(h.digest())
    return n, h.hexdigest()[:16]


if __name__ == "__main__":
    with mp.Pool(3) as pool:
        for n, d in pool.imap(digest, range(150)):
            print(n, d, flush=True)
        pool.close()
        pool.join()
