// A C++ program: COMDAT groups in two files, exceptions, initialisers.
#include "cxx.h"
#include <iostream>
#include <map>
#include <typeinfo>

struct Loud {
	const char *name;
	explicit Loud(const char *n) : name(n) { std::cout << "made " << name << '\n'; }
	~Loud() { std::cout << "gone " << name << '\n'; }
};
static Loud global("global");

struct Derived : Base {
	int value() const override { return 7; }
};

thread_local std::string per_thread("thread");

int main()
{
	std::cout << "counter " << next<int>() << next<int>() << other_next() << next<long>() << '\n';
	try {
		Loud local("local");
		thrower(3);
	} catch (const Failure &f) {
		std::cout << "caught " << f.what() << ' ' << f.code << '\n';
	}
	try {
		throw std::string("text");
	} catch (...) {
		std::cout << "caught all\n";
	}
	Base *b = new Derived;
	std::cout << "cast " << (dynamic_cast<Derived *>(b) != nullptr) << ' ' << (typeid(*b) == typeid(Derived)) << ' ' << b->value() << '\n';
	delete b;
	std::map<std::string, int> m{{"one", 1}, {"two", 2}};
	for (auto &[k, v] : m)
		std::cout << k << '=' << v << ' ';
	std::cout << per_thread << ' ' << once() << once() << '\n';
}
