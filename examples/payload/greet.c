/* A library for plugin.c and mapper.c. Its pointer needs a relocation, and its
 * counter a page of its own. */
static const char text[] = "hello from a library in a program";
static const char *const greeting[] = {text};
static int calls;

const char *greet(void)
{
	calls++;
	return calls == 1 ? greeting[0] : "again";
}
