// The same in C++: objects with constructors, thread-local ones, exceptions, and
// the streams of the library.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>
#include <sys/auxv.h>

struct Object {
	int value;
	std::string text;
	std::vector<int> list;
	Object() : value(5), text("constructed at the first start"), list{1, 2, 3} {}
};
static Object object;
thread_local std::string thread = "thread";
std::vector<std::string> words = {"a", "b"};
int zero;
__attribute__((section(".persistent"))) volatile int runs = 1;

int main()
{
	const char *thrown = "";
	try {
		throw object;
	} catch (Object &o) {
		thrown = "caught";
	}
	std::cout << object.value << ' ' << object.text << ' ' << object.list.size() << ' ' << thread << ' ' << words.size() << ' '
		  << zero << ' ' << thrown << '|' << runs << std::endl;
	object.value++, zero++;
	object.text += "!";
	object.list.push_back(4);
	thread += "?";
	words.push_back("c");
	runs = runs + 1;
	if (runs < 5)
		((void (*)())getauxval(AT_ENTRY))();
	return 0;
}
