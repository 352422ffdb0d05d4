// A program with functions, data and strings whose names a test can look for.
#include <stdio.h>

namespace garden {
struct Tree {
  int leaves;
  virtual int grow(int by);
  virtual ~Tree() {}
};
int Tree::grow(int by) { return leaves += by; }
}  // namespace garden

extern "C" int ripe_fruit(int n);

const char apple_names[] = "Boskoop and Topaz";
int basket_full[100] = {1};
char orchard_empty[700];

int main(int argc, char **argv) {
  garden::Tree tree;
  tree.leaves = argc;
  printf("%s %d %d\n", apple_names, tree.grow(ripe_fruit(argc)), basket_full[argc]);
  return orchard_empty[argc];
}
