/* Runs the sample that is in a shared library. */
int sample_main(int argc, char **argv);
int main(int argc, char **argv) { return sample_main(argc, argv); }
