// A fault of each kind, by its name: what tools/sanitize looks for first, to show that the check would see one.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int shared;
static void *volatile lost;

static void *write_shared(void *unused)
{
    for (int i = 0; i < 1000; i++)
        shared = shared + 1;
    return unused;
}

static void race(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_shared, NULL) != 0)
        abort();
    write_shared(NULL);
    pthread_join(thread, NULL);
}

// Away from the stack's leftovers, where a pointer to the block would be found.
__attribute__((noinline)) static void leak(void)
{
    lost = malloc(12345);
    lost = NULL;
}

int main(int count, char **words)
{
    const char *kind = count > 1 ? words[1] : "";
    volatile int64_t size = INT64_MAX;
    volatile uint32_t narrow = 0;
    if (strcmp(kind, "bounds") == 0) {
        volatile char *block = malloc((size_t)count);
        block[count] = 1;
        free((void *)(uintptr_t)block);
    } else if (strcmp(kind, "leak") == 0) {
        leak();
    } else if (strcmp(kind, "overflow") == 0) {
        size = size + 1;
    } else if (strcmp(kind, "wrap") == 0) {
        narrow = narrow - 1;
    } else if (strcmp(kind, "conversion") == 0) {
        volatile uint8_t byte = size;
        narrow = byte;
    } else if (strcmp(kind, "race") == 0) {
        race();
    } else if (strcmp(kind, "uninitialised") == 0) {
        volatile int *block = malloc(sizeof *block);
        if (*block == 7)
            puts("seven");
        free((void *)(uintptr_t)block);
    } else {
        return 2;
    }
    return 0;
}
