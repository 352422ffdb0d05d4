// The other file of cxx.cc.
#include "cxx.h"

int other_next() { return next<int>(); }

struct Guard {
	~Guard() { once(); }
};

void thrower(int depth)
{
	Guard g;
	if (depth == 0)
		throw Failure("from the depth", 12);
	thrower(depth - 1);
}
