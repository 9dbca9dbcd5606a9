// A mutex between processes that survives the death of its owner, with nobody else
// there. Prints the time of one lock and unlock: the median of 200 batches of argv[1] / 200.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { batches = 200 };

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
	double d = *(const double *)a - *(const double *)b;
	return (d > 0) - (d < 0);
}

int main(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) / batches : 0;
	double times[batches];
	pthread_mutexattr_t attr;
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (n < 1 || m == MAP_FAILED) {
		fprintf(stderr, "usage: robust N, from %d\n", batches);
		return 2;
	}
	pthread_mutexattr_init(&attr);
	if (pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) ||
	    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) || pthread_mutex_init(m, &attr)) {
		fprintf(stderr, "no robust mutexes\n");
		return 1;
	}
	for (int b = -2; b < batches; b++) {
		double begun = now();
		for (int i = 0; i < n; i++)
			if (pthread_mutex_lock(m) || pthread_mutex_unlock(m)) {
				fprintf(stderr, "lock or unlock failed\n");
				return 1;
			}
		if (b >= 0)
			times[b] = (now() - begun) / n;
	}
	qsort(times, batches, sizeof *times, ascending);
	printf("{\"time\": %.12g}\n", (times[batches / 2 - 1] + times[batches / 2]) / 2);
	return 0;
}
