// What cxx.cc and cxx2.cc share.
#pragma once
#include <stdexcept>
#include <string>

template <class T> T next()
{
	static T n = 0; // one for both files
	return ++n;
}
struct Failure : std::runtime_error {
	int code;
	Failure(const std::string &s, int c) : std::runtime_error(s), code(c) {}
};
struct Base {
	virtual ~Base() {}
	virtual int value() const { return 1; }
};
inline int once() { static int n = next<short>(); return n; }
int other_next();
void thrower(int depth);
