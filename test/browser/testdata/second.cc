// The other source file of the sample.
int ripe_days[60] = {30, 31};

extern "C" int ripe_fruit(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += i * ripe_days[i];
  return sum;
}
