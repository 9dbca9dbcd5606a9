// One byte to and fro between two processes over a socketpair: what a pipe of mp
// cannot beat by much. Prints the median of argv[1] round trips in seconds.
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
	double d = *(const double *)a - *(const double *)b;
	return (d > 0) - (d < 0);
}

static void fail(const char *what) {
	perror(what);
	exit(1);
}

int main(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) : 1000, ends[2];
	double *times = calloc(n, sizeof *times);
	char byte = 1;
	if (n < 1 || !times) {
		fprintf(stderr, "usage: socketpair N\n");
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		fail("socketpair");
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(ends[0]);
		while (read(ends[1], &byte, 1) == 1)
			if (write(ends[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	for (int i = -n / 10; i < n; i++) {
		double begun = now();
		if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
			fail("round trip");
		if (i >= 0)
			times[i] = now() - begun;
	}
	close(ends[0]);
	waitpid(child, NULL, 0);
	qsort(times, n, sizeof *times, ascending);
	printf("{\"p50\": %.12g}\n", times[n / 2]);
	return 0;
}
