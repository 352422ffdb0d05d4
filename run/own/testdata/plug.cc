#include <cstdio>
#include <stdexcept>
int exported_by_program(int);
static thread_local int calls[64];
__attribute__((tls_model("initial-exec"))) thread_local int fast = 1000;
struct Noise {
	Noise() { puts("plug begins"); }
	~Noise() { puts("plug ends"); }
} noise;
extern "C" int plug(int x) { return exported_by_program(x) + calls[3]++ + fast++; }
extern "C" void plug_throws() { throw std::logic_error("by a plug-in"); }
