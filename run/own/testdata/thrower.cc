#include <cstdio>
#include <stdexcept>
thread_local int shared_tls = 20;
int imported = 77;
struct Noise {
	Noise() { puts("library begins"); }
	~Noise() { puts("library ends"); }
} noise;
extern "C" int thrower(int how)
{
	if (how == 1)
		throw std::runtime_error("from a library");
	if (how == 2)
		throw 100;
	return 9;
}
