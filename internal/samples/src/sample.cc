// What C++ adds to sample.c: exceptions over frames with destructors, threads,
// thread-local objects, ifunc, run-time type information, iostream.
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern "C" int sample_main(int argc, char **argv);

extern "C" {
static int nine(void) { return 9; }
typedef int int_fn(void);
static int_fn *resolve(void) { return nine; }
int chosen(void) __attribute__((ifunc("resolve")));
}

struct Base {
	virtual ~Base() = default;
};
struct Derived : Base {
	int v = 3;
};

static int unwound;
struct Counted {
	~Counted() { unwound++; }
};

__attribute__((noinline)) static int thrower(int depth) {
	Counted c;
	if (depth == 0)
		throw std::out_of_range("thrown");
	return thrower(depth - 1) + 1;
}

static thread_local std::string local = "thread";

static void crash() {
	std::mutex m;
	m.lock();
	std::thread([&m] { m.lock(); }).detach();
	std::this_thread::sleep_for(std::chrono::milliseconds(50));
	std::abort();
}

int main(int argc, char **argv) {
	if (argc > 1 && !std::strcmp(argv[1], "crash"))
		crash();
	if (argc > 1 && std::strchr("hfaew", argv[1][0]))
		return sample_main(argc, argv);
	try {
		thrower(5);
	} catch (const std::exception &e) {
		std::cout << "caught " << e.what() << " after " << unwound << " destructors\n";
	}
	std::vector<std::thread> threads;
	std::mutex m;
	std::map<int, std::string> results;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&, i] {
			local += std::to_string(i);
			int code = 0;
			try {
				thrower(i);
			} catch (...) {
				code = i * 10;
			}
			std::lock_guard<std::mutex> guard(m);
			results[i] = local + ":" + std::to_string(code);
		});
	for (auto &t : threads)
		t.join();
	for (auto &[i, s] : results)
		std::cout << s << "\n";
	std::unique_ptr<Base> b = std::make_unique<Derived>();
	std::cout << "rtti " << dynamic_cast<Derived &>(*b).v << ", ifunc " << chosen() << std::endl;
	return sample_main(argc, argv);
}
