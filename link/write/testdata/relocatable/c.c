int common[4], single;
static int here = 4, there[3];
int *address = &here, *middle = &there[1];
extern int weak(void) __attribute__((weak));
const char name[] = "c.c";
int f(void) { return common[3] + here + single + (weak ? weak() : 0); }
extern int __start_list[], __stop_list[];
int entry __attribute__((section("list"))) = 1;
int *edges[] = { __start_list, __stop_list };
