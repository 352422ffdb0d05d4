#include <stdio.h>
#include "libgo.h"
int main(void) { printf("%d %s\n", Twice(21), Text(7)); return 0; }
