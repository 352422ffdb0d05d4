/* What bare.c and part.c share. */
struct record { const char *name; long value; };
#define RECORD(n, v) static const struct record n __attribute__((section("records"), used)) = {#n, v}
struct entry { const char *name; int (*call)(int); };
extern const struct entry table[];
extern long part_data, *const part_pointer;
extern int tentative;
int twice(int), add_to_common(void);
const char *shared_text(void);
