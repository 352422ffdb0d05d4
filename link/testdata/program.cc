// A program that needs much of a linker: exceptions, thread-local variables,
// threads, indirect functions of libc, constructors, weak symbols.
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

__thread int plain = 1;
static thread_local std::vector<int> list{1, 2, 3};
__attribute__((weak)) int missing();

struct Early {
	double x;
	Early() : x(5.5) {}
} early;

static int check(int x) {
	if (x > 2)
		throw std::runtime_error("boom");
	return x;
}

int main() {
	char text[16];
	std::thread t([] { plain++; list.push_back(4); });
	t.join();
	plain += 2;
	if (missing)
		return missing();
	try {
		check(plain);
	} catch (std::exception &e) {
		strcpy(text, e.what());
	}
	printf("%d %g %s %zu\n", plain, early.x, text, strlen(text));
}
