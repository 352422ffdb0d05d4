# asyncio: tasks, queues, timers and a thread pool; the order of lines is fixed.
import asyncio
import concurrent.futures
import hashlib


def digest(n):
    h = hashlib.sha256(str(n).encode())
    for _ in range(300):
        h = hashlib.sha256(h.digest())
    return h.hexdigest()[:12]


async def producer(number, queue):
    for i in range(40):
        await asyncio.sleep(0.001 * (number + 1))
        await queue.put((i, number))


async def main():
    loop = asyncio.get_running_loop()
    queues = [asyncio.Queue(3) for _ in range(5)]
    tasks = [asyncio.create_task(producer(n, q)) for n, q in enumerate(queues)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(40):
            for q in queues:
                i, number = await q.get()
                print(i, number, await loop.run_in_executor(pool, digest, i * 100 + number), flush=True)
    await asyncio.gather(*tasks)


asyncio.run(main())
