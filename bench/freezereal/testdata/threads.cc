// Eight threads that hand numbers on by condition variables; the main thread prints what
// comes out, in order.
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>
#include <stdexcept>
#include <thread>
#include <vector>

template <typename T> class Channel {
	std::mutex mutex;
	std::condition_variable filled, emptied;
	std::queue<T> queue;

public:
	void put(T v)
	{
		std::unique_lock<std::mutex> lock(mutex);
		emptied.wait(lock, [&] { return queue.size() < 4; });
		queue.push(std::move(v));
		filled.notify_one();
	}
	T get()
	{
		std::unique_lock<std::mutex> lock(mutex);
		filled.wait(lock, [&] { return !queue.empty(); });
		T v = std::move(queue.front());
		queue.pop();
		emptied.notify_one();
		return v;
	}
};

struct Job {
	int number;
	std::uint64_t value;
};

static thread_local std::uint64_t scratch;

static std::uint64_t work(std::uint64_t v)
{
	scratch = v;
	for (int i = 0; i < 200000; i++)
		scratch = scratch * 6364136223846793005u + 1442695040888963407u;
	if (scratch % 3 == 0)
		throw std::runtime_error(std::to_string(scratch));
	return scratch;
}

int main()
{
	const int jobs = 1500, workers = 7;
	Channel<Job> in, out;
	std::vector<std::thread> threads;
	for (int w = 0; w < workers; w++)
		threads.emplace_back([&] {
			for (Job j = in.get(); j.number >= 0; j = in.get()) {
				try {
					j.value = work(j.value);
				} catch (const std::exception &e) {
					j.value = std::stoull(e.what());
				}
				out.put(j);
			}
		});
	threads.emplace_back([&] {
		for (int i = 0; i < jobs; i++)
			in.put({i, std::uint64_t(i) * 977});
		for (int w = 0; w < workers; w++)
			in.put({-1, 0});
	});
	std::map<int, std::uint64_t> waiting;
	for (int next = 0; next < jobs;) {
		Job j = out.get();
		waiting[j.number] = j.value;
		for (auto it = waiting.find(next); it != waiting.end(); it = waiting.find(++next)) {
			std::cout << next << ' ' << it->second << std::endl;
			waiting.erase(it);
		}
	}
	for (auto &t : threads)
		t.join();
	return 4;
}
